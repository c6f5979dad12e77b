/// A run of practised local days, with nothing between them but paused days and
/// days lost to travel.
package struct Streak: Hashable, Sendable {
    package let firstDay: LocalDay
    package let lastDay: LocalDay
    /// The practised days; a paused one keeps the streak but isn't one of them.
    package let length: Int
    /// The last day on which practice continues it: the day after its last, and
    /// one more for each day after it that a pause can cover.
    package let aliveThrough: LocalDay

    package func isAlive(on day: LocalDay) -> Bool {
        day <= aliveThrough
    }
}

/// What a streak needs to know of a practised day.
package struct StreakDay: Hashable, Sendable {
    package let day: LocalDay
    /// Whether the days since the practised one before were lost to travel.
    package let followsTravel: Bool

    package init(_ day: LocalDay, followsTravel: Bool = false) {
        self.day = day
        self.followsTravel = followsTravel
    }
}

/// Every run in a set of practised days.
///
/// A missed day is paused while its calendar month has a pause left, oldest days
/// first. Where pauses can't cover a whole gap, none is spent on it and the run
/// ends. So what is spent by some day never depends on what came after it.
package struct Streaks: Hashable, Sendable {
    package static let pausesPerMonth = 2

    /// A practised day, and how far its run had come by it.
    struct Mark: Hashable {
        let day: LocalDay
        let firstDay: LocalDay
        let length: Int
        let followsTravel: Bool
        /// How many of `pausedDays` come before the day.
        let pauses: Int
    }

    let marks: [Mark]
    /// The days between practised ones that pauses are spent on, in order.
    package let pausedDays: [LocalDay]
    /// The most practised days that two pauses a month can join, however spent: a
    /// late session may draw pauses to an earlier gap, but takes no record away.
    package let longest: Int
    private let pausesFrom: LocalDay?

    /// - Parameters:
    ///   - days: in any order; one that comes twice is one day.
    ///   - pausesFrom: the first day that can be paused, so that joining rewrites
    ///     no history; nil for no pauses at all.
    package init(days: some Sequence<StreakDay>, pausesFrom: LocalDay?) {
        let days = days.inOrder
        var marks: [Mark] = []
        var paused: [LocalDay] = []
        marks.reserveCapacity(days.count)
        for day in days {
            var run = marks.last
            if let last = run, !day.followsTravel {
                let pauses = Self.pauses(after: last.day, before: day.day, from: pausesFrom, spent: paused)
                if last.day.advanced(by: 1 + pauses.count) == day.day {
                    paused += pauses
                } else {
                    run = nil
                }
            }
            marks.append(
                Mark(
                    day: day.day,
                    firstDay: run?.firstDay ?? day.day,
                    length: (run?.length ?? 0) + 1,
                    followsTravel: day.followsTravel,
                    pauses: paused.count
                )
            )
        }
        self.marks = marks
        self.pausedDays = paused
        self.longest = Self.longest(of: days, pausesFrom: pausesFrom)
        self.pausesFrom = pausesFrom
    }

    /// The run of the last practised day, alive or not.
    package var newest: Streak? {
        marks.last.map(streak)
    }

    /// The streak that someone has on `today`; nil when the last one is over.
    /// Later days don't count: they hadn't happened yet.
    package func streak(on today: LocalDay) -> Streak? {
        guard let streak = mark(upTo: today).map(streak), streak.isAlive(on: today) else { return nil }
        return streak
    }

    package func current(on today: LocalDay) -> Int {
        streak(on: today)?.length ?? 0
    }

    /// The days that pauses hold together the streak of `today` on, those since
    /// the last practised day included. Today itself isn't missed before it ends.
    package func pausesSpent(on today: LocalDay) -> [LocalDay] {
        guard let mark = mark(upTo: today), let streak = streak(on: today) else { return [] }
        let between = pausedDays[..<mark.pauses].drop { $0 < streak.firstDay }
        return between + mark.day.daysMissed(before: today)
    }

    /// How many days of the month of `today` can still be paused. What a run has
    /// spent stays spent, although it ended.
    package func pausesLeft(on today: LocalDay) -> Int {
        guard let pausesFrom, pausesFrom <= today else { return 0 }
        let between = pausedDays[..<(mark(upTo: today)?.pauses ?? 0)]
        let spent = Set(between).union(pausesSpent(on: today))
        return Self.pausesPerMonth - spent.count { $0.month == today.month }
    }

    func mark(upTo day: LocalDay) -> Mark? {
        let index = index(after: day)
        return index > 0 ? marks[index - 1] : nil
    }

    func mark(after day: LocalDay) -> Mark? {
        let index = index(after: day)
        return index < marks.count ? marks[index] : nil
    }

    private func index(after day: LocalDay) -> Int {
        var (low, high) = (0, marks.count)
        while low < high {
            let middle = (low + high) / 2
            if marks[middle].day > day { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private func streak(_ mark: Mark) -> Streak {
        let pauses = Self.pauses(after: mark.day, from: pausesFrom, spent: pausedDays[..<mark.pauses])
        return Streak(
            firstDay: mark.firstDay,
            lastDay: mark.day,
            length: mark.length,
            aliveThrough: mark.day.advanced(by: 1 + pauses.count)
        )
    }

    /// The days after `last` that pauses can cover without a break, until `end`.
    /// - Parameter spent: on which days before, in order.
    private static func pauses(
        after last: LocalDay,
        before end: LocalDay? = nil,
        from pausesFrom: LocalDay?,
        spent: some BidirectionalCollection<LocalDay>
    ) -> [LocalDay] {
        var day = last.advanced(by: 1)
        guard let pausesFrom, pausesFrom <= day else { return [] }
        // No month has spent more, and the newest come last.
        var newest = Array(spent.suffix(pausesPerMonth))
        var pauses: [LocalDay] = []
        while end.map({ day < $0 }) ?? true,
            newest.suffix(pausesPerMonth).count(where: { $0.month == day.month }) < pausesPerMonth
        {
            newest.append(day)
            pauses.append(day)
            day = day.advanced(by: 1)
        }
        return pauses
    }

    /// A missed day that is one too many of its month moves the start of the
    /// stretch behind the gap with the oldest of them.
    private static func longest(of days: [StreakDay], pausesFrom: LocalDay?) -> Int {
        var (longest, start) = (0, 0)
        var missed: [(month: Int, next: Int)] = []
        for (index, day) in days.enumerated() {
            if index > 0, !day.followsTravel {
                var gap = days[index - 1].day.advanced(by: 1)
                while gap < day.day, start < index {
                    guard let pausesFrom, pausesFrom <= gap else {
                        start = index
                        break
                    }
                    if let oldest = missed.dropLast(pausesPerMonth - 1).last, oldest.month == gap.month {
                        start = max(start, oldest.next)
                    }
                    missed.append((gap.month, index))
                    gap = gap.advanced(by: 1)
                }
            }
            longest = max(longest, index - start + 1)
        }
        return longest
    }
}

extension LocalDay {
    func daysMissed(before later: LocalDay) -> [LocalDay] {
        let count = Int(later.daysSince1970) - Int(daysSince1970) - 1
        return count > 0 ? (1...count).map { advanced(by: $0) } : []
    }
}

extension Sequence<StreakDay> {
    /// Each day once. Of two that differ, the one that knows of travel holds.
    fileprivate var inOrder: [StreakDay] {
        sorted { $0.day < $1.day }.reduce(into: []) { days, day in
            guard let last = days.last, last.day == day.day else { return days.append(day) }
            days[days.count - 1] = StreakDay(
                day.day,
                followsTravel: last.followsTravel || day.followsTravel
            )
        }
    }
}
