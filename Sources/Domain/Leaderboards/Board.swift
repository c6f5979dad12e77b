/// Whom a leaderboard compares.
package enum Scope: String, Hashable, Sendable, Codable {
    case global
    case friends
    case company

    /// The metrics this scope may show (product brief, `sharedMetrics`). The
    /// database's views have no other columns; this list is for clear errors.
    package var metrics: [Metric] {
        switch self {
        case .global: [.weeklyXP, .weeklyStreak]
        case .friends: [.weeklyXP, .weeklyStreak, .totalSessions]
        case .company: [.weeklyMinutes, .weeklyConsistency, .teamChallengeParticipation]
        }
    }
}

/// What a leaderboard ranks by. `favoritePatterns` is shown beside a friend's
/// standing and can't be ranked.
package enum Metric: String, Hashable, Sendable, Codable {
    case weeklyXP
    case weeklyStreak
    case totalSessions
    case weeklyMinutes
    case weeklyConsistency
    case teamChallengeParticipation
}

/// The stretch of time that a standing covers.
package enum Period: Hashable, Sendable, CustomStringConvertible {
    case week(Week)
    case allTime

    package var description: String {
        switch self {
        case .week(let week): week.description
        case .allTime: "all-time"
        }
    }
}

/// What stands beside a person's value on the global board (product brief, `statsSharing`).
package enum StatsSharing: String, Sendable, Codable {
    /// Nothing.
    case minimal
    /// What else the week has.
    case standard
    /// All time too, where the person shows details at all and their name.
    case detailed
}
