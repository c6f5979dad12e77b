import Domain
import Foundation

/// The extension in one editor: what it remembers, and the export it makes.
struct Editor {
    let device: String
    var zone: String
    var totalXP = 0
    var claimedStreak = 0
    var sittings: [Sitting] = []
    var tasks: [DailyTask] = []

    init(_ device: String = "laptop", in zone: String = "UTC") {
        self.device = device
        self.zone = zone
    }

    mutating func practise(_ sitting: Sitting) {
        sittings.append(sitting)
        totalXP += sitting.xp
    }

    /// XP that no session shows: the extension's "micro meditation".
    mutating func earn(_ xp: Int) {
        totalXP += xp
    }

    mutating func complete(_ task: DailyTask) {
        var completed = task
        completed.completed = true
        tasks.removeAll { $0.id == task.id }
        tasks.append(completed)
        totalXP += task.rewardXP
    }

    /// "Clear data".
    mutating func clear() {
        (totalXP, claimedStreak, sittings, tasks) = (0, 0, [], [])
    }

    func export(at takenAt: Instant) throws -> ExportSubmission {
        try JSONDecoder().decode(ExportSubmission.self, from: json(at: takenAt))
    }

    func json(at takenAt: Instant) throws -> Data {
        try JSONEncoder().encode(
            Body(
                device: Body.Device(id: device, name: device, timeZone: zone),
                takenAt: takenAt,
                export: Body.Export(
                    breathMaster: Body.Contents(
                        meditation: Body.Meditation(
                            totalXP: totalXP,
                            currentStreak: claimedStreak,
                            longestStreak: claimedStreak,
                            totalMeditationTime: sittings.reduce(0) { $0 + $1.activeMs },
                            sessions: sittings,
                            dailyChallenges: tasks
                        )
                    )
                )
            )
        )
    }

    private struct Body: Encodable {
        struct Device: Encodable {
            let id: String
            let name: String
            let timeZone: String
        }

        struct Export: Encodable {
            let breathMaster: Contents
        }

        struct Contents: Encodable {
            let meditation: Meditation
        }

        struct Meditation: Encodable {
            let totalXP: Int
            let currentStreak: Int
            let longestStreak: Int
            let totalMeditationTime: Int
            let sessions: [Sitting]
            let dailyChallenges: [DailyTask]
        }

        let device: Device
        let takenAt: Instant
        let export: Export
    }
}
