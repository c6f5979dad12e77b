import Foundation
import HTTPTypes
import Testing

@testable import API

struct AppealTests {
    private let end = Date()

    /// Someone with a session in quarantine.
    private func quarantined(_ nobody: Client) async throws -> (
        laptop: BatchDevice, uid: String, session: [String: Any]
    ) {
        let (client, uid) = try await nobody.newcomer()
        var laptop = BatchDevice("laptop", of: client)
        try await laptop.sync(Practice.sessions(until: end, days: 10, cycles: 40))
        let session = Practice.session(startedAt: end.addingTimeInterval(-86_400 * 15), cycles: 301)
        let answer = try await laptop.sync([session])
        #expect(answer.outcomes == ["sessions 0 quarantined tooManyCycles"])
        #expect(answer.state["totalSessions"] as? Int == 30)
        return (laptop, uid, session)
    }

    @Test func `an accepted appeal lets the session count, and both acts can be read`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let (laptop, uid, session) = try await quarantined(nobody)
            let before = try await laptop.client.send(.get, "/v1/sync/state").json
            try await server.decide(appealOf: session, by: laptop.client, uid: uid, accepted: true)
            let state = try await laptop.client.send(.get, "/v1/sync/state").json
            #expect(state["totalSessions"] as? Int == 31)
            #expect(state["totalXP"] as? Int == before["totalXP"] as? Int)
            #expect(state["legacyXP"] as? Int == 0)
            let path = "/v1/sync/sessions/\(session["id"] ?? "")/appeal"
            let appeals = try await laptop.client.send(.get, path).json["appeals"] as? [[String: Any]]
            #expect(appeals?.first?["status"] as? String == "accepted")
            #expect(appeals?.first?["verdict"] as? String == "tooManyCycles")
        }
    }

    @Test func `a declined appeal changes nothing, and is decided once`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let (laptop, uid, session) = try await quarantined(nobody)
            try await server.decide(appealOf: session, by: laptop.client, uid: uid, accepted: false)
            #expect(try await laptop.client.send(.get, "/v1/sync/state").json["totalSessions"] as? Int == 30)
            await #expect(throws: (any Error).self) {
                try await server.decide(appealOf: session, by: laptop.client, uid: uid, accepted: true)
            }
            #expect(try await laptop.client.send(.get, "/v1/sync/state").json["totalSessions"] as? Int == 30)
        }
    }

    @Test(arguments: [("two words", "two%20words"), ("é", "e%CC%81"), ("a/b", "a%2Fb")])
    func `a session is found by its name, whatever it is`(_ id: String, _ inPath: String) async throws {
        try await TestServer().run { nobody in
            var (laptop, _, session) = try await quarantined(nobody)
            session["id"] = id
            try await laptop.sync([session])
            let path = "/v1/sync/sessions/\(inPath)/appeal"
            let asked = try await laptop.client.send(
                .post,
                path,
                ["deviceId": "laptop", "startedAt": session["startedAt"] ?? "", "reason": "please"]
            )
            #expect(asked.status == 201)
            let appeals = try await laptop.client.send(.get, path).json["appeals"] as? [Any]
            #expect(appeals?.count == 1)
        }
    }

    @Test func `a session that counts by the time of the decision goes on counting, whatever comes later`()
        async throws
    {
        let server = try await TestServer()
        try await server.run { nobody in
            var (laptop, uid, _) = try await quarantined(nobody)
            func session(_ minute: Double) -> [String: Any] {
                Practice.session(startedAt: end.addingTimeInterval(-86_400 * 20 + minute * 60), cycles: 40)
            }
            let appealed = session(5)
            let overlapping = try await laptop.sync([session(0), appealed])
            #expect(overlapping.outcomes == ["sessions 0 accepted", "sessions 1 quarantined overlaps"])
            try await laptop.client.appeal(appealed)
            // One that comes late pushes the other one out, and with it what was in the way.
            #expect(try await laptop.sync([session(-8)]).outcomes == ["sessions 0 accepted"])
            #expect(try await laptop.client.verdict(on: appealed) == "sound")
            try await server.decide(appealed, uid: uid, accepted: true)
            #expect(try await laptop.sync([session(3)]).outcomes == ["sessions 0 accepted"])
            #expect(try await laptop.client.verdict(on: appealed) == "sound")
        }
    }

    @Test func `an appeal for a session that was cleared meanwhile can't be accepted, and stays open`()
        async throws
    {
        let server = try await TestServer()
        try await server.run { nobody in
            let (laptop, uid, session) = try await quarantined(nobody)
            try await laptop.client.appeal(session)
            let cleared = try await laptop.client.send(
                .post,
                "/v1/sync/reset",
                ["device": ["id": "laptop", "name": "laptop", "timeZone": "UTC"], "epoch": 1]
            )
            #expect(cleared.json["epoch"] as? Int == 2)
            let error = await #expect(throws: Failure.self) {
                try await server.decide(session, uid: uid, accepted: true)
            }
            #expect(error?.description.contains("has cleared that session") == true)
            let path = "/v1/sync/sessions/\(session["id"] ?? "")/appeal"
            func status() async throws -> String? {
                let appeals = try await laptop.client.send(.get, path).json["appeals"] as? [[String: Any]]
                return appeals?.first?["status"] as? String
            }
            #expect(try await status() == "open")
            try await server.decide(session, uid: uid, accepted: false)
            #expect(try await status() == "declined")
        }
    }

    @Test func `a session that counts, or isn't there, can't be appealed`() async throws {
        try await TestServer().run { nobody in
            let (laptop, _, session) = try await quarantined(nobody)
            let sound = try #require(Practice.sessions(until: end, days: 1, cycles: 40).first)
            func appeal(_ session: [String: Any], _ client: Client) async throws -> Int {
                try await client.send(
                    .post,
                    "/v1/sync/sessions/\(session["id"] ?? "")/appeal",
                    ["deviceId": "laptop", "startedAt": session["startedAt"] ?? "", "reason": "please"]
                ).status
            }
            #expect(try await appeal(sound, laptop.client) == 409)
            let (stranger, _) = try await nobody.newcomer()
            #expect(try await appeal(session, stranger) == 404)
        }
    }
}

extension Client {
    fileprivate func verdict(on session: [String: Any]) async throws -> String? {
        let answer = try await send(.get, "/v1/sync/sessions?limit=500").json
        let sessions = try #require(answer["sessions"] as? [[String: Any]])
        let stored = sessions.first { $0["id"] as? String == session["id"] as? String }
        return stored?["verdict"] as? String
    }
}
