import Foundation
import Testing

@testable import Domain

/// What the real extension exported for an invented practitioner, event by event.
struct Recording: CustomStringConvertible {
    struct Event: Decodable {
        enum Kind: String, Decodable {
            case open
            case session
            case clearData
        }

        let tz: Zone
        let device: Label
        let at: Instant
        let event: Kind
        let export: ExtensionExport

        var submission: ExportSubmission {
            ExportSubmission(
                device: DeviceDescription(id: device, name: device, timeZone: tz),
                takenAt: at,
                export: export
            )
        }
    }

    /// As computed from the exports by a program that shares nothing with ours.
    struct Expectation: Decodable {
        let trueLongestStreakByLocalEndDay: Int
        let activeLocalDays: Int
        let sessionsUnion: Int
        let activeMsUnion: Int64
        let cyclesUnion: Int
        let goalBonusXPUnion: Int
        let sumDevicesXP: Int

        private enum CodingKeys: String, CodingKey {
            case trueLongestStreakByLocalEndDay = "true_longest_streak_by_local_end_day"
            case activeLocalDays = "active_local_days"
            case sessionsUnion = "sessions_union"
            case activeMsUnion = "activeMs_union"
            case cyclesUnion = "cycles_union"
            case goalBonusXPUnion = "goalBonusXP_union"
            case sumDevicesXP = "sum_devices_XP"
        }
    }

    let name: String
    let events: [Event]
    let expectation: Expectation

    init(_ name: String) throws {
        let file = "\(name).jsonl"
        let expectations = try JSONDecoder().decode(
            [String: Expectation].self,
            from: Data(contentsOf: Self.folder.appending(path: "expected.json"))
        )
        let lines = try Data(contentsOf: Self.folder.appending(path: file)).split(
            separator: UInt8(ascii: "\n")
        )
        self.name = name
        self.expectation = try #require(expectations[file])
        self.events = try lines.map { try JSONDecoder().decode(Event.self, from: $0) }
    }

    var submissions: [ExportSubmission] { events.map(\.submission) }
    var description: String { name }

    private static var folder: URL {
        URL(filePath: #filePath)
            .resolvingSymlinksInPath()
            .deletingLastPathComponent()
            .appending(path: "../../APIIntegrationTests/Fixtures")
            .standardized
    }
}
