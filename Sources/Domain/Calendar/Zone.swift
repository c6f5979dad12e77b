import Foundation

/// An IANA time zone, such as `Pacific/Auckland`.
package struct Zone: Hashable, Sendable, Codable {
    package let identifier: String
    private let timeZone: TimeZone

    package static let utc = Zone(identifier: "UTC", timeZone: .gmt)

    /// Nil unless the name is one of the IANA database's: Foundation would also
    /// take abbreviations and offsets, which don't know about daylight saving.
    package init?(_ identifier: String) {
        guard identifier.contains("/") || Self.withoutSlash.contains(identifier), identifier.utf8.count <= 64,
            let timeZone = TimeZone(identifier: identifier)
        else { return nil }
        self.init(identifier: identifier, timeZone: timeZone)
    }

    /// The IANA names that have no slash and can't be mistaken for an abbreviation
    /// of something else.
    private static let withoutSlash: Set<String> = [
        "UTC", "GMT", "CET", "MET", "EET", "WET", "EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT", "Cuba", "Egypt",
        "Eire",
        "Hongkong", "Iceland", "Iran", "Israel", "Jamaica", "Japan", "Kwajalein", "Libya", "Navajo", "NZ",
        "Poland",
        "Portugal", "Singapore", "Turkey",
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
