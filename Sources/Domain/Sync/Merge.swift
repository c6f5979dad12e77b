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
    package let totalsBefore: Totals
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

        var totals = Totals(of: draft.ledger)
        let eligibility = Eligibility(
            totals,
            asOf: takenAt,
            in: device.timeZone,
            wasEligible: before.eligibleAt != nil
        )
        if eligibility.eligible, before.eligibleAt == nil {
            draft.passGate()
            totals = Totals(of: draft.ledger)
        }
        let asOf = draft.ledger.devices.values.map(\.lastTakenAt).reduce(takenAt, max)
        let today = LocalDay(of: asOf, in: device.timeZone)
        let totalsBefore = Totals(of: before)
        self.ledger = draft.ledger
        self.totalsBefore = totalsBefore
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
                claims.sessions?.all.count ?? 0,
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
        (dailyChallenges?.all ?? []).count { item in
            if case .valid(let challenge) = item { challenge.completed == true } else { false }
        }
    }
}
