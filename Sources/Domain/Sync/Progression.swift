/// The fields that only the ledger decides.
enum Progression: String, CaseIterable {
    case totalXP
    case currentLevel
    case currentStreak
    case longestStreak
    case totalSessions
    case totalMinutes

    var rule: ReceiptEntry.Rule {
        switch self {
        case .totalXP: .sessionsAndRewardsAndLegacy
        case .currentLevel: .derivedFromXP
        case .currentStreak, .longestStreak: .derivedFromLocalDays
        case .totalSessions, .totalMinutes: .derivedFromSessions
        }
    }

    func value(in totals: Totals, on day: LocalDay) -> Int {
        switch self {
        case .totalXP: totals.totalXP
        case .currentLevel: totals.level.number
        case .currentStreak: totals.streaks.current(on: day)
        case .longestStreak: totals.streaks.longest
        case .totalSessions: totals.sessions
        case .totalMinutes: totals.totalMinutes
        }
    }

    func entry(
        client: JSONValue,
        before: Totals,
        after: Totals,
        on day: LocalDay,
        rule: ReceiptEntry.Rule? = nil
    ) -> ReceiptEntry {
        ReceiptEntry(
            rawValue,
            client: client,
            server: .integer(value(in: before, on: day)),
            result: .integer(value(in: after, on: day)),
            rule: rule ?? self.rule
        )
    }

    func entry(
        client: JSONValue,
        before: Totals,
        after: Totals,
        on day: LocalDay,
        step: Merge.Step
    ) -> ReceiptEntry {
        entry(client: client, before: before, after: after, on: day, rule: step.rule(rule))
    }
}

extension Merge.Step {
    /// What is told of a field for which `rule` stands otherwise.
    func rule(_ rule: ReceiptEntry.Rule) -> ReceiptEntry.Rule {
        switch self {
        case .united: rule
        case .cleared: .clearedByDevice
        case .refused: .takenBeforeClear
        }
    }
}
