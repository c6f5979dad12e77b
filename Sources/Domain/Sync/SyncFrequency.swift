/// How often a person wants their devices to sync (product brief, `UserProfile`).
package enum SyncFrequency: String, Hashable, Sendable, CaseIterable, Codable {
    case realtime
    case hourly
    case daily

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let frequency = SyncFrequency(rawValue: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "must be realtime, hourly or daily"
            )
        }
        self = frequency
    }
}
