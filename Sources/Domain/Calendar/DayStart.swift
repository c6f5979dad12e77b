/// The hour at which someone's day begins. For a night owl whose day begins at
/// 4, what ends at 02:30 still belongs to the day before.
package struct DayStart: RawRepresentable, Hashable, Sendable {
    /// On the local clock, 0 to 6.
    package let hour: Int
    package var rawValue: Int { hour }

    package static let midnight = DayStart(known: 0)
    package static let latest = DayStart(known: 6)

    /// Nil for an hour at which no day begins.
    package init?(hour: Int) {
        guard (0...Self.latest.hour).contains(hour) else { return nil }
        self.init(known: hour)
    }

    package init?(rawValue: Int) {
        self.init(hour: rawValue)
    }

    private init(known hour: Int) {
        self.hour = hour
    }
}

extension DayStart: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        // As JavaScript counts: 2.5 is a number, and not an hour.
        let hour = Int(exactly: try container.decode(Double.self))
        guard let start = hour.flatMap({ DayStart(hour: $0) }) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "must be a whole hour from 0 to 6"
            )
        }
        self = start
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(hour)
    }
}
