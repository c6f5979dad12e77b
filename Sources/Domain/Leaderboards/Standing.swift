/// One person's place-to-be in a period, before anybody compares it: what the
/// boards of that period may show, and when each value was reached.
package struct Standing: Hashable, Sendable {
    package struct Weekly: Hashable, Sendable {
        package let xp: Int
        /// The longest run of practised days inside the week, where travel breaks
        /// none: everyone starts each Monday alike.
        package let streak: Int
        package let minutes: Int
        package let practisedDays: Int
    }

    package struct AllTime: Hashable, Sendable {
        /// Of sessions that count: what a device claims beyond them is on no board.
        package let xp: Int
        package let longestStreak: Int
        package let sessions: Int
    }

    package let period: Period
    package let weekly: Weekly?
    package let allTime: AllTime?
    /// When the last session that counts here ended.
    package let lastSessionAt: Instant
    /// When the latest practised day was first practised.
    package let lastDayAt: Instant
    /// When the longest run of the week reached its length; no board shows that of all time.
    package let streakAt: Instant

    /// A standing for each week with practice, and one for all time. Legacy XP
    /// and challenge rewards are claims, so no board counts them.
    package static func all(of ledger: Ledger) -> [Standing] {
        of(ledger, in: Set(ledger.days.keys.map(Week.init(of:))))
    }

    /// Those of the given weeks that have practice, and the one for all time.
    package static func of(_ ledger: Ledger, in weeks: Set<Week>) -> [Standing] {
        let weekly = weeks.sorted().compactMap { week in
            Standing(
                period: .week(week),
                days: (0..<7).compactMap { ledger.days[week.monday.advanced(by: $0)] }
            )
        }
        let allTime = Standing(
            period: .allTime,
            days: Array(ledger.days.values),
            longestStreak: ledger.streaks.longest
        )
        return weekly + [allTime].compactMap(\.self)
    }

    /// Nil if there are no days.
    ///
    /// - Parameter longestStreak: of all time, with the days that were paused.
    private init?(period: Period, days: [PracticeDay], longestStreak: Int = 0) {
        let days = days.sorted { $0.day < $1.day }
        guard let lastSessionAt = days.map(\.lastEndedAt).max(), let last = days.last else { return nil }
        // As the person's own, but without pauses.
        let streaks = Streaks(days: days.lazy.map(\.streakDay), pausesFrom: nil)
        // The first day on which a run is as long as the longest gets.
        let record = period == .allTime ? last : days.first { streaks.current(on: $0.day) == streaks.longest }

        self.period = period
        switch period {
        case .week:
            weekly = Weekly(
                xp: days.reduce(0) { $0 + $1.xp },
                streak: streaks.longest,
                minutes: Int(days.reduce(0) { $0 + $1.activeMilliseconds } / 60_000),
                practisedDays: days.count
            )
            allTime = nil
        case .allTime:
            weekly = nil
            allTime = AllTime(
                xp: days.reduce(0) { $0 + $1.xp },
                longestStreak: longestStreak,
                sessions: days.reduce(0) { $0 + $1.sessions }
            )
        }
        self.lastSessionAt = lastSessionAt
        lastDayAt = last.firstEndedAt
        streakAt = record?.firstEndedAt ?? last.firstEndedAt
    }
}
