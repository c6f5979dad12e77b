import Foundation
import Testing

@testable import API

/// Whoever dies, and whenever: what was acknowledged is there, and what was not is there at most once; and each counts
/// for what it should, by whatever clocks two devices practised at the same time.
/// `SOAK_CRASHES` says how many plans are tried.
struct CrashPropertyTests {
    private struct Outcome {
        let problems: [String]
        /// What occurred, by name.
        let occasions: Set<String>
    }

    /// What batches of devices add up to, if all of them arrived.
    private struct Sum: Hashable {
        var brought = 0
        /// The largest total that one of them showed.
        var shown = 0
    }

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
                let outcome = try await Self.outcome(of: plan, on: wreck, postgres, testServer)
                occasions.formUnion(outcome.occasions)
                #expect(outcome.problems == [], "seed \(seed)")
                #expect(try await testServer.boardDifferences() == [], "seed \(seed)")
            }
        }
        // It means nothing where the occasion never came.
        #expect(
            occasions == [
                "sync", "sendAgain", "reset", "syncAndVanish", "clock", "serverIsKilled", "postgresStops",
                "postgresCrashes", "sound", "overlaps", "inTheFuture", "clockPutRight", "sharedTime",
            ]
        )
    }

    private static func outcome(
        of plan: CrashPlan,
        on wreck: Wreck,
        _ postgres: OwnPostgres,
        _ server: TestServer
    ) async throws -> Outcome {
        let end = Date()
        let (token, uid) = try await wreck.newcomer()
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
            for (number, part) in plan.devices.enumerated() {
                group.addTask {
                    // Each two practise on a day of their own, and mostly at the same time.
                    let day = end.addingTimeInterval(Double(-20 - number / 2) * 86_400)
                    var device = CrashDevice(
                        "device-\(number)",
                        token: token,
                        practisingOn: day.addingTimeInterval(Double(part.delay) * 60),
                        tellsClock: part.tellsClock
                    )
                    try await device.sync(through: wreck)
                    for step in part.steps { try await device.perform(step, through: wreck) }
                    return device
                }
            }
            for try await device in group { devices.append(device) }
        }
        await wreck.waitNoMore()
        try await disasters
        var witness = CrashDevice("witness", token: token)
        let answer = try await witness.sync(through: wreck)
        let sessions = answer["sessions"] as? [[String: Any]] ?? []
        let practice = try await JudgedPractice(sessions, of: uid, on: server)
        var problems = Self.problems(of: devices, as: witness, sees: answer, practice)
        problems += practice.problems + clockProblems(of: practice, by: devices, since: end)
        problems += try await states(of: devices, on: wreck)
        return Outcome(problems: problems, occasions: practice.occasions)
    }

    /// A clock that a device told was found to be as wrong as it was, but for the time that a request took; and of any
    /// other, nothing was made up.
    private static func clockProblems(
        of practice: JudgedPractice,
        by devices: [CrashDevice],
        since start: Date
    ) -> [String] {
        let sent = devices.flatMap(\.sent)
        let longest = Date().timeIntervalSince(start) * 1000
        return practice.sittings.compactMap { sitting in
            let batch = sent.first { $0.sessions.contains(sitting.name) }
            guard let error = batch?.clockError else {
                return sitting.clockOffset == 0
                    ? nil : "\(sitting.name) was put right by \(sitting.clockOffset) ms, unasked"
            }
            // Whole milliseconds, of the clock and of ours.
            let beyond = Double(sitting.clockOffset) + error * 1000
            return (-2...longest + 2).contains(beyond)
                ? nil : "\(sitting.name) was put right by \(sitting.clockOffset) ms, of \(-error) s"
        }
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
    private static func problems(
        of devices: [CrashDevice],
        as witness: CrashDevice,
        sees answer: [String: Any],
        _ practice: JudgedPractice
    ) -> [String] {
        var problems = devices.flatMap(\.problems)
        let stored = Set(practice.sittings.map(\.name))
        if stored.count != practice.sittings.count { problems.append("a session is there twice") }

        // What was sent before a clear is gone with it.
        let sent = devices.flatMap(\.sent).filter { $0.epoch == witness.epoch }
        var sums: Set<Sum> = [Sum()]
        for batch in sent {
            let arrived = batch.sessions.intersection(stored)
            if arrived != batch.sessions, batch.isAcknowledged || !arrived.isEmpty {
                problems.append("\(arrived.count) of \(batch.sessions)")
            }
            let further = sums.map {
                Sum(brought: $0.brought + batch.xp, shown: max($0.shown, batch.shownXP))
            }
            // Without a session, one that nobody answered for may be there or not.
            if batch.isAcknowledged || !arrived.isEmpty {
                sums = Set(further)
            } else if batch.sessions.isEmpty {
                sums.formUnion(further)
            }
        }
        let strangers = stored.subtracting(sent.flatMap(\.sessions))
        if !strangers.isEmpty { problems.append("\(strangers) were cleared, or never sent") }
        // What two did at once counts once, and no total goes below one that a device showed.
        let possibleTotals = Set(sums.map { max($0.brought - practice.overlapXP, $0.shown) })
        if !possibleTotals.contains(witness.totalXP) {
            problems.append("\(witness.totalXP) XP, and not one of \(possibleTotals.sorted())")
        }
        let count = (answer["state"] as? [String: Any])?["totalSessions"] as? Int
        if count != practice.sound.count {
            problems.append("\(count ?? -1) sessions counted of \(practice.sound.count)")
        }
        return problems
    }
}
