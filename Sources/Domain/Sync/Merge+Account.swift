extension Merge {
    /// Another account of the same person ends in this one: what the two have is united as what two devices have.
    /// Nothing counts twice, and nothing that counted is lost.
    ///
    /// - Parameters:
    ///   - other: all of it, and `before` likewise, with every session that was cleared.
    ///   - syncVersion: the one that this merge makes.
    package init(
        absorbing other: Ledger,
        into before: Ledger,
        syncVersion: Int,
        dayStart: DayStart = .midnight,
        now: Instant
    ) {
        let newest = (Array(before.devices.values) + other.devices.values).max {
            $0.lastTakenAt < $1.lastTakenAt
        }
        var draft = Draft(
            ledger: before,
            device: DeviceDescription(
                id: Label(newest?.id ?? ""),
                name: Label(newest?.name ?? ""),
                timeZone: newest?.zone ?? .utc
            ),
            dayStart: dayStart,
            takenAt: now,
            now: now
        )
        draft.absorb(other, syncVersion: syncVersion)
        let totals = Totals(of: draft.ledger)
        let eligibility = Eligibility(
            totals,
            firstSessionAt: draft.ledger.firstSessionAt,
            asOf: now,
            on: draft.ledger.streakToday(at: now, in: draft.device.timeZone, startingAt: dayStart),
            wasEligible: draft.ledger.eligibleAt != nil
        )
        self.init(
            draft,
            over: before,
            totals: totals,
            asOf: now,
            eligibility: eligibility,
            // Its devices may know a version that this account hasn't come to yet, so there is a later one.
            isNews: !other.devices.isEmpty
        ) { _, _ in [] }
    }
}

extension Draft {
    fileprivate mutating func absorb(_ other: Ledger, syncVersion: Int) {
        let sharesDevices = !Set(ledger.devices.keys).isDisjoint(with: other.devices.keys)
        absorb(epochOf: other)
        absorb(devicesOf: other)
        absorb(sessionsOf: other, sharingDevices: sharesDevices)
        absorb(challengesOf: other)
        absorb(fieldsOf: other, syncVersion: syncVersion)
        raiseFloor(to: other.floorXP)
        if let eligibleAt = other.eligibleAt { passGate(at: eligibleAt) }
    }

    /// Both go on in the later of the two epochs, in which devices of either may be. Nothing is cleared by that:
    /// what one of them cleared is known one by one.
    private mutating func absorb(epochOf other: Ledger) {
        ledger = ledger.moved(to: max(ledger.epoch, other.epoch))
        ledger.cleared.formUnion(other.cleared)
        ledger.epochStartedAt = ledger.epochStartedAt.flatMap { start in
            other.epochStartedAt.map { min(start, $0) }
        }
        ledger.detailFrom = [ledger.detailFrom, other.detailFrom].compactMap(\.self).max()
    }

    private mutating func absorb(devicesOf other: Ledger) {
        let (ownXP, othersXP) = (ledger.possibleXP, other.possibleXP)
        for device in other.moved(to: ledger.epoch).devices.values {
            // What it brought comes with its sessions and challenges, but for those that were forgotten.
            let forgottenXP = device.sessionXP - othersXP[device.id, default: 0]
            if let known = ledger.devices[device.id] {
                var joined = known.joined(with: device, in: ledger.epoch)
                joined.sessionXP += max(0, forgottenXP - (known.sessionXP - ownXP[device.id, default: 0]))
                ledger.devices[device.id] = joined
            } else {
                ledger.devices[device.id] = device
                ledger.devices[device.id]?.sessionXP = forgottenXP
                ledger.devices[device.id]?.rewardXP = 0
            }
        }
    }

    /// But for those that are known to be cleared. Those that touch forgotten ones can't be judged anew, and count
    /// what they counted.
    private mutating func absorb(sessionsOf other: Ledger, sharingDevices: Bool) {
        absorb(forgottenDaysOf: other, sharingDevices: sharingDevices)
        var (settled, arrived): (Set<LocalDay>, [Session.Key]) = ([], [])
        for (key, session) in other.sessions where !ledger.cleared.contains(key) {
            if ledger.sessions[key] != nil {
                guard session.isPardoned, ledger.sessions[key]?.isPardoned == false else { continue }
                ledger.sessions[key]?.isPardoned = true
            } else {
                ledger.sessions[key] = session
                if !ledger.isJudgedAnew(session), let judgement = other.judgements[key] {
                    ledger.judgements[key] = judgement
                    ledger.devices[key.deviceID]?.sessionXP += judgement.verdict.isPossible ? session.xp : 0
                    settled.insert(session.localDay)
                    continue
                }
            }
            arrived.append(key)
        }
        ledger.addUp(settled.filter { !ledger.isForgotten($0) }, dayStart: dayStart)
        judge(arrived)
    }

    /// Of a device that both know, the same sessions may be in both: then the day that has more is it.
    private mutating func absorb(forgottenDaysOf other: Ledger, sharingDevices: Bool) {
        for day in other.days.values where ledger.isForgotten(day.day) {
            guard let known = ledger.days[day.day] else {
                ledger.days[day.day] = day
                continue
            }
            ledger.days[day.day] =
                sharingDevices ? (known.xp < day.xp ? day : known) : known.joined(with: day)
        }
    }

    /// But for those that were cleared in the account that stays.
    private mutating func absorb(challengesOf other: Ledger) {
        for challenge in other.challenges.values where !ledger.hasCleared(challenge) { unite(challenge) }
        ledger.rememberCleared(other.clearedChallenges.values)
    }

    /// Of each entry, what was written last; and all of them are news to whoever knew but one of the accounts.
    private mutating func absorb(fieldsOf other: Ledger, syncVersion: Int) {
        ledger.fields.merge(other.fields) { $0.stamp < $1.stamp ? $1 : $0 }
        ledger.fields = ledger.fields.mapValues {
            FieldEntry(value: $0.value, stamp: $0.stamp, syncVersion: syncVersion)
        }
    }
}

extension Ledger {
    /// In a later epoch, without anything being cleared: what is current stays so, and what isn't doesn't become it.
    fileprivate func moved(to epoch: Int) -> Ledger {
        var ledger = self
        ledger.epoch = epoch
        // 0 is no epoch, so whoever still shows what was cleared goes on doing that.
        for (id, device) in devices { ledger.devices[id]?.epoch = device.epoch == self.epoch ? epoch : 0 }
        return ledger
    }

    /// XP of the possible sessions that are here, by their devices.
    fileprivate var possibleXP: [String: Int] {
        sessions.values.reduce(into: [:]) { sums, session in
            guard judgements[session.key]?.verdict.isPossible == true else { return }
            sums[session.key.deviceID, default: 0] += session.xp
        }
    }
}

extension Device {
    /// One device that has synced with two accounts: what it claims, it claims once.
    fileprivate func joined(with other: Device, in epoch: Int) -> Device {
        var device = self
        if other.lastTakenAt > lastTakenAt {
            (device.name, device.zone, device.clockOffset) = (other.name, other.zone, other.clockOffset)
            device.lastTakenAt = other.lastTakenAt
        }
        switch (isOf(epoch), other.isOf(epoch)) {
        case (true, true):
            device.claimedXP = max(claimedXP, other.claimedXP)
            device.heldXP = max(heldXP, other.heldXP)
        case (false, true):
            (device.epoch, device.carriedXP) = (epoch, other.carriedXP)
            (device.claimedXP, device.heldXP) = (other.claimedXP, other.heldXP)
        case (_, false): break
        }
        return device
    }

    /// Whether it shows nothing that was cleared.
    private func isOf(_ epoch: Int) -> Bool { self.epoch == epoch && carriedXP == nil }
}

extension PracticeDay {
    /// With what was practised the same day beside it.
    fileprivate func joined(with other: PracticeDay) -> PracticeDay {
        var joined = self
        joined.xp += other.xp
        joined.activeMilliseconds += other.activeMilliseconds
        joined.sessions += other.sessions
        joined.overlapXP += other.overlapXP
        if other.firstEndedAt < firstEndedAt {
            (joined.firstEndedAt, joined.firstZone) = (other.firstEndedAt, other.firstZone)
        }
        if other.lastEndedAt > lastEndedAt {
            (joined.lastEndedAt, joined.lastZone) = (other.lastEndedAt, other.lastZone)
        }
        joined.followsTravel = followsTravel || other.followsTravel
        return joined
    }
}
