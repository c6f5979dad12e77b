import Foundation
import HTTPTypes
import PGClient
import Synchronization
import Testing

@testable import API

/// What must survive when something dies.
@Suite(.serialized)
struct CrashTests {
    @Test func `a server killed in the middle of fifty syncs loses nothing and doubles nothing`() async throws
    {
        let testServer = try await TestServer(isAlone: true)
        let database = testServer.database
        let home = FileManager.default.temporaryDirectory.appending(path: "breathmaster-\(UUID())")
        defer { try? FileManager.default.removeItem(at: home) }
        let port = try freePort()
        let end = Date()

        let first = try await ServerProcess(database: database, port: port, home: home)
        var tokens: [String] = []
        for _ in 0..<50 {
            tokens.append(
                try #require(try await first.send("POST", "/v1/auth/anonymous").1["accessToken"] as? String)
            )
        }
        let once = Once()
        let acknowledged = await withTaskGroup(of: Bool.self) { group in
            for token in tokens {
                group.addTask {
                    var isAcknowledged = false
                    // All go on until the server is gone, so that it is killed in the middle of others.
                    while true {
                        let answer = try? await first.send(
                            "PUT",
                            "/v1/sync/export",
                            token: token,
                            body: Practice.export(until: end)
                        )
                        guard answer?.0 == 200 else { return isAcknowledged }
                        isAcknowledged = true
                        if once.isFirst() { first.kill() }
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(acknowledged.contains(true))

        let second = try await ServerProcess(database: database, port: port, home: home)
        for token in tokens {
            let (status, answer) = try await second.send(
                "PUT",
                "/v1/sync/export",
                token: token,
                body: Practice.export(until: end)
            )
            #expect(status == 200)
            let state = answer["state"] as? [String: Any]
            #expect(state?["totalSessions"] as? Int == 30)
            #expect(state?["totalXP"] as? Int == 30 * 45)
            #expect(state?["syncVersion"] as? Int == 1)
        }
        #expect(second.stop() == 0)
        #expect(try await testServer.boardDifferences() == [])
    }

    @Test func `without Postgres every answer is a 503 within a second, and it recovers by itself`()
        async throws
    {
        let postgres = try await blocking { try OwnPostgres() }
        defer { postgres.remove() }
        let server = try await TestServer(postgres: postgres)
        try await server.run { nobody in
            let (client, _) = try await nobody.practitioner("Ada", at: Date())
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        // Load: it goes on through the stop and ends with the 503.
                        while !Task.isCancelled, try await client.send(.get, "/v1/sync/state").status == 200 {
                        }
                    }
                }
                try postgres.stop()
                try await group.waitForAll()
            }
            for _ in 0..<20 {
                let began = ContinuousClock.now
                let answer = try await client.send(.get, "/v1/sync/state")
                #expect(answer.status == 503)
                #expect(answer.json["code"] as? String == "unavailable")
                #expect(began.duration(to: .now) < .seconds(1))
                #expect(try await client.send(.get, "/health/live").status == 200)
            }
            try postgres.start()
            try await eventually("it answers again") {
                try await client.send(.get, "/v1/sync/state").status == 200
            }
        }
    }

    @Test
    func
        `eight devices sync through kills of the server and of Postgres: what was acknowledged is there, once`()
        async throws
    {
        let postgres = try await blocking { try OwnPostgres() }
        defer { postgres.remove() }
        let home = FileManager.default.temporaryDirectory.appending(path: "breathmaster-\(UUID())")
        defer { try? FileManager.default.removeItem(at: home) }
        let testServer = try await TestServer(postgres: postgres)
        let wreck = try await Wreck(database: testServer.database, home: home)
        let token = try #require(
            await wreck.send("/v1/auth/anonymous", body: Data("{}".utf8))?.json["accessToken"] as? String
        )
        let end = Date()
        var first = Syncing("first", token: token)
        try await first.sync(Practice.sessions(until: end, days: 10, cycles: 40), through: wreck)

        try await withThrowingTaskGroup(of: Syncing.self) { group in
            for number in 0..<8 {
                group.addTask {
                    var device = Syncing("device-\(number)", token: token)
                    for sitting in 0..<10 {
                        // One every 20 minutes, each day on a device of its own.
                        let began = end.addingTimeInterval(
                            Double(-20 - number) * 86_400 + Double(sitting) * 1200
                        )
                        try await device.sync(
                            [Practice.session(startedAt: began, cycles: 50)],
                            through: wreck
                        )
                    }
                    return device
                }
            }
            group.addTask {
                for acknowledged in [15, 40] {
                    try await wreck.when(acknowledged: acknowledged) { try await $0.killServer() }
                    try await wreck.when(acknowledged: acknowledged + 12) { _ in
                        try postgres.stop()
                        try postgres.start()
                    }
                }
                return Syncing("nobody", token: token)
            }
            for try await var device in group where device.id != "nobody" {
                try await device.sync([], through: wreck)
            }
        }
        try await first.sync([], through: wreck)
        #expect(first.state["totalSessions"] as? Int == 30 + 80)
        #expect(first.state["totalXP"] as? Int == 30 * 45 + 80 * 55)
        #expect(first.state["legacyXP"] as? Int == 0)
        #expect(try await testServer.boardDifferences() == [])
    }
}

/// Says yes once.
private final class Once: Sendable {
    private let isOver = Mutex(false)

    func isFirst() -> Bool {
        isOver.withLock { isOver in
            defer { isOver = true }
            return !isOver
        }
    }
}

/// A server that is killed now and then, on one address.
private actor Wreck {
    private let database: String
    private let home: URL
    private let port: Int
    private var server: ServerProcess
    private var acknowledged = 0
    private var waiting: [(count: Int, CheckedContinuation<Void, Never>)] = []

    init(database: String, home: URL) async throws {
        self.database = database
        self.home = home
        port = try freePort()
        server = try await ServerProcess(database: database, port: port, home: home)
    }

    func killServer() async throws {
        server.kill()
        server = try await ServerProcess(database: database, port: port, home: home)
    }

    /// Nil where there was no answer.
    func send(_ path: String, token: String? = nil, body: Data? = nil) async -> Reply? {
        guard
            let json = try? body.map({ try JSONSerialization.jsonObject(with: $0) }),
            let (status, answer) = try? await server.send("POST", path, token: token, body: json)
        else { return nil }
        if status == 200 {
            acknowledged += 1
            for waiter in waiting where waiter.count <= acknowledged { waiter.1.resume() }
            waiting.removeAll { $0.count <= acknowledged }
        }
        return Reply(status: status, json: answer)
    }

    /// Does something in the middle: after so many answers, while others are under way.
    nonisolated func when(acknowledged count: Int, _ act: @Sendable (Wreck) async throws -> Void) async throws
    {
        await until(count)
        try await act(self)
    }

    private func until(_ count: Int) async {
        await withCheckedContinuation { continuation in
            if acknowledged >= count { continuation.resume() } else { waiting.append((count, continuation)) }
        }
    }
}

/// `@unchecked`: it was just read from JSON, which nobody changes.
private struct Reply: @unchecked Sendable {
    let status: Int
    let json: [String: Any]
}

/// A device that sends a batch until it knows the answer.
///
/// `@unchecked`: `state` holds values that were read from JSON, which nobody changes, and one task has the device.
private struct Syncing: @unchecked Sendable {
    let id: String
    let token: String
    private var epoch: Int?
    private var baseVersion = 0
    private var totalXP = 0
    private(set) var state: [String: Any] = [:]

    init(_ id: String, token: String) {
        self.id = id
        self.token = token
    }

    mutating func sync(_ sessions: [[String: Any]], through wreck: Wreck) async throws {
        totalXP += sessions.reduce(0) { $0 + ($1["cycles"] as? Int ?? 0) + ($1["goalBonusXP"] as? Int ?? 0) }
        let batch: [String: Any] = [
            "batchId": UUID().uuidString, "device": ["id": id, "name": id, "timeZone": "UTC"],
            "epoch": epoch ?? NSNull(), "baseVersion": baseVersion, "sessions": sessions,
            "state": ["totalXP": ["value": totalXP]],
        ]
        let text = try JSONSerialization.data(withJSONObject: batch, options: .sortedKeys)
        var answer: [String: Any] = [:]
        try await eventually("\(id) is answered", within: .seconds(60)) {
            guard let reply = await wreck.send("/v1/sync", token: token, body: text) else { return false }
            answer = reply.json
            return reply.status == 200
        }
        state = answer["state"] as? [String: Any] ?? [:]
        epoch = answer["epoch"] as? Int
        baseVersion = answer["syncVersion"] as? Int ?? baseVersion
        totalXP = state["totalXP"] as? Int ?? totalXP
    }
}
