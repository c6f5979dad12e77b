import Domain

/// An invented life with Breath Master: what one to three editors went through,
/// and the exports they made of it, in the order in which they were taken.
///
/// Editors do what the extension is known to do: earn XP that no session shows,
/// reset challenges, and, with two windows open, forget what one of them saw.
struct History {
    private(set) var exports: [ExportSubmission] = []
    /// The export that shows "clear data", which comes in the middle.
    private(set) var clear: ExportSubmission?
    /// Everything earned after the clear, on all editors.
    private(set) var xpSinceClear = 0

    private var clock = Instant.on(day: 0, 6)
    private var editors: [Editor]
    /// What a second window of an editor still believes.
    private var staleWindows: [Int: Editor] = [:]
    private var generator: SplitMix64

    init(seed: UInt64, withClear: Bool = false) throws {
        generator = SplitMix64(seed: seed)
        let zones = ["Pacific/Auckland", "America/Los_Angeles", "Asia/Kolkata"].shuffled(using: &generator)
        editors = zones.prefix(Int.random(in: 1...3, using: &generator)).enumerated().map { index, zone in
            Editor("editor-\(index)", in: zone)
        }
        let steps = Int.random(in: 3...11, using: &generator)
        try live(steps, withWindows: !withClear)
        if withClear {
            try clearOne()
            try live(steps, withWindows: false)
        }
    }

    private mutating func live(_ steps: Int, withWindows: Bool) throws {
        for _ in 0..<steps {
            let index = editors.indices.randomElement(using: &generator) ?? 0
            clock = clock + Int.random(in: 20...2000, using: &generator) * 60_000
            practise(index, withWindows: withWindows)
            if generator.chance(40) {
                earn(Int.random(in: 5...12, using: &generator), at: index)
            }
            if generator.chance(40) {
                meetChallenge(index)
            }
            if generator.chance(80) {
                clock = clock + Int.random(in: 1...90_000, using: &generator)
                exports.append(try editors[index].export(at: clock))
            }
        }
    }

    private mutating func practise(_ index: Int, withWindows: Bool) {
        let sitting = randomSitting(at: clock)
        clock = sitting.endedAt
        if withWindows, let stale = staleWindows.removeValue(forKey: index) {
            editors[index] = stale
        } else if withWindows, generator.chance(30) {
            var stale = editors[index]
            stale.practise(
                randomSitting(at: sitting.startedAt + Int.random(in: -600...600, using: &generator) * 1000)
            )
            staleWindows[index] = stale
        }
        editors[index].practise(sitting)
        xpSinceClear += sitting.xp
    }

    private mutating func randomSitting(at start: Instant) -> Sitting {
        let minutes = Int.random(in: 1...40, using: &generator)
        // One in ten breathes faster than anybody can.
        let pace = generator.chance(10) ? 31...60 : 0...30
        let goal = generator.chance(50) ? [3, 5, 10, 40].randomElement(using: &generator) : nil
        return Sitting(
            at: start,
            minutes: minutes,
            cycles: minutes * Int.random(in: pace, using: &generator),
            goalMinutes: goal,
            goalBonusXP: goal.map { min($0, minutes) / 2 + (generator.chance(10) ? 7 : 0) }
        )
    }

    private mutating func earn(_ xp: Int, at index: Int) {
        editors[index].earn(xp)
        xpSinceClear += xp
    }

    /// The day's challenges replace yesterday's; some are met.
    private mutating func meetChallenge(_ index: Int) {
        guard let zone = Zone(editors[index].zone) else { return }
        let day = LocalDay(of: clock, in: zone)
        let reward = Int.random(in: 5...60, using: &generator)
        let task = DailyTask(
            "\(day)-minutes-\(Int.random(in: 0...1, using: &generator))",
            on: day,
            rewardXP: reward
        )
        editors[index].tasks.removeAll { $0.date != task.date || $0.id == task.id }
        if generator.chance(70) {
            editors[index].complete(task)
            xpSinceClear += reward
        } else {
            editors[index].tasks.append(task)
        }
    }

    /// One editor that has shown its practice clears it, for all of them.
    private mutating func clearOne() throws {
        let index = editors.indices.randomElement(using: &generator) ?? 0
        practise(index, withWindows: false)
        clock = clock + 60_000
        exports.append(try editors[index].export(at: clock))
        clock = clock + Int.random(in: 1...600, using: &generator) * 60_000
        editors[index].clear()
        let export = try editors[index].export(at: clock)
        exports.append(export)
        clear = export
        xpSinceClear = 0
    }
}

extension History {
    /// How the network may deliver them: some lost, some twice, in any order.
    func delivery(using generator: inout SplitMix64) -> [ExportSubmission] {
        let kept = exports.filter { _ in !generator.chance(20) }
        return (kept + kept.filter { _ in generator.chance(20) }).shuffled(using: &generator)
    }

    /// Any order in which a clear follows an export that shows what it cleared.
    func deliveryAroundClear(using generator: inout SplitMix64) -> [ExportSubmission] {
        guard let clear else { return exports }
        let others = exports.filter { $0.takenAt != clear.takenAt }.shuffled(using: &generator)
        let shown = others.firstIndex {
            $0.device.id == clear.device.id && $0.takenAt < clear.takenAt && $0.meditation.totalXP.value > 0
        }
        var delivery = others
        delivery.insert(
            clear,
            at: Int.random(in: (shown.map { $0 + 1 } ?? others.endIndex)...others.endIndex, using: &generator)
        )
        return delivery
    }
}

extension ExportSubmission {
    var meditation: ExtensionExport.Meditation { export.meditation }
}
