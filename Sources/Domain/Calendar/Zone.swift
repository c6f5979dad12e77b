import Foundation

/// An IANA time zone, such as `Pacific/Auckland`.
package struct Zone: Hashable, Sendable, Codable {
    package let identifier: String
    private let timeZone: TimeZone

    package static let utc = Zone(identifier: "UTC", timeZone: .gmt)

    /// Nil unless the name is one of the IANA database's: Foundation would also
    /// take abbreviations and offsets, which don't know about daylight saving.
    package init?(_ identifier: String) {
        // What an editor reports that can't tell where it is.
        if identifier == "Etc/Unknown" {
            self.init(identifier: identifier, timeZone: .gmt)
            return
        }
        // By bytes: to look for text is Foundation's, and a person's every day has a zone.
        guard identifier.utf8.contains(UInt8(ascii: "/")) || Self.withoutSlash.contains(identifier),
            identifier.utf8.count <= 64,
            let timeZone = TimeZone(identifier: identifier)
        else { return nil }
        self.init(identifier: identifier, timeZone: timeZone)
    }

    /// The IANA database's names that have no slash.
    private static let withoutSlash: Set<String> = [
        "CET", "CST6CDT", "Cuba", "EET", "EST", "EST5EDT", "Egypt", "Eire", "GB", "GB-Eire", "GMT", "GMT0",
        "Greenwich",
        "HST", "Hongkong", "Iceland", "Iran", "Israel", "Jamaica", "Japan", "Kwajalein", "Libya", "MET",
        "MST", "MST7MDT",
        "NZ", "NZ-CHAT", "Navajo", "PRC", "PST8PDT", "Poland", "Portugal", "ROC", "ROK", "Singapore",
        "Turkey", "UCT",
        "UTC", "Universal", "W-SU", "WET", "Zulu",
    ]

    private init(identifier: String, timeZone: TimeZone) {
        self.identifier = identifier
        self.timeZone = timeZone
    }

    func secondsFromUTC(at instant: Instant) -> Int64 {
        Int64(timeZone.secondsFromGMT(for: instant.date))
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let zone = Zone(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "must be an IANA time zone such as Europe/Berlin"
            )
        }
        self = zone
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(identifier)
    }
}
