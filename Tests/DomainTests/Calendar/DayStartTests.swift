import Foundation
import Testing

@testable import Domain

struct `The hour at which a day begins` {
    @Test(arguments: [(-1, false), (0, true), (4, true), (6, true), (7, false), (24, false)])
    func `lies between midnight and six`(_ hour: Int, _ isOne: Bool) {
        #expect(DayStart(hour: hour)?.hour == (isOne ? hour : nil))
    }

    @Test func `is a number in JSON, and another one is refused with a sentence`() throws {
        let start = try #require(DayStart(hour: 4))
        #expect(try JSONEncoder().encode([start]) == Data("[4]".utf8))
        #expect(try JSONDecoder().decode([DayStart].self, from: Data("[4,0]".utf8)) == [start, .midnight])
        let error = #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([DayStart].self, from: Data("[7]".utf8))
        }
        #expect(error?.whereAndWhy.why == "must be a whole hour from 0 to 6")
    }

    @Test(arguments: [
        // A night owl in Kolkata, 5½ hours ahead: 02:30, 03:59:59 and 04:00.
        ("Asia/Kolkata", 4, "2026-01-01T21:00:00Z", "2026-01-01"),
        ("Asia/Kolkata", 4, "2026-01-01T22:29:59.999Z", "2026-01-01"),
        ("Asia/Kolkata", 4, "2026-01-01T22:30:00Z", "2026-01-02"),
        ("Asia/Kolkata", 0, "2026-01-01T21:00:00Z", "2026-01-02"),
        ("Asia/Kolkata", 6, "2026-01-02T00:29:59Z", "2026-01-01"),
        // Clocks went forward at 02:00 in Los Angeles: 03:59:59, 04:00, 04:30.
        ("America/Los_Angeles", 4, "2026-03-08T10:59:59Z", "2026-03-07"),
        ("America/Los_Angeles", 4, "2026-03-08T11:00:00Z", "2026-03-08"),
        ("America/Los_Angeles", 4, "2026-03-08T11:30:00Z", "2026-03-08"),
        // And back at 02:00 on 1 November: 01:30 twice, and then 03:59:59.
        ("America/Los_Angeles", 4, "2026-11-01T08:30:00Z", "2026-10-31"),
        ("America/Los_Angeles", 4, "2026-11-01T09:30:00Z", "2026-10-31"),
        ("America/Los_Angeles", 4, "2026-11-01T11:59:59Z", "2026-10-31"),
        ("America/Los_Angeles", 4, "2026-11-01T12:00:00Z", "2026-11-01"),
        // The night that began 29 December 2011 in Apia ended on the 31st.
        ("Pacific/Apia", 4, "2011-12-30T09:59:59Z", "2011-12-29"),
        ("Pacific/Apia", 4, "2011-12-30T14:00:00Z", "2011-12-31"),
    ])
    func `is read off the clock on the wall`(_ zone: String, _ hour: Int, _ instant: String, _ day: String)
        throws
    {
        let zone = try #require(Zone(zone))
        let instant = try #require(Instant(instant))
        let start = try #require(DayStart(hour: hour))
        #expect("\(LocalDay(of: instant, in: zone, startingAt: start))" == day)
    }
}
