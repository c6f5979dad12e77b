/// What the practice's own physics says of a session. Anything but `sound` is
/// quarantined: kept in the person's history, left out of boards and counts; what
/// XP it brought is legacy at most.
package enum Verdict: String, Hashable, Sendable, Codable {
    case sound
    case tooManyCycles
    case longerThanItsClock
    case tooLong
    case inTheFuture
    case bonusTooLarge
    case overlaps

    /// Whether the session is sound by itself. An overlap is no fault of its own
    /// and depends on what else has arrived, so totals must not depend on it.
    var isPossible: Bool {
        self == .sound || self == .overlaps
    }
}

/// The physics: limits that no honest practice can cross.
package enum Plausibility {
    /// The fastest pattern that the extension can be set to, 1-0-1-0 seconds.
    static let fastestCycle: Int64 = 2000
    /// A clock on a desk may be this far ahead of ours.
    static let clockSkew = Duration.seconds(120)
    /// Nobody breathes by the clock for longer than a day.
    static let longestSession: Int64 = 86_400_000
    /// The extension measures activity and wall clock by separate ticks.
    static let tickSlack: Int64 = 1000

    /// Judges the sessions of one device together: of two that overlap, the one
    /// that started first stands. Depends on the set alone, not on its order.
    package static func verdicts(on sessions: some Sequence<Session>) -> [Session.Key: Verdict] {
        var verdicts: [Session.Key: Verdict] = [:]
        var busyUntil: Instant?
        let inOrder = sessions.sorted {
            ($0.key.startedAt, $0.key.sessionID) < ($1.key.startedAt, $1.key.sessionID)
        }
        for session in inOrder {
            var verdict = verdict(on: session)
            if verdict == .sound {
                if let busyUntil, session.key.startedAt < busyUntil {
                    verdict = .overlaps
                } else {
                    busyUntil = session.endedAt
                }
            }
            verdicts[session.key] = verdict
        }
        return verdicts
    }

    private static func verdict(on session: Session) -> Verdict {
        let wallClock = session.endedAt.milliseconds - session.key.startedAt.milliseconds
        if session.endedAt > session.receivedAt + clockSkew { return .inTheFuture }
        if wallClock > longestSession { return .tooLong }
        if session.activeMilliseconds > wallClock + tickSlack { return .longerThanItsClock }
        if Int64(session.cycles) * fastestCycle > session.activeMilliseconds { return .tooManyCycles }
        if session.goalBonusXP > goalBonus(for: session) { return .bonusTooLarge }
        return .sound
    }

    /// The extension's own rule: half an XP for each minute of the goal, in the
    /// proportion in which it was reached. Its largest goal is 40 minutes.
    private static func goalBonus(for session: Session) -> Int {
        guard let goal = session.goalMinutes else { return 0 }
        let minutes = Double(min(goal, 40))
        let reached = min(1, Double(session.activeMilliseconds) / (minutes * 60_000))
        return Int((reached * minutes * 0.5).rounded(.toNearestOrAwayFromZero))
    }
}
