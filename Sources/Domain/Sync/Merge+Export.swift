extension Merge {
    /// - Parameters:
    ///   - base: what the device was handed in the answer that the export's total contains; nil if that
    ///     answer isn't known any more.
    ///   - deviceClock: what the device's clock showed when it sent the export; nil if it didn't say.
    ///   - now: the server's clock. An export from the future was taken now.
    package init(
        _ submission: ExportSubmission,
        into before: Ledger,
        base: Hand? = .nothing,
        dayStart: DayStart = .midnight,
        deviceClock: Instant? = nil,
        now: Instant
    ) {
        let known = before.devices[submission.device.id.text]?.clockOffset ?? 0
        let clockOffset = Self.clockOffset(of: deviceClock, known: known, now: now)
        let takenAt = min(submission.takenAt.advanced(by: clockOffset), now)
        var draft = Draft(
            ledger: before,
            device: submission.device,
            dayStart: dayStart,
            takenAt: takenAt,
            now: now,
            clockOffset: clockOffset
        )
        let step = draft.apply(submission.export.meditation, base: base)
        let eligibility = Eligibility(
            Totals(of: draft.ledger),
            firstSessionAt: draft.ledger.firstSessionAt,
            asOf: takenAt,
            on: draft.ledger.streakToday(at: takenAt, in: submission.device.timeZone, startingAt: dayStart),
            wasEligible: before.eligibleAt != nil
        )
        if eligibility.eligible, before.eligibleAt == nil {
            draft.passGate(at: takenAt)
            draft.unite(submission.export.meditation.dailyChallenges?.all ?? [])
        }
        let asOf = draft.ledger.devices.values.map(\.lastTakenAt).reduce(takenAt, max)
        let challenges = (before.completedChallenges, draft.ledger.completedChallenges)
        let today = draft.ledger.streakToday(
            at: asOf,
            in: submission.device.timeZone,
            startingAt: dayStart
        )
        self.init(draft, over: before, asOf: asOf, eligibility: eligibility) { before, after in
            Self.receipt(
                submission.export.meditation,
                before: before,
                after: after,
                challenges: challenges,
                step: step,
                today: today
            )
        }
    }

    private static func receipt(
        _ claims: ExtensionExport.Meditation,
        before: Totals,
        after: Totals,
        challenges: (before: Int, after: Int),
        step: Step,
        today: LocalDay
    ) -> [ReceiptEntry] {
        let progression = [
            Progression.totalXP: claims.totalXP.value,
            .currentLevel: Level(totalXP: claims.totalXP.value).number,
            .currentStreak: claims.currentStreak.value,
            .longestStreak: claims.longestStreak.value,
            .totalSessions: claims.sessions?.all.count ?? 0,
            .totalMinutes: Int(claims.totalMeditationTime.value / 60_000),
        ]
        let entries = Progression.allCases.map { field in
            field.entry(
                client: progression[field].map { .integer($0) } ?? .null,
                before: before,
                after: after,
                on: today,
                step: step
            )
        }
        return entries + [
            ReceiptEntry(
                "challengeHistory",
                client: .integer(claims.completedChallenges),
                server: .integer(challenges.before),
                result: .integer(challenges.after),
                rule: step.rule(.union)
            )
        ]
    }
}

extension Draft {
    fileprivate mutating func apply(_ meditation: ExtensionExport.Meditation, base: Hand?) -> Merge.Step {
        let sessions = meditation.sessions?.all ?? []
        if let epochStart = ledger.epochStartedAt, takenAt < epochStart {
            refuse(sessions)
            return .refused
        }
        if isClear(meditation) {
            // Where this device only still showed what another had cleared already, it just stops showing it.
            if hasSomethingToClear { clear() }
            beginAgain()
            return .cleared
        }
        meetDevice()
        unite(sessions)
        // Challenges are read from the export that passed the gate and those taken later: what an earlier
        // one shows was not stored then, and must not depend on a repeat.
        if let eligibleAt = ledger.eligibleAt, takenAt >= eligibleAt {
            unite(meditation.dailyChallenges?.all ?? [])
        }
        uniteClaims(of: meditation, base: base)
        return .united
    }

    /// "Clear data" shows as a drop to zero with an emptied history. An older
    /// export that is simply late shows the same, but was taken before there was
    /// any practice to clear.
    private func isClear(_ meditation: ExtensionExport.Meditation) -> Bool {
        guard meditation.totalXP.value == 0, meditation.sessions?.all.isEmpty ?? true,
            let device = ledger.devices[deviceID],
            // What others practised since couldn't be told from what it clears.
            ledger.detailFrom.map({ LocalDay(of: takenAt, in: .utc) >= $0 }) ?? true
        else { return false }
        if takenAt > device.lastTakenAt {
            return device.claimedXP > 0 || device.sessionXP > 0
                || ledger.sessions.keys.contains { $0.deviceID == deviceID }
        }
        return ledger.sessions.values.contains { $0.key.deviceID == deviceID && $0.ended <= takenAt }
    }

    private mutating func uniteClaims(of meditation: ExtensionExport.Meditation, base: Hand?) {
        let listed = (meditation.sessions?.all ?? []).compactMap { item -> Session? in
            if case .valid(let record) = item { session(of: record) } else { nil }
        }
        let showsCleared =
            ledger.epochStartedAt.map { start in listed.contains { $0.ended <= start } } ?? false
        let total = meditation.totalXP.value
        if let base {
            let claimed = base.earned(claiming: total)
            let explained = listed.reduce(0) { sum, session in
                let verdict = ledger.judgements[session.key]?.verdict
                let counts = ledger.sessions[session.key] == nil || verdict?.isPossible == true
                return sum + (counts ? session.xp : 0)
            }
            claim(claimed, holding: max(0, claimed - explained), carriesCleared: showsCleared)
        }
        if knownDevice.epoch == ledger.epoch, knownDevice.carriedXP == nil { raiseFloor(to: total) }
    }
}

extension Ledger {
    fileprivate var completedChallenges: Int {
        challenges.values.count { $0.isCompleted }
    }

    /// When the first sound session began, of those that are here; of those that were forgotten, when the first
    /// ended.
    var firstSessionAt: Instant? {
        let began = sessions.values.filter { judgements[$0.key]?.verdict == .sound }.map(\.began)
        return (began + (detailFrom == nil ? [] : days.values.map(\.firstEndedAt))).min()
    }
}

extension ExtensionExport.Meditation {
    fileprivate var completedChallenges: Int {
        (dailyChallenges?.all ?? []).count { item in
            if case .valid(let challenge) = item { challenge.completed == true } else { false }
        }
    }
}
