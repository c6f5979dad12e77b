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
