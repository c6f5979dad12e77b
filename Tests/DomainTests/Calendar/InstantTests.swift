import Foundation
import Testing

@testable import Domain

struct `An instant` {
    @Test(arguments: [
        ("2025-09-01T14:32:05.140Z", 1_756_737_125_140 as Int64),
        ("2025-09-01T14:32:05Z", 1_756_737_125_000),
        ("2025-09-01t14:32:05z", 1_756_737_125_000),
        ("2025-09-01T14:32:05.1Z", 1_756_737_125_100),
        ("2025-09-01T14:32:05.14Z", 1_756_737_125_140),
        ("2025-09-01T14:32:05.1409999Z", 1_756_737_125_140),
        ("2025-09-01T16:32:05.140+02:00", 1_756_737_125_140),
        ("2025-09-01T07:02:05.140-07:30", 1_756_737_125_140),
        ("2025-09-02T00:02:05.140+09:30", 1_756_737_125_140),
        ("2025-09-01T14:32:05-00:00", 1_756_737_125_000),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000),
    ])
    func `is read from RFC 3339, with or without a fraction`(_ text: String, _ milliseconds: Int64) {
        #expect(Instant(text)?.milliseconds == milliseconds)
    }

    @Test(arguments: [
        "", "now", "2025-09-01", "2025-09-01T14:32Z", "2025-09-01T14:32:05", "2025-09-01 14:32:05Z",
        " 2025-09-01T14:32:05Z", "2025-09-01T14:32:05Z ", "2025-09-01T14:32:05Zulu", "2025-9-1T14:32:05Z",
        "20250901T143205Z", "2025-13-01T00:00:00Z", "2025-00-01T00:00:00Z", "2025-02-29T00:00:00Z",
        "2025-09-31T00:00:00Z", "2025-09-00T00:00:00Z", "2025-09-01T24:00:00Z", "2025-09-01T14:60:00Z",
        "2025-09-01T14:32:61Z", "2025-09-01T14:32:05.Z", "2025-09-01T14:32:05,1Z", "2025-09-01T14:32:05+0200",
        "2025-09-01T14:32:05+24:00", "2025-09-01T14:32:05+02:60", "2025-09-01T14:32:05+",
        "2025-09-01T14:32:0٥Z",
        "+025-09-01T14:32:05Z", "2025-09-01T14:32:05.00000000000000000000Z",
    ])
    func `is nothing else`(_ text: String) {
        #expect(Instant(text) == nil)
    }

    @Test(arguments: [
        ("1999-12-31T23:59:59.999Z", false), ("2000-01-01T00:00:00.000Z", true),
        ("2000-01-01T00:59:59+01:00", false),
        ("2099-12-31T23:59:59.999Z", true), ("2100-01-01T00:00:00.000Z", false),
        ("2099-12-31T23:59:59-00:01", false),
    ])
    func `lies between the years 2000 and 2100`(_ text: String, _ isRead: Bool) {
        #expect((Instant(text) != nil) == isRead)
    }

    @Test(arguments: [0, 1, 9, 10, 99, 140, 999] as [Int64])
    func `is written to the millisecond, as JavaScript writes it`(_ fraction: Int64) {
        let written = "\(Instant(milliseconds: 1_756_737_125_000 + fraction))"
        let digits = String(String(1000 + fraction).dropFirst())
        #expect(written == "2025-09-01T14:32:05.\(digits)Z")
    }

    @Test func `reads back exactly what it wrote`() {
        var generator = SplitMix64(seed: 1)
        for _ in 1...2000 {
            let instant = Instant(
                milliseconds: Int64.random(in: 946_684_800_000..<4_102_444_800_000, using: &generator)
            )
            #expect(Instant(instant.description) == instant)
        }
    }

    @Test func `agrees with Foundation on whole seconds`() throws {
        var generator = SplitMix64(seed: 2)
        for _ in 1...200 {
            let seconds = Int64.random(in: 946_684_800..<4_102_444_800, using: &generator)
            let text = Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
            #expect(Instant(text)?.milliseconds == seconds * 1000)
        }
    }

    @Test func `is a string in JSON, and what isn't one is refused with a sentence`() throws {
        let instant = Instant(milliseconds: 1_756_737_125_140)
        #expect(try JSONEncoder().encode([instant]) == Data(#"["2025-09-01T14:32:05.140Z"]"#.utf8))
        #expect(try JSONDecoder().decode([Instant].self, from: JSONEncoder().encode([instant])) == [instant])
        let error = #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([Instant].self, from: Data(#"["yesterday"]"#.utf8))
        }
        #expect(error?.whereAndWhy.why == "must be an RFC 3339 date and time between the years 2000 and 2100")
    }

    @Test func `counts in exact milliseconds`() {
        let instant = Instant(milliseconds: 1_756_737_125_140)
        #expect((instant + .milliseconds(-141)).milliseconds == 1_756_737_124_999)
        #expect((instant + .seconds(120)).milliseconds == 1_756_737_245_140)
        #expect(instant + .seconds(1) - instant == .milliseconds(1000))
        #expect(instant < instant + .milliseconds(1))
        #expect(Instant(instant.date) == instant)
    }
}
