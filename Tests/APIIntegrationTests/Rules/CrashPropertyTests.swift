import Foundation
import Testing

@testable import API

/// Whoever dies, and whenever: what was acknowledged is there, and what was not is there at most once.
/// `SOAK_CRASHES` says how many plans are tried.
struct CrashPropertyTests {
    private static let plans = ProcessInfo.processInfo.environment["SOAK_CRASHES"].flatMap(UInt64.init) ?? 4

    @Test
    func
        `eight devices sync through kills of the server and of Postgres: what was acknowledged is there, once`()
        async throws
    {
        var occasions: Set<String> = []
        // What a commit says is on disk is on disk, as it isn't for other tests.
        try await OwnPostgres.with(["synchronous_commit = on"]) { postgres in
            let home = FileManager.default.temporaryDirectory.appending(path: "breathmaster-\(UUID())")
            defer { try? FileManager.default.removeItem(at: home) }
            let testServer = try await TestServer(postgres: postgres)
            let wreck = try await Wreck(database: testServer.database, home: home)
            for seed in 1...Self.plans {
                let plan = CrashPlan(seed: seed)
                occasions.formUnion(plan.occasions)
                let problems = try await Self.problems(after: plan, on: wreck, postgres)
                #expect(problems == [], "seed \(seed)")
                #expect(try await testServer.boardDifferences() == [], "seed \(seed)")
            }
        }
        // It means nothing where the occasion never came.
        #expect(
            occasions == [
                "sync", "sendAgain", "reset", "syncAndVanish", "serverIsKilled", "postgresStops",
                "postgresCrashes",
            ]
        )
    }

    private static func problems(after plan: CrashPlan, on wreck: Wreck, _ postgres: OwnPostgres) async throws
        -> [String]
    {
        let end = Date()
        let token = try await wreck.newcomer()
        var veteran = CrashDevice("veteran", token: token)
        try await veteran.sync(Practice.sessions(until: end, days: 10, cycles: 40), through: wreck)

        await wreck.countAnew()
        async let disasters: Void = {
            for (answers, disaster) in plan.disasters {
                await wreck.until(answers)
                try await wreck.befall(disaster, postgres)
            }
        }()
        var devices = [veteran]
        try await withThrowingTaskGroup(of: CrashDevice.self) { group in
            for (number, steps) in plan.devices.enumerated() {
                group.addTask {
                    // Each practises on a day of its own.
                    let day = end.addingTimeInterval(Double(-20 - number) * 86_400)
                    var device = CrashDevice("device-\(number)", token: token, practisingOn: day)
                    try await device.sync(through: wreck)
                    for step in steps { try await device.perform(step, through: wreck) }
                    return device
                }
            }
            for try await device in group { devices.append(device) }
        }
        await wreck.waitNoMore()
        try await disasters
        return try await problems(of: devices, on: wreck, token: token) + states(of: devices, on: wreck)
    }

    /// Once each has synced again, which may still bring what nobody answered for, all hold the same.
    private static func states(of devices: [CrashDevice], on wreck: Wreck) async throws -> [String] {
        var devices = devices
        for index in devices.indices { try await devices[index].sync(through: wreck) }
        var states: Set<NSDictionary> = []
        for index in devices.indices {
            let answer = try await devices[index].sync(through: wreck)
            var state = answer["state"] as? [String: Any] ?? [:]
            // That a device has taken over what it was handed is a change too.
            for label in ["syncVersion", "lastModified", "deviceId"] { state[label] = nil }
            states.insert(NSDictionary(dictionary: state))
        }
        return states.count == 1 ? [] : ["in the end there are \(states.count) states: \(states)"]
    }

    /// What is wrong in the end, as a device sees it that was not there.
    private static func problems(of devices: [CrashDevice], on wreck: Wreck, token: String) async throws
        -> [String]
    {
        var witness = CrashDevice("witness", token: token)
        let answer = try await witness.sync(through: wreck)
        let list = (answer["sessions"] as? [[String: Any]] ?? []).map {
            "\($0["deviceId"] ?? "") \($0["id"] ?? "")"
        }
        var problems = devices.flatMap(\.problems)
        let stored = Set(list)
        if stored.count != list.count { problems.append("a session is there twice") }

        // What was sent before a clear is gone with it.
        let sent = devices.flatMap(\.sent).filter { $0.epoch == witness.epoch }
        var possibleTotals: Set<Int> = [0]
        for batch in sent {
            let arrived = batch.sessions.intersection(stored)
            if arrived != batch.sessions, batch.isAcknowledged || !arrived.isEmpty {
                problems.append("\(arrived.count) of \(batch.sessions)")
            }
            // Without a session, one that nobody answered for may be there or not.
            if batch.isAcknowledged || !arrived.isEmpty {
                possibleTotals = Set(possibleTotals.map { $0 + batch.xp })
            } else if batch.sessions.isEmpty {
                possibleTotals.formUnion(possibleTotals.map { $0 + batch.xp })
            }
        }
        let strangers = stored.subtracting(sent.flatMap(\.sessions))
        if !strangers.isEmpty { problems.append("\(strangers) were cleared, or never sent") }
        if !possibleTotals.contains(witness.totalXP) {
            problems.append("\(witness.totalXP) XP, and not one of \(possibleTotals.sorted())")
        }
        let count = (answer["state"] as? [String: Any])?["totalSessions"] as? Int
        if count != stored.count { problems.append("\(count ?? -1) sessions counted of \(stored.count)") }
        return problems
    }
}
