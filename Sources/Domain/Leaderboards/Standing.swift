/// One person's place-to-be in a period, before anybody compares it: what the
/// boards of that period may show, and when each value was reached.
package struct Standing: Hashable, Sendable {
    package struct Weekly: Hashable, Sendable {
        package let xp: Int
        /// The longest run of practised days inside the week: everyone starts
        /// each Monday alike.
        package let streak: Int
        package let minutes: Int
        package let practisedDays: Int
    }

    package let period: Period
    package let weekly: Weekly?
    package let totalSessions: Int?
    /// When the last session that counts here ended.
    package let lastSessionAt: Instant
    /// When the latest practised day was first practised.
    package let lastDayAt: Instant
    /// When the longest run reached its length.
    package let streakAt: Instant

    /// A standing for each week with practice, and one for all time. Legacy XP
    /// and challenge rewards are claims, so no board counts them.
    package static func all(of totals: Totals) -> [Standing] {
        let weeks = Dictionary(grouping: totals.sessions) { Week(of: $0.localDay) }
        let weekly = weeks.sorted { $0.key < $1.key }.compactMap { week, sessions in
            Standing(period: .week(week), sessions: sessions)
        }
        return weekly + [Standing(period: .allTime, sessions: totals.sessions)].compactMap(\.self)
    }

    /// - Parameter sessions: in the order in which they ended; nil if there are none.
    private init?(period: Period, sessions: [Session]) {
        guard let last = sessions.last else { return nil }
        let firstOnDay = Dictionary(sessions.map { ($0.localDay, $0.endedAt) }) { first, _ in first }
        let days = firstOnDay.keys.sorted()
        let streaks = Streaks(days: days)
        // The first day on which a run is as long as the longest gets.
        let record = days.first { streaks.current(on: $0) == streaks.longest }

        self.period = period
        switch period {
        case .week:
            weekly = Weekly(
                xp: sessions.reduce(0) { $0 + $1.xp },
                streak: streaks.longest,
                minutes: Int(sessions.reduce(0) { $0 + $1.activeMilliseconds } / 60_000),
                practisedDays: days.count
            )
            totalSessions = nil
        case .allTime:
            weekly = nil
            totalSessions = sessions.count
        }
        lastSessionAt = last.endedAt
        lastDayAt = days.last.flatMap { firstOnDay[$0] } ?? last.endedAt
        streakAt = record.flatMap { firstOnDay[$0] } ?? last.endedAt
    }
}
