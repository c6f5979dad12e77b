import Testing

@testable import Domain

struct `Streaks of local days` {
    private func streaks(_ days: Int...) -> Streaks {
        Streaks(days: days.map { LocalDay(daysSince1970: Int32($0)) })
    }

    @Test func `nobody has a streak without practice`() {
        let none = streaks()
        #expect(none.longest == 0)
        #expect(none.newest == nil)
        #expect(none.current(on: LocalDay(daysSince1970: 10)) == 0)
    }

    @Test func `the longest run counts, wherever it lies and in whatever order its days come`() {
        #expect(streaks(14, 3, 1, 2, 10, 11, 4).longest == 4)
        let newest = streaks(14, 3, 1, 2, 10, 11, 4).newest
        #expect(newest?.length == 1)
        #expect(newest?.lastDay == LocalDay(daysSince1970: 14))
    }

    @Test func `a day practised twice is one day`() {
        #expect(streaks(1, 1, 2, 2, 2).longest == 2)
    }

    @Test func `a run goes on across the end of a month and of a year`() {
        let days = [
            LocalDay(year: 2027, month: 12, day: 31), LocalDay(year: 2028, month: 1, day: 1),
            LocalDay(year: 2028, month: 2, day: 28), LocalDay(year: 2028, month: 2, day: 29),
            LocalDay(year: 2028, month: 3, day: 1),
        ]
        #expect(Streaks(days: days.prefix(2)).longest == 2)
        #expect(Streaks(days: days).longest == 3)
    }

    /// Practice on days 1, 2, 3 and again on 6 and 7.
    @Test(arguments: [(0, 0), (1, 1), (2, 2), (3, 3), (4, 3), (5, 0), (6, 1), (7, 2), (8, 2), (9, 0)])
    func `a streak lives until the end of the next day, and later days don't count yet`(
        _ day: Int32,
        _ length: Int
    ) {
        #expect(streaks(1, 2, 3, 6, 7).current(on: LocalDay(daysSince1970: day)) == length)
        let newest = streaks(1, 2, 3, 6, 7).newest
        #expect(newest?.isAlive(on: LocalDay(daysSince1970: day)) == (day <= 8))
    }
}
