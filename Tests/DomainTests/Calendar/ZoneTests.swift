import Domain
import Foundation
import Testing

struct `A time zone` {
    @Test(arguments: [
        "Europe/Berlin", "Pacific/Auckland", "America/Argentina/Buenos_Aires", "Asia/Calcutta",
        "Asia/Kolkata",
        "Europe/Kiev", "Europe/Kyiv", "US/Pacific", "Etc/UTC", "UTC", "EST", "GB", "Etc/Unknown",
    ])
    func `is known by its IANA name, and keeps the name it was given`(_ name: String) throws {
        let zone = try #require(Zone(name))
        #expect(zone.identifier == name)
        #expect(try JSONDecoder().decode([Zone].self, from: JSONEncoder().encode([zone])) == [zone])
    }

    @Test(arguments: [
        "", "PST", "BST", "GMT+1", "GMT+05:30", "+05:30", "+0530", "UTC+2", "utc",
        "europe/berlin",
        "Europe/Berlin ", "Europe/Bonn", "Mars/Olympus", "/", "Europe/", "../etc/localtime",
    ])
    func `is not an abbreviation, an offset or an invention`(_ name: String) {
        #expect(Zone(name) == nil)
    }

    @Test func `in JSON that isn't one is refused with a sentence`() {
        let error = #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([Zone].self, from: Data(#"["PST"]"#.utf8))
        }
        #expect(error?.whereAndWhy.why == "must be an IANA time zone such as Europe/Berlin")
    }

    @Test func `UTC is the same zone by either way`() {
        #expect(Zone("UTC") == .utc)
    }
}
