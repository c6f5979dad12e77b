import Domain
import Foundation

/// The practice of one demo practitioner: the same for the same person and day,
/// whenever it is asked for, so that loading the demo again adds only new days.
struct DemoPractice: Sendable {
    let person: Int

    /// Sessions of the four weeks up to `now`.
    func export(until now: Instant) -> [String: Any] {
        let today = LocalDay(of: now, in: .utc)
        let sessions = (0..<28).reversed()
            .flatMap { sittings(on: today.advanced(by: -$0)) }
            .filter { $0.endedAt <= now }
        let cycles = sessions.reduce(0) { $0 + $1.cycles }
        let bonuses = sessions.reduce(0) { $0 + $1.goal / 2 }
        return [
            "device": ["id": "demo-\(person)", "name": "Demo editor", "timeZone": "UTC"],
            "takenAt": "\(now)",
            "export": [
                "exportDate": "\(now)",
                "breathMaster": [
                    "meditation": [
                        // Some practised before, which no session of these weeks explains.
                        "totalXP": cycles + bonuses + 200 + 15 * (person % 40),
                        "currentStreak": 0,
                        "longestStreak": 0,
                        "totalMeditationTime": sessions.reduce(0) { $0 + $1.goal * 60_000 },
                        "sessions": sessions.map(\.json),
                    ] as [String: Any]
                ],
            ],
        ]
    }

    private struct Sitting {
        let startedAt: Instant
        let goal: Int
        let cycles: Int

        var endedAt: Instant { startedAt + .seconds(goal * 60) }

        var json: [String: Any] {
            [
                "id": "sess-\(startedAt.milliseconds)",
                "startedAt": "\(startedAt)",
                "endedAt": "\(endedAt)",
                "activeMs": goal * 60_000,
                "cycles": cycles,
                "goalMinutes": goal,
                "goalBonusXP": goal / 2,
            ]
        }
    }

    /// Most people practise on most working days, once or twice, and less at weekends.
    private func sittings(on day: LocalDay) -> [Sitting] {
        var chance = SplitMix64(seed: UInt64(person) << 32 | UInt64(UInt32(bitPattern: day.daysSince1970)))
        let isWeekend = Week(of: day).monday.advanced(by: 4) < day
        let diligence = 70 + person % 28
        guard Int(chance.next() % 100) < (isWeekend ? diligence - 25 : diligence) else { return [] }
        return (0..<(1 + Int(chance.next() % 3))).map { sitting in
            let minute = Int64(8 + sitting * 4) * 60 + Int64(chance.next() % 120)
            let goal = [4, 6, 10, 10, 16, 20][Int(chance.next() % 6)]
            let cyclesPerMinute = 4 + Int(chance.next() % 3)
            return Sitting(
                startedAt: Instant(milliseconds: Int64(day.daysSince1970) * 86_400_000 + minute * 60_000),
                goal: goal,
                cycles: goal * cyclesPerMinute
            )
        }
    }
}

/// A generator whose sequence its seed decides (Steele, Lea and Flood, "Fast
/// Splittable Pseudorandom Number Generators", 2014).
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
