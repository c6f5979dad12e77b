import Testing

@testable import Domain

struct `A local day` {
    @Test(arguments: [
        // Auckland: 12 hours ahead until 02:00 on 28 September 2025, then 13.
        ("Pacific/Auckland", "2025-09-27T11:59:59.999Z", "2025-09-27"),
        ("Pacific/Auckland", "2025-09-27T12:00:00Z", "2025-09-28"),
        ("Pacific/Auckland", "2025-09-28T10:59:59Z", "2025-09-28"),
        ("Pacific/Auckland", "2025-09-28T11:00:00Z", "2025-09-29"),
        // And back to 12 at 03:00 on 5 April 2026.
        ("Pacific/Auckland", "2026-04-04T11:00:00Z", "2026-04-05"),
        ("Pacific/Auckland", "2026-04-05T11:59:59Z", "2026-04-05"),
        ("Pacific/Auckland", "2026-04-05T12:00:00Z", "2026-04-06"),
        // Lord Howe: 10½ hours ahead, 11 in summer: DST is half an hour.
        ("Australia/Lord_Howe", "2025-10-04T13:29:59Z", "2025-10-04"),
        ("Australia/Lord_Howe", "2025-10-04T13:30:00Z", "2025-10-05"),
        ("Australia/Lord_Howe", "2025-10-05T12:59:59Z", "2025-10-05"),
        ("Australia/Lord_Howe", "2025-10-05T13:00:00Z", "2025-10-06"),
        // Kolkata: 5½ hours ahead, always, under both of its names.
        ("Asia/Kolkata", "2026-01-01T18:29:59Z", "2026-01-01"),
        ("Asia/Kolkata", "2026-01-01T18:30:00Z", "2026-01-02"),
        ("Asia/Calcutta", "2026-07-01T18:30:00Z", "2026-07-02"),
        // Los Angeles: 8 hours behind until 02:00 on 8 March 2026, then 7.
        ("America/Los_Angeles", "2026-03-08T07:59:59Z", "2026-03-07"),
        ("America/Los_Angeles", "2026-03-08T08:00:00Z", "2026-03-08"),
        ("America/Los_Angeles", "2026-03-09T06:59:59Z", "2026-03-08"),
        ("America/Los_Angeles", "2026-03-09T07:00:00Z", "2026-03-09"),
        // Apia crossed the date line: 29 December 2011 was followed by the 31st.
        ("Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29"),
        ("Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31"),
        ("UTC", "2026-03-08T23:59:59.999Z", "2026-03-08"),
        ("UTC", "2026-03-09T00:00:00Z", "2026-03-09"),
    ])
    func `is the one that the clock on the wall showed`(_ zone: String, _ instant: String, _ day: String)
        throws
    {
        let zone = try #require(Zone(zone))
        let instant = try #require(Instant(instant))
        #expect("\(LocalDay(of: instant, in: zone))" == day)
    }

    @Test func `of 23 or 25 hours is one day`() throws {
        let auckland = try #require(Zone("Pacific/Auckland"))
        let noons = (0..<4).map { LocalDay(of: .on(day: 209 + $0, 0), in: auckland) }
        #expect("\(noons[0])" == "2026-09-27")
        #expect(noons == (0..<4).map { noons[0].advanced(by: $0) })
    }

    @Test(arguments: [
        ("Mon Sep 01 2025", 2025, 9, 1), ("Sat Feb 29 2048", 2048, 2, 29), ("Thu Dec 31 2099", 2099, 12, 31),
        ("Sat Jan 01 2000", 2000, 1, 1), ("Sun Mar 1 2026", 2026, 3, 1),
    ])
    func `is read from the extension's date strings`(_ text: String, _ year: Int, _ month: Int, _ day: Int) {
        #expect(LocalDay(dateString: text) == LocalDay(year: year, month: month, day: day))
    }

    @Test(arguments: [
        "", "Mon Sep 01", "2025-09-01", "Mon Sept 01 2025", "Mon Sep 00 2025", "Tue Sep 31 2025",
        "Sat Feb 29 2025",
        "Mon sep 01 2025", "Mon Sep x1 2025", "Fri Dec 31 1999", "Fri Jan 01 2100", "Mon Sep 01 2025 10:00",
        "Invalid Date",
    ])
    func `is not read from anything that is no date`(_ text: String) {
        #expect(LocalDay(dateString: text) == nil)
    }

    @Test func `goes to a date and back, for every day from 2000 to 2100`() {
        var (year, month, day) = (2000, 1, 1)
        let first = LocalDay(year: 2000, month: 1, day: 1)
        #expect(first.daysSince1970 == 10_957)
        for offset in 0..<36_890 {
            let localDay = first.advanced(by: offset)
            // One comparison a day: 37,000 expectations would take longer than all else.
            guard localDay.civil == (year, month, day),
                LocalDay(year: year, month: month, day: day) == localDay
            else {
                Issue.record("\(localDay) is not \(year)-\(month)-\(day)")
                return
            }
            (year, month, day) = dayAfter(year, month, day)
        }
        #expect((year, month, day) == (2101, 1, 1))
    }

    private func dayAfter(_ year: Int, _ month: Int, _ day: Int) -> (Int, Int, Int) {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        if day < lengths[month - 1] { return (year, month, day + 1) }
        return month < 12 ? (year, month + 1, 1) : (year + 1, 1, 1)
    }

    @Test func `before 1970 counts downwards`() {
        #expect("\(LocalDay(daysSince1970: -1))" == "1969-12-31")
        #expect(LocalDay(of: Instant(milliseconds: -1), in: .utc).daysSince1970 == -1)
    }
}
