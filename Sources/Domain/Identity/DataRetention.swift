/// For how many days the detail of somebody's practice is kept. What it adds up to stays.
package struct DataRetention: RawRepresentable, Hashable, Sendable {
    package let days: Int
    package var rawValue: Int { days }

    /// A year (product brief, `UserProfile`).
    package static let standard = DataRetention(known: 365)
    package static let range = 30...3650

    /// Nil for what is too short for a device that was away, or longer than ten years.
    package init?(rawValue days: Int) {
        guard Self.range.contains(days) else { return nil }
        self.init(known: days)
    }

    private init(known days: Int) {
        self.days = days
    }
}

extension DataRetention: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard
            let retention = Int(exactly: try container.decode(Double.self)).flatMap(Self.init(rawValue:))
        else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "must be a whole number of days from 30 to 3650"
            )
        }
        self = retention
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(days)
    }
}
