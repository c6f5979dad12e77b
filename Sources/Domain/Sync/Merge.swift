/// An export on its way into a ledger.
package struct ExportSubmission: Decodable, Sendable {
    package struct DeviceDescription: Decodable, Sendable {
        package let id: Label
        package let name: Label
        package let timeZone: Zone
    }

    package let device: DeviceDescription
    package let takenAt: Instant
    package let export: ExtensionExport
}

/// What an export makes of a ledger. Pure: the caller brings the time, and
/// stores the difference.
///
/// Facts are united and claims are kept as maxima, so exports may arrive in any
/// order and any number of times; only the moment of a clear divides them.
package struct Merge: Sendable {
    package let ledger: Ledger
    package let totals: Totals
    package let receipt: [ReceiptEntry]
    package let sessions: [SessionOutcome]
    package let eligibility: Eligibility
    /// The moment that streaks are judged at: when the newest export was taken.
    package let asOf: Instant

    /// - Parameters:
    ///   - now: the server's clock. An export from the future was taken now.
    package init(_ submission: ExportSubmission, into before: Ledger, now: Instant) {
        let device = submission.device
        let takenAt = min(submission.takenAt, now)
        var draft = Draft(ledger: before, submission: submission, takenAt: takenAt, now: now)
        let step = draft.apply()

        let asOf = draft.ledger.devices.values.map(\.lastTakenAt).reduce(takenAt, max)
        let today = LocalDay(of: asOf, in: device.timeZone)
        let totalsBefore = Totals(of: before)
        let totals = Totals(of: draft.ledger)
        let eligibility = Eligibility(
            totals,
            asOf: takenAt,
            in: device.timeZone,
            wasEligible: before.eligibleAt != nil
        )
        if eligibility.eligible, draft.ledger.eligibleAt == nil {
            draft.ledger.eligibleAt = takenAt
        }
        self.ledger = draft.ledger
        self.totals = totals
        self.sessions = draft.outcomes
        self.receipt = Self.receipt(
            claims: submission.export.meditation,
            before: totalsBefore,
            after: totals,
            challenges: (before.completedChallenges, draft.ledger.completedChallenges),
            step: step,
            today: today
        )
        self.eligibility = eligibility
        self.asOf = asOf
    }

    private static func receipt(
        claims: ExtensionExport.Meditation,
        before: Totals,
        after: Totals,
        challenges: (before: Int, after: Int),
        step: Draft.Step,
        today: LocalDay
    ) -> [ReceiptEntry] {
        func entry(_ field: String, _ client: Int, _ server: Int, _ result: Int, _ rule: ReceiptEntry.Rule)
            -> ReceiptEntry
        {
            let rule: ReceiptEntry.Rule =
                switch step {
                case .united: rule
                case .cleared: .clearedByDevice
                case .refused: .takenBeforeClear
                }
            return ReceiptEntry(field: field, client: client, server: server, result: result, rule: rule)
        }
        return [
            entry(
                "totalXP",
                claims.totalXP.value,
                before.totalXP,
                after.totalXP,
                .sessionsAndRewardsAndLegacy
            ),
            entry(
                "currentLevel",
                Level(totalXP: claims.totalXP.value).number,
                before.level.number,
                after.level.number,
                .derivedFromXP
            ),
            entry(
                "currentStreak",
                claims.currentStreak.value,
                before.streaks.current(on: today),
                after.streaks.current(on: today),
                .derivedFromLocalDays
            ),
            entry(
                "longestStreak",
                claims.longestStreak.value,
                before.streaks.longest,
                after.streaks.longest,
                .derivedFromLocalDays
            ),
            entry(
                "totalSessions",
                claims.sessions?.count ?? 0,
                before.sessions.count,
                after.sessions.count,
                .derivedFromSessions
            ),
            entry(
                "totalMinutes",
                Int(claims.totalMeditationTime.value / 60_000),
                before.totalMinutes,
                after.totalMinutes,
                .derivedFromSessions
            ),
            entry(
                "challengeHistory",
                claims.completedChallenges,
                challenges.before,
                challenges.after,
                .union
            ),
        ]
    }
}

extension Ledger {
    fileprivate var completedChallenges: Int {
        challenges.values.count { $0.isCompleted }
    }
}

extension ExtensionExport.Meditation {
    fileprivate var completedChallenges: Int {
        (dailyChallenges ?? []).count { item in
            if case .valid(let challenge) = item { challenge.completed == true } else { false }
        }
    }
}

/// A ledger in the middle of taking up one export.
private struct Draft {
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

    init(ledger: Ledger, submission: ExportSubmission, takenAt: Instant, now: Instant) {
        self.ledger = ledger
        self.submission = submission
        self.takenAt = takenAt
        self.now = now
    }

    mutating func apply() -> Step {
        if let epochStart = ledger.epochStartedAt, takenAt < epochStart {
            outcomes = (meditation.sessions ?? []).indices.map {
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

    /// "Clear data" shows as a drop to zero with an emptied history. An older
    /// export that is simply late shows the same, but was taken before there was
    /// any practice to clear.
    private var isClear: Bool {
        guard meditation.totalXP.value == 0, (meditation.sessions ?? []).isEmpty,
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
            ledger.sessions = ledger.sessions.filter {
                min($0.value.endedAt, $0.value.receivedAt) > takenAt
            }
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
        for (index, item) in (meditation.sessions ?? []).enumerated() {
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
        if let epochStart = ledger.epochStartedAt, session.endedAt <= epochStart {
            return outcome(.rejected, "takenBeforeClear")
        }
        if let known = ledger.sessions[session.key] {
            return known.agrees(with: session) ? outcome(.duplicate) : outcome(.rejected, "differsFromStored")
        }
        ledger.sessions[session.key] = session
        return outcome(.accepted)
    }

    /// Challenges are read from the exports after the one that passed the gate:
    /// what it or an earlier one shows was not stored then and must not depend on
    /// a repeat.
    private mutating func uniteChallenges() {
        guard let eligibleAt = ledger.eligibleAt, takenAt > eligibleAt else { return }
        for case .valid(let record) in meditation.dailyChallenges ?? [] {
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
        let listed = (meditation.sessions ?? []).compactMap { item -> ExtensionExport.SessionRecord? in
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
