import Foundation

@testable import Domain

/// What happens to three devices of one person, and how their syncs fare.
struct SyncHistory {
    /// How many are tried: more, where `SOAK_HISTORIES` says so.
    static let tried = ProcessInfo.processInfo.environment["SOAK_HISTORIES"].flatMap(Int.init) ?? 100_000

    enum Network: CaseIterable {
        case good
        case requestLost
        case answerLost
        /// The request arrives only later, after others.
        case late
    }

    enum Action {
        case wait(minutes: Int)
        case practise(Int, minutes: Int, cycles: Int, after: Int)
        case micro(Int, xp: Int)
        case complete(Int, rewardXP: Int)
        case prefer(Int, key: String, value: String?)
        case unlock(Int, String)
        case sync(Int, Network)
        case arrivals
        case clear(Int)
        /// The device's clock is off by so many days from now on.
        case clock(Int, days: Int)
    }

    static let deviceCount = 3

    /// - Parameter kinds: what may happen beside practice and syncs.
    static func actions(seed: UInt64, withClear: Bool, atOnce: Bool) -> [Action] {
        var generator = SplitMix64(seed: seed)
        func device() -> Int { Int.random(in: 0..<deviceCount, using: &generator) }
        return (0..<Int.random(in: 6...18, using: &generator)).map { _ in
            switch Int.random(in: 0..<100, using: &generator) {
            case ..<30:
                let minutes = Int.random(in: 1...40, using: &generator)
                return .practise(
                    device(),
                    minutes: minutes,
                    cycles: minutes * Int.random(in: 0...6, using: &generator),
                    after: Int.random(in: 0...(atOnce ? 25 : 600), using: &generator)
                )
            case ..<38: return .micro(device(), xp: Int.random(in: 5...12, using: &generator))
            case ..<44: return .complete(device(), rewardXP: Int.random(in: 5...60, using: &generator))
            case ..<50:
                let value = ["chill", "boxing", "relaxing", nil].randomElement(using: &generator) ?? nil
                let key = ["morning", "evening"].randomElement(using: &generator) ?? "morning"
                return .prefer(device(), key: key, value: value)
            case ..<53: return .unlock(device(), "pattern-\(Int.random(in: 0...5, using: &generator))")
            case ..<58: return .wait(minutes: Int.random(in: 1...3000, using: &generator))
            case ..<63: return .arrivals
            case ..<66 where withClear: return .clear(device())
            case ..<69: return .clock(device(), days: [0, 3650, -3650].randomElement(using: &generator) ?? 0)
            default:
                return .sync(device(), Network.allCases.randomElement(using: &generator) ?? .good)
            }
        }
    }

    private var now = Instant.on(day: 0, 6)
    private var household = Household()
    private var devices: [SyncingDevice]
    private var busyUntil = Array(repeating: Instant.on(day: 0, 0), count: deviceCount)
    private var late: [(batch: SyncBatch, clockError: Int64)] = []
    private var practised: [(device: Int, began: Instant, minutes: Int, xp: Int, id: String)] = []
    private var otherXP = 0
    private var clearedAt: Instant?
    private var names = 0

    /// - Parameter whose: what the names of the devices begin with.
    private init(of whose: String = "") {
        devices = [
            SyncingDevice(whose + "laptop", in: .auckland), SyncingDevice(whose + "desktop", in: .losAngeles),
            SyncingDevice(whose + "tablet", in: .kolkata),
        ]
    }

    /// What is known in the end.
    static func ledger(after actions: [Action], of whose: String) -> Ledger {
        var history = SyncHistory(of: whose)
        for action in actions { history.perform(action) }
        history.settle()
        return history.household.ledger
    }

    /// What is wrong in the end; nothing if all is well.
    static func problems(after actions: [Action]) -> [String] {
        var history = SyncHistory()
        for action in actions { history.perform(action) }
        history.settle()
        return history.problems
    }

    private mutating func perform(_ action: Action) {
        switch action {
        case .wait(let minutes): pass(minutes)
        case .practise(let index, let minutes, let cycles, let after):
            practise(index, minutes: minutes, cycles: cycles, after: after)
        case .micro(let index, let xp):
            devices[index].totalXP += xp
            otherXP += xp
        case .complete(let index, let rewardXP): complete(index, rewardXP)
        case .prefer(let index, let key, let value):
            devices[index].pending.state["preferredPatterns", default: [:]][key] =
                value.map { .string($0) } ?? .null
        case .unlock(let index, let name): devices[index].pending.unlocks.append(name)
        case .sync(let index, let network):
            sync(index, network)
            pass(1)
        case .arrivals: arrive()
        case .clear(let index): clear(index)
        case .clock(let index, let days):
            // What it practised by another clock has to be sent by that.
            if devices[index].pending.sessions.isEmpty {
                devices[index].clockError = Int64(days) * 86_400_000
            }
        }
    }

    private mutating func pass(_ minutes: Int) {
        now = now.advanced(by: Int64(minutes) * 60_000)
    }

    /// Time goes on by `after` minutes, so sittings of two devices may overlap.
    private mutating func practise(_ index: Int, minutes: Int, cycles: Int, after: Int) {
        pass(after)
        let began = max(now, busyUntil[index])
        let ended = began.advanced(by: Int64(minutes) * 60_000)
        busyUntil[index] = ended
        names += 1
        let error = devices[index].clockError
        devices[index].practise(
            ExtensionExport.SessionRecord(
                id: Label("sess-\(names)"),
                startedAt: began.advanced(by: error),
                endedAt: ended.advanced(by: error),
                activeMs: Milliseconds(Int64(minutes) * 60_000),
                cycles: Count(cycles),
                goalMinutes: nil,
                goalBonusXP: nil,
                timeZone: nil
            )
        )
        practised.append((index, began, minutes, cycles, "sess-\(names)"))
    }

    private mutating func complete(_ index: Int, _ rewardXP: Int) {
        names += 1
        devices[index].complete(
            ExtensionExport.ChallengeRecord(
                id: Label("challenge-\(names)"),
                date: "\(LocalDay(of: now, in: devices[index].zone))",
                type: Label("minutes"),
                target: Count(10),
                rewardXP: Count(rewardXP),
                completed: true,
                expired: nil
            )
        )
        otherXP += rewardXP
    }

    private mutating func sync(_ index: Int, _ network: Network) {
        // A sitting that is going on isn't in the history yet.
        now = max(now, busyUntil[index])
        let sent = devices[index].batch(at: now)
        let clock = now.advanced(by: devices[index].clockError)
        switch network {
        case .requestLost: break
        case .late: late.append((sent.batch, devices[index].clockError))
        case .answerLost: _ = household.sync(sent.batch, clock: clock, now: now)
        case .good: devices[index].take(household.sync(sent.batch, clock: clock, now: now), to: sent)
        }
    }

    /// What was under way is sent again, by the clock that it was made by, and arrives, the last first. Nobody waits
    /// for the answers any more.
    private mutating func arrive() {
        while let (batch, clockError) = late.popLast() {
            _ = household.sync(batch, clock: now.advanced(by: clockError), now: now)
        }
    }

    private mutating func clear(_ index: Int) {
        now = max(now, busyUntil.max() ?? now)
        // The editor asks for what it doesn't know yet, and only then clears.
        sync(index, .good)
        guard household.version > 0 else { return }
        pass(1)
        devices[index].clear()
        let device = DeviceDescription(
            id: Label(devices[index].id),
            name: Label("a"),
            timeZone: devices[index].zone
        )
        let version = household.clear(by: device, now: now)
        (devices[index].epoch, devices[index].baseVersion) = (household.ledger.epoch, version)
        devices[index].since = version
        clearedAt = now
    }

    /// Everything arrives, and everybody syncs until there is nothing new.
    private mutating func settle() {
        now = max(now, busyUntil.max() ?? now)
        arrive()
        for _ in 1...4 {
            for index in devices.indices { sync(index, .good) }
        }
    }

    private var problems: [String] {
        var problems: [String] = []
        let stored = Set(household.ledger.sessions.keys)
        for device in devices {
            if device.baseVersion != household.version { problems.append("\(device.id) is behind") }
            if device.state != devices[0].state { problems.append("\(device.id) has another state") }
            if device.known != stored {
                problems.append("\(device.id) has \(device.known.count) of \(stored.count)")
            }
            if device.totalXP != device.state?.totalXP {
                problems.append("\(device.id) shows \(device.totalXP)")
            }
        }
        let expected = practised.filter { sitting in
            clearedAt.map { sitting.began.advanced(by: Int64(sitting.minutes) * 60_000) > $0 } ?? true
        }
        let ids = household.ledger.sessions.keys.map(\.sessionID)
        if ids.sorted() != expected.map(\.id).sorted() {
            problems.append("sessions \(ids.sorted()) ≠ \(expected.map(\.id).sorted())")
        }
        let totals = Totals(of: household.ledger)
        let counted = Self.counted(expected)
        let days = household.ledger.days.values.reduce(0) { $0 + $1.xp }
        if days != counted { problems.append("counts \(days) and not \(counted)") }
        let brought = expected.reduce(0) { $0 + $1.xp }
        if clearedAt == nil {
            let least = counted + otherXP
            let most = brought + otherXP
            if totals.totalXP < least || totals.totalXP > most {
                problems.append("total \(totals.totalXP) is not in \(least)...\(most)")
            }
        } else if totals.totalXP < counted || totals.totalXP > brought + otherXP {
            problems.append("total \(totals.totalXP) after the clear, of \(brought) and \(otherXP)")
        }
        return problems
    }

    /// What sittings count for, minute by minute: the one that earned most a minute has it.
    private static func counted(
        _ sittings: [(device: Int, began: Instant, minutes: Int, xp: Int, id: String)]
    ) -> Int {
        let names = ["laptop", "desktop", "tablet"]
        var left = Array(repeating: 0, count: sittings.count)
        var winners: [Instant: Int] = [:]
        for (index, sitting) in sittings.enumerated() {
            for minute in 0..<sitting.minutes {
                let at = sitting.began.advanced(by: Int64(minute) * 60_000)
                guard let other = winners[at].map({ sittings[$0] }) else {
                    winners[at] = index
                    continue
                }
                let (pace, otherPace) = (sitting.xp * other.minutes, other.xp * sitting.minutes)
                let precedes =
                    (sitting.began, names[sitting.device]) < (other.began, names[other.device])
                if pace > otherPace || pace == otherPace && precedes { winners[at] = index }
            }
        }
        for winner in winners.values { left[winner] += 1 }
        return zip(sittings, left).reduce(0) { sum, next in
            sum + (next.0.xp * next.1 + next.0.minutes - 1) / next.0.minutes
        }
    }

    /// The same failure with nothing in it that isn't needed for it.
    static func minimal(_ actions: [Action]) -> [Action] {
        var actions = actions
        var index = 0
        while index < actions.count {
            var fewer = actions
            fewer.remove(at: index)
            if problems(after: fewer).isEmpty { index += 1 } else { (actions, index) = (fewer, 0) }
        }
        return actions
    }
}

extension UUID {
    /// A name for the `number`th batch of a device.
    static func of(_ device: String, _ number: Int) -> UUID {
        let bytes = Array(device.utf8.prefix(8)) + Array(repeating: 0, count: 8 - min(8, device.utf8.count))
        let count = withUnsafeBytes(of: UInt64(number).bigEndian) { Array($0) }
        return (bytes + count).withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
    }
}

extension Zone {
    static let auckland = Zone("Pacific/Auckland") ?? .utc
    static let losAngeles = Zone("America/Los_Angeles") ?? .utc
    static let kolkata = Zone("Asia/Kolkata") ?? .utc
}
