/// Why a day counts for the streak, or doesn't: for `GET /v1/sync/days/{date}`.
package struct DayExplanation: Hashable, Sendable, Encodable {
    package enum Reason: String, Hashable, Sendable, Encodable {
        case practised
        /// A pause keeps the streak.
        case paused
        /// Left out by the clock on a journey across time zones.
        case travelled
        /// Without practice, and part of no streak.
        case rest
        /// Today, which isn't over yet.
        case open
        /// Before the first practice there is.
        case beforeFirst
        /// After today.
        case notYet
    }

    package let date: LocalDay
    /// Whether the streak is one longer for it.
    package let counts: Bool
    package let reason: Reason
    /// The length by this day, or today for a later one; 0 where there is none.
    package let streak: Int
    package let streakStartedOn: LocalDay?
    package let sessions: Int
    package let minutes: Int
    package let zones: [Zone]
    package let dayStartsAt: DayStart

    /// - Parameters:
    ///   - today: by the calendar; what happens later isn't known.
    ///   - streakToday: `PracticeDay.today(at:in:startingAt:)`, where travel makes
    ///     that another day.
    ///   - days: of which only that of the date has to be there.
    package init(
        of date: LocalDay,
        today: LocalDay,
        streakToday: LocalDay? = nil,
        in streaks: Streaks,
        days: some Sequence<PracticeDay>,
        dayStartsAt: DayStart = .midnight
    ) {
        let asOf = streakToday ?? today
        let reason = Reason(of: date, today: today, asOf: asOf, in: streaks)
        let practice = reason == .practised ? days.first { $0.day == date } : nil
        self.date = date
        self.counts = reason == .practised
        self.reason = reason
        switch reason {
        case .practised, .paused, .travelled:
            let mark = streaks.mark(upTo: date)
            (streak, streakStartedOn) = (mark?.length ?? 0, mark?.firstDay)
        case .open, .notYet:
            let current = streaks.streak(on: asOf)
            (streak, streakStartedOn) = (current?.length ?? 0, current?.firstDay)
        case .rest, .beforeFirst:
            (streak, streakStartedOn) = (0, nil)
        }
        self.sessions = practice?.sessions ?? 0
        self.minutes = Int((practice?.activeMilliseconds ?? 0) / 60_000)
        self.zones = practice?.zones ?? []
        self.dayStartsAt = dayStartsAt
    }
}

extension DayExplanation.Reason {
    fileprivate init(of date: LocalDay, today: LocalDay, asOf: LocalDay, in streaks: Streaks) {
        guard date <= max(today, asOf) else {
            self = .notYet
            return
        }
        let last = streaks.mark(upTo: date)
        if last?.day == date {
            self = .practised
        } else if date == today {
            self = .open
        } else if last == nil {
            self = .beforeFirst
        } else if let next = streaks.mark(after: date), next.day <= asOf {
            let isPaused = streaks.pausedDays.contains(date)
            self = next.followsTravel ? .travelled : isPaused ? .paused : .rest
        } else if date >= asOf {
            // The calendar has just run ahead of the streak.
            self = .travelled
        } else {
            self = streaks.pausesSpent(on: asOf).contains(date) ? .paused : .rest
        }
    }
}

extension PracticeDay {
    fileprivate var zones: [Zone] {
        firstZone == lastZone ? [firstZone] : [firstZone, lastZone]
    }
}
