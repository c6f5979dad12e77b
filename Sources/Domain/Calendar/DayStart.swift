/// The hour at which someone's day begins. For a night owl whose day begins at
/// 4, what ends at 02:30 still belongs to the day before.
package struct DayStart: Hashable, Sendable {
    /// On the local clock, 0 to 6.
    package let hour: Int

    package static let midnight = DayStart(known: 0)

    /// Nil for an hour at which no day begins.
    package init?(hour: Int) {
        guard (0...6).contains(hour) else { return nil }
        self.init(known: hour)
    }

    private init(known hour: Int) {
        self.hour = hour
    }
}

extension DayStart: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let start = DayStart(hour: try container.decode(Int.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "must be an hour from 0 to 6"
            )
        }
        self = start
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(hour)
    }
}
