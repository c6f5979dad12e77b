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
    /// A clock on a desk may be this far from ours.
    static let clockSkew = Duration.seconds(120)
    /// Nobody breathes by the clock for longer than a day.
    static let longestSession: Int64 = 86_400_000
    /// The extension measures activity and wall clock by separate ticks.
    static let tickSlack: Int64 = 1000

    /// Nor does one device go on for so long with always another session before one is over. Without an end, what
    /// becomes of the last would depend on all of them.
    static let longestChain = 3 * longestSession

    /// Judges the sessions of one device together: of two that overlap, the one
    /// that began first stands, unless it overlaps one that stands itself. In a chain
    /// of them what begins later than ``longestChain`` doesn't stand. Depends on the set
    /// alone, not on its order, and of that on what began within ``Ledger/reachAfter`` before.
    package static func verdicts(on sessions: some Sequence<Session>) -> [Session.Key: Verdict] {
        var verdicts: [Session.Key: Verdict] = [:]
        var chain = Chain()
        let inOrder = sessions.sorted {
            ($0.began, $0.key.sessionID, $0.key.startedAt) < ($1.began, $1.key.sessionID, $1.key.startedAt)
        }
        for session in inOrder {
            let verdict = verdict(on: session)
            verdicts[session.key] = verdict == .sound ? chain.add(session) : verdict
        }
        return verdicts
    }

    /// Sessions of one device each of which began before all those before it were over.
    private struct Chain {
        private var began = Instant(milliseconds: .min)
        /// The latest end of all of them, and of those that stand.
        private var (coveredUntil, busyUntil) = (Instant(milliseconds: .min), Instant(milliseconds: .min))

        /// What becomes of the next, which is possible by itself.
        mutating func add(_ session: Session) -> Verdict {
            // One that was pardoned may be longer than any other.
            let end = min(session.ended, session.began.advanced(by: longestSession))
            if session.began >= coveredUntil { began = session.began }
            coveredUntil = max(coveredUntil, end)
            let stands =
                session.isPardoned
                || session.began >= busyUntil && session.began < began.advanced(by: longestChain)
            if stands { busyUntil = max(busyUntil, end) }
            return stands ? .sound : .overlaps
        }
    }

    private static func verdict(on session: Session) -> Verdict {
        if session.isPardoned { return .sound }
        if session.ended > session.receivedAt + clockSkew { return .inTheFuture }
        if session.wallClock > longestSession { return .tooLong }
        if session.activeMilliseconds > session.wallClock + tickSlack { return .longerThanItsClock }
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

/// What two devices did at the same time counts once: at each moment, the session
/// that earned more a minute. So what counts is never less than what the device
/// with the most practice brought by itself.
enum Overlap {
    /// - Parameter others: the sound sessions that may have been going on meanwhile.
    static func judgement(on session: Session, beside others: some Sequence<Session>) -> Judgement {
        let wallClock = session.wallClock
        let covered = length(
            of: others.filter { precedes($0, session) }.map {
                (max($0.began, session.began), min($0.ended, session.ended))
            }
        )
        guard covered > 0, wallClock > 0 else {
            return Judgement(verdict: .sound, xp: session.xp, activeMilliseconds: session.activeMilliseconds)
        }
        let left = wallClock - covered
        return Judgement(
            verdict: .sound,
            // Rounded up, so that splitting a minute between two devices loses nothing.
            xp: Int((Int64(session.xp) * left + wallClock - 1) / wallClock),
            activeMilliseconds: session.activeMilliseconds * left / wallClock
        )
    }

    /// Whether `one` counts for the time that it shares with `other`.
    private static func precedes(_ one: Session, _ other: Session) -> Bool {
        guard one.key != other.key, one.began < other.ended, other.began < one.ended else { return false }
        // Both earn less than 2^32 and last less than 2^27 milliseconds.
        let (pace, otherPace) = (Int64(one.xp) * other.wallClock, Int64(other.xp) * one.wallClock)
        if pace != otherPace { return pace > otherPace }
        return (one.began, one.key.deviceID, one.key.sessionID) < (
            other.began, other.key.deviceID, other.key.sessionID
        )
    }

    /// Milliseconds that the intervals cover together.
    private static func length(of intervals: [(from: Instant, to: Instant)]) -> Int64 {
        var (covered, reached) = (Int64(0), Instant(milliseconds: .min))
        for interval in intervals.sorted(by: { $0.from < $1.from }) where interval.to > reached {
            covered += interval.to.milliseconds - max(interval.from, reached).milliseconds
            reached = interval.to
        }
        return covered
    }
}
