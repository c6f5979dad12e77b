/// A ledger in the middle of taking up one export.
struct Draft {
    enum Step {
        case united
        case cleared
        case refused
    }

    var ledger: Ledger
    var outcomes: [SessionOutcome] = []
    /// What the completed challenges of this export are worth.
    private var shownRewards = 0
    let submission: ExportSubmission
    let takenAt: Instant
    let now: Instant

    private var deviceID: String { submission.device.id.text }
    private var meditation: ExtensionExport.Meditation { submission.export.meditation }
    private var listedSessions: [Item<ExtensionExport.SessionRecord>] { meditation.sessions?.all ?? [] }

    init(ledger: Ledger, submission: ExportSubmission, takenAt: Instant, now: Instant) {
        self.ledger = ledger
        self.submission = submission
        self.takenAt = takenAt
        self.now = now
    }

    mutating func apply() -> Step {
        if let epochStart = ledger.epochStartedAt, takenAt < epochStart {
            outcomes = listedSessions.indices.map {
                SessionOutcome(index: $0, outcome: .rejected, reason: "takenBeforeClear")
            }
            return .refused
        }
        if isClear {
            clear()
            return .cleared
        }
        uniteSessions()
        uniteChallenges()
        uniteClaims()
        return .united
    }

    /// The gate is passed by this export.
    mutating func passGate() {
        ledger.eligibleAt = takenAt
        uniteChallenges()
    }

    /// "Clear data" shows as a drop to zero with an emptied history. An older
    /// export that is simply late shows the same, but was taken before there was
    /// any practice to clear.
    private var isClear: Bool {
        guard meditation.totalXP.value == 0, listedSessions.isEmpty,
            let device = ledger.devices[deviceID]
        else { return false }
        if takenAt > device.lastTakenAt {
            return device.claimedXP > 0 || ledger.sessions.keys.contains { $0.deviceID == deviceID }
        }
        return ledger.sessions.values.contains { $0.key.deviceID == deviceID && $0.endedAt <= takenAt }
    }

    /// Clears for the whole person, on all devices. Where this device only still
    /// showed what another had cleared already, it just stops showing it.
    private mutating func clear() {
        let known = ledger.devices[deviceID]
        let hasClaims = known?.epoch == ledger.epoch && known?.carriedXP == nil
        if hasClaims || ledger.sessions.keys.contains(where: { $0.deviceID == deviceID }) {
            ledger.epoch += 1
            ledger.epochStartedAt = takenAt
            // Where the clear itself came late, others may have practised since.
            // What had arrived by then was cleared, whatever its clock said.
            let (kept, gone) = ledger.sessions.values.partitioned {
                min($0.endedAt, $0.receivedAt) > takenAt
            }
            ledger.sessions = Dictionary(kept.map { ($0.key, $0) }) { first, _ in first }
            ledger.cleared.formUnion(gone.filter { $0.endedAt > takenAt }.map(\.key))
            ledger.challenges = ledger.challenges.filter { key, challenge in
                !wasCleared(challenge, in: ledger.devices[key.deviceID]?.zone ?? submission.device.timeZone)
            }
        }
        ledger.devices[deviceID] = Device(
            id: deviceID,
            name: submission.device.name.text,
            zone: submission.device.timeZone,
            epoch: ledger.epoch,
            lastTakenAt: max(takenAt, known?.lastTakenAt ?? takenAt)
        )
    }

    /// A challenge tells its day, not its hour: all of the clear's day are gone.
    private func wasCleared(_ challenge: DailyChallenge, in zone: Zone) -> Bool {
        ledger.epochStartedAt.map { challenge.localDay <= LocalDay(of: $0, in: zone) } ?? false
    }

    private mutating func uniteSessions() {
        for (index, item) in listedSessions.enumerated() {
            switch item {
            case .invalid(let field, let why):
                outcomes.append(
                    SessionOutcome(
                        index: index,
                        outcome: .rejected,
                        reason: "invalidField",
                        field: field,
                        detail: why
                    )
                )
            case .valid(let record):
                outcomes.append(unite(record, at: index))
            }
        }
        // A session is judged beside all the others of its device, so only now.
        let verdicts = ledger.verdicts
        outcomes = outcomes.map { outcome in
            guard let id = outcome.id, let startedAt = outcome.startedAt, outcome.outcome != .rejected,
                let verdict = verdicts[Session.Key(deviceID: deviceID, sessionID: id, startedAt: startedAt)],
                verdict != .sound
            else { return outcome }
            return SessionOutcome(
                index: outcome.index,
                id: id,
                startedAt: startedAt,
                outcome: .quarantined,
                reason: verdict.rawValue
            )
        }
    }

    private mutating func unite(_ record: ExtensionExport.SessionRecord, at index: Int) -> SessionOutcome {
        func outcome(_ outcome: SessionOutcome.Outcome, _ reason: String? = nil, field: String? = nil)
            -> SessionOutcome
        {
            SessionOutcome(
                index: index,
                id: record.id.text,
                startedAt: record.startedAt,
                outcome: outcome,
                reason: reason,
                field: field
            )
        }
        let session = Session(record, deviceID: deviceID, zone: submission.device.timeZone, receivedAt: now)
        if session.endedAt < session.key.startedAt {
            return outcome(.rejected, "endsBeforeItStarts", field: "endedAt")
        }
        if let epochStart = ledger.epochStartedAt,
            session.endedAt <= epochStart || ledger.cleared.contains(session.key)
        {
            return outcome(.rejected, "takenBeforeClear")
        }
        if let known = ledger.sessions[session.key] {
            return known.agrees(with: session) ? outcome(.duplicate) : outcome(.rejected, "differsFromStored")
        }
        ledger.sessions[session.key] = session
        return outcome(.accepted)
    }

    /// Challenges are read from the export that passed the gate and those taken
    /// later: what an earlier one shows was not stored then, and must not depend
    /// on a repeat.
    private mutating func uniteChallenges() {
        guard let eligibleAt = ledger.eligibleAt, takenAt >= eligibleAt else { return }
        for case .valid(let record) in meditation.dailyChallenges?.all ?? [] {
            guard let challenge = DailyChallenge(record, deviceID: deviceID),
                !wasCleared(challenge, in: submission.device.timeZone)
            else { continue }
            ledger.challenges[challenge.key] =
                ledger.challenges[challenge.key]?.joined(with: challenge) ?? challenge
            shownRewards += challenge.isCompleted ? challenge.rewardXP : 0
        }
    }

    private mutating func uniteClaims() {
        let claimed = meditation.totalXP.value
        let verdicts = ledger.verdicts
        let listed = listedSessions.compactMap { item -> ExtensionExport.SessionRecord? in
            if case .valid(let record) = item { record } else { nil }
        }
        let explained = listed.reduce(0) { sum, record in
            let session = Session(
                record,
                deviceID: deviceID,
                zone: submission.device.timeZone,
                receivedAt: now
            )
            let counts = ledger.sessions[session.key] == nil || verdicts[session.key]?.isPossible == true
            return sum + (counts ? session.xp : 0)
        }
        let held = max(0, claimed - explained)
        let carried = max(0, held - shownRewards)
        let showsClearedPractice =
            ledger.epochStartedAt.map { start in listed.contains { $0.endedAt <= start } } ?? false

        var device =
            ledger.devices[deviceID]
            ?? Device(
                id: deviceID,
                name: submission.device.name.text,
                zone: submission.device.timeZone,
                epoch: ledger.epoch,
                lastTakenAt: takenAt
            )
        if device.epoch != ledger.epoch {
            // Known from before the clear, which another device chose.
            device.epoch = ledger.epoch
            (device.claimedXP, device.heldXP, device.carriedXP) = (0, 0, carried)
        }
        if device.carriedXP != nil || showsClearedPractice {
            device.carriedXP = min(device.carriedXP ?? carried, carried)
        }
        device.claimedXP = max(device.claimedXP, claimed)
        device.heldXP = max(device.heldXP, held)
        if takenAt >= device.lastTakenAt {
            (device.name, device.zone) = (submission.device.name.text, submission.device.timeZone)
            device.lastTakenAt = takenAt
        }
        ledger.devices[deviceID] = device
    }
}

extension Session {
    fileprivate init(
        _ record: ExtensionExport.SessionRecord,
        deviceID: String,
        zone: Zone,
        receivedAt: Instant
    ) {
        self.init(
            key: Key(deviceID: deviceID, sessionID: record.id.text, startedAt: record.startedAt),
            endedAt: record.endedAt,
            localDay: LocalDay(of: record.endedAt, in: zone),
            activeMilliseconds: record.activeMs.value,
            cycles: record.cycles.value,
            goalMinutes: record.goalMinutes.flatMap { $0.value > 0 ? $0.value : nil },
            goalBonusXP: record.goalBonusXP?.value ?? 0,
            receivedAt: receivedAt
        )
    }
}

extension DailyChallenge {
    /// The largest reward that the extension's formula can give at any level and
    /// target it offers is well below this.
    private static let largestReward = 1000

    fileprivate init?(_ record: ExtensionExport.ChallengeRecord, deviceID: String) {
        guard let localDay = LocalDay(dateString: record.date), record.rewardXP.value <= Self.largestReward
        else {
            return nil
        }
        self.init(
            key: Key(deviceID: deviceID, challengeID: record.id.text),
            localDay: localDay,
            kind: record.type.text,
            target: record.target.value,
            rewardXP: record.rewardXP.value,
            isCompleted: record.completed ?? false,
            isExpired: record.expired ?? false
        )
    }
}

extension Sequence {
    /// Those for which `condition` holds, and the others.
    fileprivate func partitioned(by condition: (Element) -> Bool) -> ([Element], [Element]) {
        reduce(into: ([], [])) { parts, element in
            if condition(element) { parts.0.append(element) } else { parts.1.append(element) }
        }
    }
}
