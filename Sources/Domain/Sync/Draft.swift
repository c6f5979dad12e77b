/// A ledger while something is united with it.
struct Draft {
    private(set) var ledger: Ledger
    private(set) var outcomes: [ItemOutcome] = []
    let device: DeviceDescription
    let dayStart: DayStart
    /// When what comes was taken, by our clock.
    let takenAt: Instant
    let now: Instant
    /// Milliseconds by which the device's clock is behind ours.
    let clockOffset: Int64
    private var arrived: [Session.Key] = []
    /// What the completed challenges that came are worth.
    private(set) var shownRewards = 0

    var deviceID: String { device.id.text }

    init(
        ledger: Ledger,
        device: DeviceDescription,
        dayStart: DayStart,
        takenAt: Instant,
        now: Instant,
        clockOffset: Int64 = 0
    ) {
        self.ledger = ledger
        self.device = device
        self.dayStart = dayStart
        self.takenAt = takenAt
        self.now = now
        self.clockOffset = clockOffset
    }

    /// The gate is passed; what comes first is when.
    mutating func passGate(at instant: Instant) {
        ledger.eligibleAt = min(ledger.eligibleAt ?? instant, instant)
    }

    // MARK: Sessions

    /// Takes up the good ones, tells the others apart, and judges all again that they may have changed.
    mutating func unite(_ items: [Item<ExtensionExport.SessionRecord>]) {
        let first = outcomes.count
        for (index, item) in items.enumerated() {
            switch item {
            case .invalid(let field, let why):
                outcomes.append(.invalid(.sessions, index, field: field, why: why))
            case .valid(let record):
                outcomes.append(unite(record, at: index))
            }
        }
        judge()
        // A session is judged beside all the others, so only now.
        for index in outcomes.indices.dropFirst(first) {
            judge(&outcomes[index])
        }
    }

    /// Refuses all of them: they come from before the clear.
    mutating func refuse(_ items: [Item<ExtensionExport.SessionRecord>]) {
        outcomes += items.indices.map {
            ItemOutcome(index: $0, outcome: .rejected, reason: "takenBeforeClear")
        }
    }

    private mutating func unite(_ record: ExtensionExport.SessionRecord, at index: Int) -> ItemOutcome {
        let session = session(of: record)
        var outcome = ItemOutcome(
            index: index,
            id: session.key.sessionID,
            startedAt: session.key.startedAt,
            outcome: .rejected
        )
        if session.endedAt < session.key.startedAt {
            (outcome.reason, outcome.field) = ("endsBeforeItStarts", "endedAt")
        } else if wasCleared(session) {
            outcome.reason = "takenBeforeClear"
        } else if let known = ledger.sessions[session.key] {
            if known.agrees(with: session) {
                outcome.outcome = .duplicate
            } else {
                outcome.reason = "differsFromStored"
            }
        } else if ledger.isTooOld(session) {
            outcome.reason = "tooOld"
        } else {
            ledger.sessions[session.key] = session
            arrived.append(session.key)
            outcome.outcome = .accepted
        }
        return outcome
    }

    func session(of record: ExtensionExport.SessionRecord) -> Session {
        let zone = record.timeZone ?? device.timeZone
        return Session(
            key: Session.Key(deviceID: deviceID, sessionID: record.id.text, startedAt: record.startedAt),
            endedAt: record.endedAt,
            clockOffset: clockOffset,
            localDay: LocalDay(of: record.endedAt.advanced(by: clockOffset), in: zone, startingAt: dayStart),
            zone: zone,
            activeMilliseconds: record.activeMs.value,
            cycles: record.cycles.value,
            goalMinutes: record.goalMinutes.flatMap { $0.value > 0 ? $0.value : nil },
            goalBonusXP: record.goalBonusXP?.value ?? 0,
            receivedAt: now
        )
    }

    func wasCleared(_ session: Session) -> Bool {
        if ledger.cleared.contains(session.key) { return true }
        return ledger.epochStartedAt.map { session.ended <= $0 } ?? false
    }

    private func judge(_ outcome: inout ItemOutcome) {
        guard let id = outcome.id, let startedAt = outcome.startedAt, outcome.outcome != .rejected else {
            return
        }
        let key = Session.Key(deviceID: deviceID, sessionID: id, startedAt: startedAt)
        guard let session = ledger.sessions[key], let judgement = ledger.judgements[key] else { return }
        if judgement.verdict != .sound {
            (outcome.outcome, outcome.reason) = (.quarantined, judgement.verdict.rawValue)
        } else if judgement.xp < session.xp {
            outcome.countedXP = judgement.xp
        }
    }

    private mutating func judge() {
        let began = arrived.compactMap { ledger.sessions[$0]?.began }
        arrived = []
        guard let first = began.min(), let last = began.max() else { return }
        ledger.judge(from: first, to: last, dayStart: dayStart)
    }

    mutating func pardon(_ session: Session) {
        ledger.sessions[session.key]?.isPardoned = true
        arrived.append(session.key)
        judge()
    }

    // MARK: Challenges

    /// - Parameter claims: the list is one of claims, each of which has an outcome.
    mutating func unite(_ items: [Item<ExtensionExport.ChallengeRecord>], claims: Bool = false) {
        for (index, item) in items.enumerated() {
            var outcome = ItemOutcome(.challengeClaims, index: index, outcome: .rejected)
            switch item {
            case .invalid(let field, let why):
                outcome = .invalid(.challengeClaims, index, field: field, why: why)
            case .valid(let record):
                outcome.id = record.id.text
                unite(record, completed: claims, into: &outcome)
            }
            if claims { outcomes.append(outcome) }
        }
    }

    private mutating func unite(
        _ record: ExtensionExport.ChallengeRecord,
        completed: Bool,
        into outcome: inout ItemOutcome
    ) {
        guard let challenge = DailyChallenge(record, deviceID: deviceID, completed: completed) else {
            let isDate = record.localDay != nil
            (outcome.reason, outcome.field) = ("invalidField", isDate ? "rewardXP" : "date")
            outcome.detail =
                isDate
                ? "must be at most \(DailyChallenge.largestReward)" : "must be a day such as 2026-11-24"
            return
        }
        guard !wasCleared(challenge) else {
            outcome.reason = "takenBeforeClear"
            return
        }
        outcome.outcome = unite(challenge) ? .accepted : .duplicate
        shownRewards += challenge.earnedXP
    }

    /// Whether that says anything new.
    @discardableResult
    mutating func unite(_ challenge: DailyChallenge) -> Bool {
        let known = ledger.challenges[challenge.key]
        let joined = known?.joined(with: challenge) ?? challenge
        ledger.challenges[challenge.key] = joined
        ledger.devices[challenge.key.deviceID]?.rewardXP += joined.earnedXP - (known?.earnedXP ?? 0)
        return joined != known
    }

    /// A challenge tells its day, not its hour: all of the clear's day are gone.
    private func wasCleared(_ challenge: DailyChallenge) -> Bool {
        let zone = ledger.devices[challenge.key.deviceID]?.zone ?? device.timeZone
        return ledger.epochStartedAt.map { challenge.localDay <= LocalDay(of: $0, in: zone) } ?? false
    }

    // MARK: The device

    /// The device as it is known, or as it introduces itself.
    var knownDevice: Device {
        ledger.devices[deviceID]
            ?? Device(
                id: deviceID,
                name: device.name.text,
                zone: device.timeZone,
                epoch: ledger.epoch,
                lastTakenAt: takenAt
            )
    }

    /// Remembers where it is and what it is called, if this is its newest word.
    mutating func meetDevice() {
        var known = knownDevice
        if takenAt >= known.lastTakenAt {
            (known.name, known.zone) = (device.name.text, device.timeZone)
            known.lastTakenAt = takenAt
        }
        known.clockOffset = clockOffset
        ledger.devices[deviceID] = known
    }

    /// - Parameters:
    ///   - claimed: what the device says it earned by itself.
    ///   - held: how much of that no session in the same export explains.
    ///   - carriesCleared: it shows practice from before the last clear.
    mutating func claim(_ claimed: Int, holding held: Int = 0, carriesCleared: Bool = false) {
        var device = knownDevice
        let carried = max(0, held - shownRewards)
        if device.epoch != ledger.epoch {
            // Known from before the clear, which another device chose.
            device.epoch = ledger.epoch
            (device.claimedXP, device.heldXP, device.carriedXP) = (0, 0, carried)
        }
        if device.carriedXP != nil || carriesCleared {
            device.carriedXP = min(device.carriedXP ?? carried, carried)
        }
        device.claimedXP = max(device.claimedXP, claimed)
        device.heldXP = max(device.heldXP, held)
        ledger.devices[deviceID] = device
    }

    /// The device has taken over what it was handed in this epoch: nothing from before is left on it.
    mutating func joinEpoch() {
        var device = knownDevice
        guard device.epoch != ledger.epoch || device.carriedXP != nil else { return }
        (device.epoch, device.carriedXP, device.claimedXP, device.heldXP) = (ledger.epoch, nil, 0, 0)
        ledger.devices[deviceID] = device
    }

    /// A device showed this total: a merge doesn't go below.
    mutating func raiseFloor(to totalXP: Int) {
        ledger.floorXP = max(ledger.floorXP, totalXP)
    }

    mutating func write(_ write: FieldWrite, syncVersion: Int) throws(FieldWrite.Unfit) {
        try write.apply(to: &ledger, syncVersion: syncVersion)
    }

    // MARK: Another account

    /// Both go on in the later of the two epochs, in which devices of either may be. Nothing is cleared by that:
    /// what one of them cleared is known one by one.
    mutating func absorb(epochOf other: Ledger) {
        ledger = ledger.moved(to: max(ledger.epoch, other.epoch))
        ledger.cleared.formUnion(other.cleared)
        ledger.epochStartedAt = ledger.epochStartedAt.flatMap { start in
            other.epochStartedAt.map { min(start, $0) }
        }
        ledger.detailFrom = [ledger.detailFrom, other.detailFrom].compactMap(\.self).max()
    }

    mutating func absorb(devicesOf other: Ledger) {
        for device in other.moved(to: ledger.epoch).devices.values {
            // What it brought comes with its sessions and challenges, but for those that were forgotten.
            let forgottenXP = device.sessionXP - other.possibleXP(of: device.id)
            if let known = ledger.devices[device.id] {
                var joined = known.joined(with: device, in: ledger.epoch)
                joined.sessionXP += max(0, forgottenXP - (known.sessionXP - ledger.possibleXP(of: device.id)))
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
    mutating func absorb(sessionsOf other: Ledger, sharingDevices: Bool) {
        absorb(forgottenDaysOf: other, sharingDevices: sharingDevices)
        var settled: Set<LocalDay> = []
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
        judge()
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

    /// Of each entry, what was written last; and all of them are news to whoever knew but one of the accounts.
    mutating func absorb(fieldsOf other: Ledger, syncVersion: Int) {
        ledger.fields.merge(other.fields) { $0.stamp < $1.stamp ? $1 : $0 }
        guard !other.fields.isEmpty else { return }
        ledger.fields = ledger.fields.mapValues {
            FieldEntry(value: $0.value, stamp: $0.stamp, syncVersion: syncVersion)
        }
    }

    // MARK: Clearing

    /// Whether anything of this device is there to be cleared.
    var hasSomethingToClear: Bool {
        let known = ledger.devices[deviceID]
        return (known?.epoch == ledger.epoch && known?.carriedXP == nil)
            || ledger.sessions.keys.contains { $0.deviceID == deviceID }
    }

    /// Clears for the whole person, on all devices, and begins a new epoch.
    mutating func clear() {
        ledger.epoch += 1
        ledger.epochStartedAt = takenAt
        ledger.floorXP = 0
        ledger.days = [:]
        ledger.judgements = [:]
        // Where the clear itself came late, others may have practised since.
        // What had arrived by then was cleared, whatever its clock said.
        let all = ledger.sessions.values
        let gone = all.filter { min($0.ended, $0.receivedAt) <= takenAt }
        ledger.cleared.formUnion(gone.map(\.key))
        for session in gone { ledger.sessions[session.key] = nil }
        for id in ledger.devices.keys {
            ledger.devices[id]?.sessionXP = 0
            ledger.devices[id]?.rewardXP = 0
        }
        ledger.challenges = ledger.challenges.filter { !wasCleared($0.value) }
        for challenge in ledger.challenges.values {
            ledger.devices[challenge.key.deviceID]?.rewardXP += challenge.earnedXP
        }
        arrived = Array(ledger.sessions.keys)
        judge()
    }

    /// The device itself begins again with nothing.
    mutating func beginAgain() {
        var device = knownDevice
        (device.name, device.zone) = (self.device.name.text, self.device.timeZone)
        (device.epoch, device.claimedXP, device.heldXP, device.carriedXP) = (ledger.epoch, 0, 0, nil)
        device.lastTakenAt = max(takenAt, device.lastTakenAt)
        ledger.devices[deviceID] = device
    }
}

extension DailyChallenge {
    /// The largest reward that the extension's formula can give at any level and
    /// target it offers is well below this.
    static let largestReward = 1000

    var earnedXP: Int { isCompleted ? rewardXP : 0 }

    fileprivate init?(_ record: ExtensionExport.ChallengeRecord, deviceID: String, completed: Bool) {
        guard let localDay = record.localDay, record.rewardXP.value <= Self.largestReward
        else { return nil }
        self.init(
            key: Key(deviceID: deviceID, challengeID: record.id.text),
            localDay: localDay,
            kind: record.type.text,
            target: record.target.value,
            rewardXP: record.rewardXP.value,
            isCompleted: completed || record.completed ?? false,
            isExpired: record.expired ?? false
        )
    }
}

extension ItemOutcome {
    fileprivate static func invalid(_ list: List, _ index: Int, field: String, why: String) -> ItemOutcome {
        ItemOutcome(list, index: index, outcome: .rejected, reason: "invalidField", field: field, detail: why)
    }
}
