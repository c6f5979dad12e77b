import Domain
import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

struct AuditTests {
    @Test func `what happens to an account is recorded, for its person, with when and from where`()
        async throws
    {
        let clock = TestClock(Date(timeIntervalSince1970: 1_795_574_800))
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (client, _) = try await nobody.newcomer()
            let (stranger, _) = try await nobody.newcomer()
            clock.advance(by: 1)
            _ = try await client.send(.patch, "/v1/me", ["displayName": "Ada", "dayStartsAt": 3])
            let change: [String: Any] = [
                "privacy": ["shareProgress": true], "leaderboards": ["global": ["enabled": false]],
            ]
            let changed = try await client.send(.patch, "/v1/me", change)
            clock.advance(by: 1)
            let program = try await client.program(["sync:read", "profile:write"], at: clock.now)
            clock.advance(by: 1)
            let sharing = ["privacy": ["shareProgress": false]]
            #expect(try await program.send(.patch, "/v1/me", sharing).status == 200)
            clock.advance(by: 1)
            let id = try #require(PersonalAccessToken(program.token ?? "")).id.text
            _ = try await client.send(.delete, "/v1/me/tokens/\(id)")
            _ = try await client.send(.delete, "/v1/me/tokens/\(id)")

            let answer = try await client.send(.get, "/v1/me/audit-events")
            let events = try #require(answer.json["events"] as? [[String: Any]])
            #expect(
                events.map { "\($0["action"] ?? "") \($0["detail"] ?? "-")" } == [
                    "token.revoked A program",
                    "privacy.changed shareProgress off",
                    "token.created A program: profile:write sync:read",
                    "privacy.changed shareProgress on, leaderboards.global off",
                    "account.created -",
                ]
            )
            #expect(events[3]["at"] as? String == "2026-11-25T02:46:41.000Z")
            #expect(events[3]["requestId"] as? String == changed.requestID)
            let network = try #require(SourceAddress(server.address)).coarse
            #expect(events.allSatisfy { $0["source"] as? String == network && $0["uid"] == nil })
            #expect(answer.json["nextCursor"] == nil)

            let other = try await stranger.send(.get, "/v1/me/audit-events")
            #expect((other.json["events"] as? [[String: Any]])?.count == 1)
        }
    }

    @Test func `a replayed refresh token is in the record, and a lost answer only when it was long ago`()
        async throws
    {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let answer = try await nobody.send(.post, "/v1/auth/anonymous")
            let first = try #require(answer.json["refreshToken"] as? String)
            let uid = try #require(RefreshToken(first)?.uid)
            func refresh(_ token: String) async throws -> String {
                let answer = try await nobody.send(.post, "/v1/auth/refresh", ["refreshToken": token])
                return answer.json["refreshToken"] as? String ?? ""
            }
            func actions() async throws -> [String] {
                try await server.asSuperuser { tx in
                    try await tx.query(
                        "select action from app.audit_event where uid = \(uid) order by happened_at",
                        as: String.self
                    )
                }
            }
            clock.advance(by: 1)
            let second = try await refresh(first)
            clock.advance(by: 9)
            #expect(try await refresh(first) == second)
            #expect(try await actions() == ["account.created"])
            clock.advance(by: 3600)
            #expect(try await refresh(first) == second)
            #expect(try await actions() == ["account.created", "sign-in.repeated"])
            clock.advance(by: 1)
            _ = try await refresh(second)
            clock.advance(by: 1)
            #expect(try await refresh(first) == "")
            #expect(try await actions() == ["account.created", "sign-in.repeated", "sign-in.reused"])
        }
    }

    @Test func `signing out and revoking a device are recorded`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            func actions(of uid: String) async throws -> [String] {
                let person = try #require(UUID(uuidString: uid))
                return try await server.asSuperuser { tx in
                    try await tx.query(
                        "select action from app.audit_event where uid = \(person) order by happened_at",
                        as: String.self
                    )
                }
            }
            let (one, uid) = try await nobody.newcomer()
            clock.advance(by: 1)
            _ = try await one.send(.put, "/v1/sync/export", Practice.export(until: clock.now))
            #expect(try await one.send(.delete, "/v1/devices/nothing").status == 404)
            #expect(try await one.send(.post, "/v1/auth/sign-out").status == 204)
            #expect(try await actions(of: uid) == ["account.created", "sign-in.ended"])

            let (other, otherUID) = try await nobody.newcomer()
            clock.advance(by: 1)
            #expect(try await other.send(.post, "/v1/auth/sign-out-everywhere").status == 204)
            #expect(try await actions(of: otherUID) == ["account.created", "sign-in.all-ended"])

            let (third, thirdUID) = try await nobody.newcomer()
            clock.advance(by: 1)
            _ = try await third.send(
                .put,
                "/v1/sync/export",
                Practice.export(device: "laptop", until: clock.now)
            )
            #expect(try await third.send(.delete, "/v1/devices/laptop").status == 204)
            #expect(try await actions(of: thirdUID) == ["account.created", "device.revoked"])
        }
    }

    @Test func `a record is read page by page, and each line once`() async throws {
        let clock = TestClock()
        try await TestServer(clock: clock).run { nobody in
            let (client, _) = try await nobody.newcomer()
            // Some in the same moment.
            for n in 1...9 {
                if n % 3 == 0 { clock.advance(by: 1) }
                _ = try await client.send(.patch, "/v1/me", ["privacy": ["shareStreaks": n % 2 == 0]])
            }
            var (ids, cursor): ([String], String?) = ([], nil)
            repeat {
                let path = "/v1/me/audit-events?limit=4" + (cursor.map { "&cursor=\($0)" } ?? "")
                let answer = try await client.send(.get, path)
                let events = try #require(answer.json["events"] as? [[String: Any]])
                #expect(events.count <= 4)
                ids += events.compactMap { $0["id"] as? String }
                cursor = answer.json["nextCursor"] as? String
            } while cursor != nil
            #expect(ids.count == 10)
            #expect(Set(ids).count == 10)
        }
    }

    @Test(arguments: [
        ("limit=0", "limit"), ("limit=101", "limit"), ("limit=x", "limit"), ("cursor=AAAA", "cursor"),
    ])
    func `what can't be asked for is refused by its name`(query: String, field: String) async throws {
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            let answer = try await client.send(.get, "/v1/me/audit-events?\(query)")
            #expect(answer.status == 422)
            #expect(answer.json["field"] as? String == field)
        }
    }
}
