import Foundation
import Testing

/// A server that is killed now and then, on one address.
actor Wreck {
    private let database: String
    private let home: URL
    private let port: Int
    private var server: ServerProcess
    private var answers = 0
    private var waiting: [(count: Int, CheckedContinuation<Void, Never>)] = []

    init(database: String, home: URL) async throws {
        self.database = database
        self.home = home
        port = try freePort()
        server = try await ServerProcess(database: database, port: port, home: home)
    }

    /// Somebody who is on the global board.
    func newcomer() async throws -> (token: String, uid: String) {
        let answer = await send("POST", "/v1/auth/anonymous", body: Data("{}".utf8))
        let token = try #require(answer?.json["accessToken"] as? String)
        let uid = try #require(answer?.json["uid"] as? String)
        let wish = try JSONSerialization.data(
            withJSONObject: ["displayName": "Ada", "leaderboards": ["global": ["enabled": true]]]
        )
        #expect(await send("PATCH", "/v1/me", token: token, body: wish)?.status == 200)
        return (token, uid)
    }

    /// Nil where there was no answer.
    func send(
        _ method: String,
        _ path: String,
        token: String? = nil,
        clockError: TimeInterval? = nil,
        body: Data
    ) async -> Reply? {
        guard
            let json = try? JSONSerialization.jsonObject(with: body),
            let (status, answer) = try? await server.send(
                method,
                path,
                token: token,
                clockError: clockError,
                body: json
            )
        else { return nil }
        if status == 200 {
            answers += 1
            for waiter in waiting where waiter.count <= answers { waiter.1.resume() }
            waiting.removeAll { $0.count <= answers }
        }
        return Reply(status: status, json: answer)
    }

    func countAnew() {
        answers = 0
    }

    /// Nobody is under way any more, as where some were never answered.
    func waitNoMore() {
        answers = .max / 2
        for waiter in waiting { waiter.1.resume() }
        waiting = []
    }

    /// Until there were so many good answers, while others are under way.
    func until(_ count: Int) async {
        await withCheckedContinuation { continuation in
            if answers >= count { continuation.resume() } else { waiting.append((count, continuation)) }
        }
    }

    func befall(_ disaster: CrashPlan.Disaster, _ postgres: OwnPostgres) async throws {
        switch disaster {
        case .serverIsKilled:
            server.kill()
            server = try await ServerProcess(database: database, port: port, home: home)
        case .postgresStops, .postgresCrashes:
            try postgres.stop(disaster == .postgresCrashes ? .immediate : .fast)
            try await postgres.startAgain()
        }
    }
}

/// `@unchecked`: it was just read from JSON, which nobody changes.
struct Reply: @unchecked Sendable {
    let status: Int
    let json: [String: Any]
}
