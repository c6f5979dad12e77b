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
            in: draft.device.timeZone,
            wasEligible: draft.ledger.eligibleAt != nil
        )
        self.init(draft, over: before, totals: totals, asOf: now, eligibility: eligibility) { _, _ in [] }
    }
}

extension Draft {
    fileprivate mutating func absorb(_ other: Ledger, syncVersion: Int) {
        let sharesDevices = !Set(ledger.devices.keys).isDisjoint(with: other.devices.keys)
        absorb(epochOf: other)
        absorb(devicesOf: other)
        absorb(sessionsOf: other, sharingDevices: sharesDevices)
        for challenge in other.challenges.values { unite(challenge) }
        absorb(fieldsOf: other, syncVersion: syncVersion)
        raiseFloor(to: other.floorXP)
        if let eligibleAt = other.eligibleAt { passGate(at: eligibleAt) }
    }
}

extension Ledger {
    /// In a later epoch, without anything being cleared: what is current stays so, and what isn't doesn't become it.
    func moved(to epoch: Int) -> Ledger {
        var ledger = self
        ledger.epoch = epoch
        // 0 is no epoch, so whoever still shows what was cleared goes on doing that.
        for (id, device) in devices { ledger.devices[id]?.epoch = device.epoch == self.epoch ? epoch : 0 }
        return ledger
    }

    /// XP of the possible sessions that are here, of one device.
    func possibleXP(of deviceID: String) -> Int {
        sessions.values.reduce(0) { sum, session in
            let counts =
                session.key.deviceID == deviceID && judgements[session.key]?.verdict.isPossible == true
            return sum + (counts ? session.xp : 0)
        }
    }
}

extension Device {
    /// One device that has synced with two accounts: what it claims, it claims once.
    func joined(with other: Device, in epoch: Int) -> Device {
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
    func joined(with other: PracticeDay) -> PracticeDay {
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
