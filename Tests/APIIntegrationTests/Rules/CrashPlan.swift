@testable import API

/// What eight devices of one person do, and what dies meanwhile. All of it follows from the seed.
struct CrashPlan {
    struct Effort: Sendable {
        let sittings: Int
        /// XP that no session shows.
        let otherXP: Int
        let isChallengeDone: Bool
    }

    enum Step: Sendable {
        /// Until it is answered.
        case sync(Effort)
        /// The same bytes as one that was answered, one of all by their number.
        case sendAgain(Int)
        /// "Clear data".
        case reset
        /// Once, and then the device is heard of no more.
        case syncAndVanish(Effort)
    }

    enum Disaster: CaseIterable, Sendable {
        case serverIsKilled
        case postgresStops
        /// As if its machine had lost power.
        case postgresCrashes
    }

    let devices: [[Step]]
    /// Each after so many answers.
    let disasters: [(answers: Int, disaster: Disaster)]

    init(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var devices = (0..<8).map { _ in
            (0..<Int.random(in: 3...6, using: &random)).map { _ in Step.everyday(&random) }
        }
        if random.chance(40) {
            let device = Int.random(in: devices.indices, using: &random)
            devices[device].insert(.reset, at: Int.random(in: 0...devices[device].count, using: &random))
        }
        // Each asks for the state before it does anything.
        let answers = devices.count + devices.joined().count
        for device in devices.indices where random.chance(30) {
            devices[device].append(.syncAndVanish(.some(&random)))
        }
        self.devices = devices
        disasters = (0..<Int.random(in: 2...3, using: &random)).map { _ in
            let disaster = Disaster.allCases.randomElement(using: &random) ?? .serverIsKilled
            return (Int.random(in: 4..<answers, using: &random), disaster)
        }.sorted { $0.0 < $1.0 }
    }

    /// What occurs in it, by name.
    var occasions: Set<String> {
        let all = devices.joined().map { "\($0)" } + disasters.map { "\($0.disaster)" }
        return Set(all.map { String($0.prefix { $0 != "(" }) })
    }
}

extension CrashPlan.Effort {
    /// With a sitting, by which it is known whether it arrived.
    fileprivate static func some(_ random: inout SplitMix64) -> CrashPlan.Effort {
        CrashPlan.Effort(
            sittings: Int.random(in: 1...3, using: &random),
            otherXP: Int.random(in: 0...9, using: &random),
            isChallengeDone: random.chance(25)
        )
    }
}

extension CrashPlan.Step {
    fileprivate static func everyday(_ random: inout SplitMix64) -> CrashPlan.Step {
        random.chance(25) ? .sendAgain(Int.random(in: 0...99, using: &random)) : .sync(.some(&random))
    }
}

extension SplitMix64 {
    fileprivate mutating func chance(_ percent: Int) -> Bool {
        Int.random(in: 0..<100, using: &self) < percent
    }
}
