/// The local hour, 0 to 6, at which somebody's day begins: who practises at one in
/// the morning may still mean the evening before.
package struct DayStart: RawRepresentable, Hashable, Sendable, Codable {
    /// The hour.
    package let rawValue: Int

    package static let midnight = DayStart(hour: 0)

    /// Nil for an hour that no day begins at.
    package init?(rawValue: Int) {
        guard (0...6).contains(rawValue) else { return nil }
        self.init(hour: rawValue)
    }

    private init(hour: Int) {
        rawValue = hour
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        // As JavaScript counts: 2.5 is a number, and not an hour.
        let hour = Int(exactly: try container.decode(Double.self))
        guard let start = hour.flatMap(DayStart.init(rawValue:)) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "must be a whole hour from 0 to 6"
            )
        }
        self = start
    }
}
