@testable import API

/// What eight devices of one person do, and what dies meanwhile. All of it follows from the seed.
struct CrashPlan {
    struct Effort: Sendable {
        let sittings: Int
        /// In each of them.
        let cycles: Int
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
        /// From now on its clock is ahead by so many hours, or behind.
        case clock(hours: Int)
        /// Once, and then the device is heard of no more.
        case syncAndVanish(Effort)
    }

    struct Device: Sendable {
        /// Whether each of its requests shows its clock, which puts right what that labels.
        let tellsClock: Bool
        /// By how many minutes its sittings begin after those of the one that practises on the same day.
        let delay: Int
        var steps: [Step]
    }

    enum Disaster: CaseIterable, Sendable {
        case serverIsKilled
        case postgresStops
        /// As if its machine had lost power.
        case postgresCrashes
    }

    /// Two for each day.
    let devices: [Device]
    /// Each after so many answers.
    let disasters: [(answers: Int, disaster: Disaster)]

    init(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let isCleared = random.chance(40)
        var devices = (0..<8).map { number in
            Device(
                // A clear leaves what a clock shows as still to come, where nobody knows that it is ahead.
                tellsClock: random.chance(50) || isCleared,
                delay: number.isMultiple(of: 2) ? 0 : Int.random(in: 1...19, using: &random),
                steps: (0..<Int.random(in: 4...7, using: &random)).map { _ in Step.everyday(&random) }
            )
        }
        if isCleared {
            let device = Int.random(in: devices.indices, using: &random)
            let place = Int.random(in: 0...devices[device].steps.count, using: &random)
            devices[device].steps.insert(.reset, at: place)
        }
        // Each asks for the state before it does anything.
        let answers = devices.count + devices.flatMap(\.steps).count(where: \.isAnswered)
        for device in devices.indices where random.chance(30) {
            devices[device].steps.append(.syncAndVanish(.some(&random)))
        }
        self.devices = devices
        disasters = (0..<Int.random(in: 2...3, using: &random)).map { _ in
            let disaster = Disaster.allCases.randomElement(using: &random) ?? .serverIsKilled
            return (Int.random(in: 4..<answers, using: &random), disaster)
        }.sorted { $0.0 < $1.0 }
    }

    /// What occurs in it, by name.
    var occasions: Set<String> {
        let all = devices.flatMap(\.steps).map { "\($0)" } + disasters.map { "\($0.disaster)" }
        return Set(all.map { String($0.prefix { $0 != "(" }) })
    }
}

extension CrashPlan.Effort {
    /// With a sitting, by which it is known whether it arrived.
    fileprivate static func some(_ random: inout SplitMix64) -> CrashPlan.Effort {
        CrashPlan.Effort(
            sittings: Int.random(in: 1...3, using: &random),
            cycles: Int.random(in: 30...60, using: &random),
            otherXP: Int.random(in: 0...9, using: &random),
            isChallengeDone: random.chance(25)
        )
    }
}

extension CrashPlan.Step {
    /// By such a clock, what was practised weeks ago was at another hour, on another day, or, with one that is ahead by
    /// ten years, at a time that is still to come. Nothing is of a year before, whose detail would be forgotten.
    private static let clocks = [-2400, -240, -26, -3, -1, 0, 3, 26, 240, 87_600]

    fileprivate static func everyday(_ random: inout SplitMix64) -> CrashPlan.Step {
        switch Int.random(in: 0..<100, using: &random) {
        case ..<20: .sendAgain(Int.random(in: 0...99, using: &random))
        case ..<45: .clock(hours: clocks.randomElement(using: &random) ?? 0)
        default: .sync(.some(&random))
        }
    }

    fileprivate var isAnswered: Bool {
        if case .clock = self { false } else { true }
    }
}

extension SplitMix64 {
    fileprivate mutating func chance(_ percent: Int) -> Bool {
        Int.random(in: 0..<100, using: &self) < percent
    }
}
