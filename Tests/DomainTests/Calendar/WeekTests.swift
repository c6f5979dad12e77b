import Domain
import Testing

struct `An ISO week` {
    @Test(arguments: [
        ("2020-W53", 2020, 12, 28), ("2020-W53", 2021, 1, 3), ("2021-W01", 2021, 1, 4),
        ("2021-W52", 2022, 1, 2),
        ("2026-W47", 2026, 11, 16), ("2026-W47", 2026, 11, 22), ("2026-W48", 2026, 11, 23),
        ("2018-W01", 2018, 1, 1), ("2017-W52", 2017, 12, 31), ("2019-W01", 2018, 12, 31),
        ("2009-W53", 2010, 1, 3),
        ("2008-W01", 2007, 12, 31), ("2025-W01", 2024, 12, 30), ("2026-W53", 2027, 1, 3),
        ("2027-W01", 2027, 1, 4),
    ])
    func `belongs to the year of its Thursday`(_ week: String, _ year: Int, _ month: Int, _ day: Int) {
        #expect("\(Week(of: LocalDay(year: year, month: month, day: day)))" == week)
    }

    @Test func `runs from Monday to Sunday`() {
        let monday = LocalDay(year: 2026, month: 11, day: 16)
        let days = (-1...7).map { Week(of: monday.advanced(by: $0)) }
        #expect(Set(days[1...7]).map(\.monday) == [monday])
        #expect(days[0] < days[1])
        #expect(days[8] > days[7])
    }

    @Test func `is read from what it is written as, for every week from 2000 to 2100`() {
        let first = Week(of: LocalDay(year: 2000, month: 1, day: 3))
        for number in 0..<5270 {
            let week = Week(of: first.monday.advanced(by: number * 7))
            guard Week("\(week)") == week else {
                Issue.record("\(week) is not read")
                return
            }
        }
        #expect("\(Week(of: first.monday.advanced(by: 5269 * 7)))" == "2100-W52")
    }

    @Test(arguments: [
        "", "2026", "2026-47", "2026-W", "2026-W7", "2026-W00", "2026-W54", "2021-W53", "2026-W047", "26-W07",
        "2026-w47", "2026-W47 ", "2026-W-1", "2026-W+7", "+026-W07", "2026-W47-1", "all-time",
    ])
    func `that the year doesn't have is none`(_ text: String) {
        #expect(Week(text) == nil)
    }
}
