/// A week of the boards. It runs, then it waits for those who were offline, then it is
/// final: its ranks are history, and no session that arrives later moves them.
package struct Season: Hashable, Sendable {
    package enum State: String, Sendable, Encodable {
        case open
        case grace
        case final
    }

    /// How long a season waits after it has ended everywhere.
    package static let grace = Duration.seconds(72 * 3600)

    package let week: Week

    package init(_ week: Week) {
        self.week = week
    }

    /// Its Monday begins nowhere earlier: midnight at UTC+14.
    package var startsAt: Instant {
        Instant(milliseconds: Self.milliseconds(at: week.monday) - 14 * 3_600_000)
    }

    /// Its Sunday ends nowhere later: at UTC-12, for those whose day begins at the latest
    /// hour that there is. That is Monday, 18:00 UTC.
    package var endsAt: Instant {
        let hours = 12 + Int64(DayStart.latest.hour)
        return Instant(
            milliseconds: Self.milliseconds(at: week.monday.advanced(by: 7)) + hours * 3_600_000
        )
    }

    /// From when on it may be closed.
    package var finalAt: Instant { endsAt + Self.grace }

    /// - Parameter isFinalised: whether it was closed and all its ranks are written, which
    ///   happens soon after `finalAt`. Until then somebody may come or go.
    package func state(at now: Instant, isFinalised: Bool) -> State {
        if isFinalised { return .final }
        return now < endsAt ? .open : .grace
    }

    private static func milliseconds(at day: LocalDay) -> Int64 {
        Int64(day.daysSince1970) * 86_400_000
    }
}

extension Period {
    /// Nil for all time, which is no season.
    package var season: Season? {
        switch self {
        case .week(let week): Season(week)
        case .allTime: nil
        }
    }
}

extension Season {
    /// The latest seasons that have begun somewhere, the newest first.
    package static func latest(_ count: Int, at now: Instant) -> [Season] {
        // Somewhere tomorrow has begun, and nowhere the day after.
        let tomorrow = Week(of: LocalDay(of: now, in: .utc).advanced(by: 1))
        return (0...count)
            .map { Season(Week(of: tomorrow.monday.advanced(by: -7 * $0))) }
            .filter { $0.startsAt <= now }
            .prefix(count)
            .map(\.self)
    }

    /// Every season whose time is over, from the first that anybody can have practised in.
    package static func over(at now: Instant) -> [Season] {
        let first = Week(of: LocalDay(year: 1999, month: 12, day: 31)).monday
        let last = Week(of: LocalDay(of: now, in: .utc)).monday
        return stride(from: first.daysSince1970, through: last.daysSince1970, by: 7)
            .map { Season(Week(of: LocalDay(daysSince1970: $0))) }
            .filter { $0.finalAt <= now }
    }
}
