import Domain
import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

struct TokenTests {
    private static func wish(
        _ scopes: [String] = ["sync:read"],
        name: String = "Calendar",
        until end: Date
    ) -> [String: Any] {
        ["name": name, "scopes": scopes, "expiresAt": Instant(end).description]
    }

    @Test func `a token is shown once, and known by its name from then on`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (client, _) = try await nobody.newcomer()
            let end = clock.now.addingTimeInterval(86_400)
            let wish = Self.wish(["sync:read", "profile:read", "sync:read"], until: end)
            let made = try await client.send(.post, "/v1/me/tokens", wish)
            #expect(made.status == 201)
            #expect(Set(made.json.keys) == ["id", "name", "scopes", "createdAt", "expiresAt", "token"])
            let token = try #require(made.json["token"] as? String)
            #expect(token.hasPrefix("bm_pat_") && token.utf8.count == 98)

            let answer = try await client.send(.get, "/v1/me/tokens")
            let listed = try #require((answer.json["tokens"] as? [[String: Any]])?.first)
            #expect(Set(listed.keys) == ["id", "name", "scopes", "createdAt", "expiresAt"])
            #expect(listed["name"] as? String == "Calendar")
            #expect(listed["scopes"] as? [String] == ["profile:read", "sync:read"])
            #expect(listed["expiresAt"] as? String == Instant(end).description)
            // What opens the door is nowhere to be read.
            let stored = try await server.asSuperuser { tx in
                try await tx.queryOne(
                    "select string_agg(to_jsonb(t)::text, ' ') from app.access_token t where name = 'Calendar'",
                    as: String.self
                )
            }
            #expect(!stored.contains(token.suffix(40)))
        }
    }

    @Test func `a program acts as its person, within its scopes and until its end`() async throws {
        let clock = TestClock()
        try await TestServer(clock: clock).run { nobody in
            let (client, uid) = try await nobody.newcomer()
            let program = try await client.program(["profile:read"], at: clock.now)
            #expect(try await program.send(.get, "/v1/me").json["uid"] as? String == uid)

            let change = try await program.send(.patch, "/v1/me", ["displayName": "Mallory"])
            #expect(change.status == 403)
            #expect(change.json["code"] as? String == "insufficient_scope")
            #expect(
                change.headers[.wwwAuthenticate]
                    == "Bearer error=\"insufficient_scope\", scope=\"profile:write\""
            )
            #expect(try await client.send(.get, "/v1/me").json["displayName"] == nil)

            let own = try await program.send(.get, "/v1/me/tokens")
            #expect(own.status == 403)
            #expect(own.json["code"] as? String == "token_not_accepted")

            clock.advance(by: 30 * 86_400 + 1)
            #expect(try await program.send(.get, "/v1/me").status == 401)
        }
    }

    @Test func `a token that is revoked opens nothing any more, and only its person revokes it`() async throws
    {
        let clock = TestClock()
        try await TestServer(clock: clock).run { nobody in
            let (client, _) = try await nobody.newcomer()
            let (stranger, _) = try await nobody.newcomer()
            let program = try await client.program(["profile:read"], at: clock.now)
            let tokens = try await client.send(.get, "/v1/me/tokens").json["tokens"] as? [[String: Any]]
            let path = "/v1/me/tokens/\(tokens?.first?["id"] ?? "")"
            #expect(try await stranger.send(.delete, path).status == 404)
            #expect(try await program.send(.get, "/v1/me").status == 200)
            #expect(try await client.send(.delete, path).status == 204)
            #expect(try await program.send(.get, "/v1/me").status == 401)
            #expect(try await client.send(.delete, path).status == 404)
            #expect(try await client.send(.delete, "/v1/me/tokens/nonsense").status == 404)
        }
    }

    @Test func `a token that is not whole is none`() async throws {
        let clock = TestClock()
        try await TestServer(clock: clock).run { nobody in
            let (client, uid) = try await nobody.newcomer()
            let program = try await client.program(["profile:read"], at: clock.now)
            let token = try #require(program.token)
            // A guess, with everything right but the secret.
            let guess = PersonalAccessToken(uid: try #require(UUID(uuidString: uid))).text
            let changed = token.dropLast() + (token.hasSuffix("A") ? "E" : "A")
            for wrong in [guess, String(changed), String(token.dropLast()), token + "A", "bm_pat_"] {
                var thief = nobody
                thief.token = wrong
                #expect(try await thief.send(.get, "/v1/me").status == 401, "\(wrong)")
            }
            #expect(PersonalAccessToken(String(changed)) == nil)
            #expect(PersonalAccessToken(guess) != nil)
        }
    }

    @Test func `the day of the last use is noted, once a day`() async throws {
        let clock = TestClock(Date(timeIntervalSince1970: 1_795_574_800))
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            let (client, _) = try await nobody.newcomer()
            let program = try await client.program(["profile:read"], at: clock.now)
            func lastUse() async throws -> String? {
                let answer = try await client.send(.get, "/v1/me/tokens").json["tokens"] as? [[String: Any]]
                return answer?.first?["lastUsedOn"] as? String
            }
            /// Which transaction wrote the row last.
            func writer() async throws -> String {
                let id = try #require(PersonalAccessToken(program.token ?? "")?.id)
                return try await server.asSuperuser { tx in
                    try await tx.queryOne(
                        "select xmin::text from app.access_token where token_id = \(id)",
                        as: String.self
                    )
                }
            }
            #expect(try await lastUse() == nil)
            _ = try await program.send(.patch, "/v1/me", ["displayName": "Mallory"])
            #expect(try await lastUse() == nil)
            _ = try await program.send(.get, "/v1/me")
            #expect(try await lastUse() == "2026-11-25")
            let first = try await writer()
            for _ in 1...5 { _ = try await program.send(.get, "/v1/me") }
            #expect(try await writer() == first)
            clock.advance(by: 86_400)
            _ = try await program.send(.get, "/v1/me")
            #expect(try await lastUse() == "2026-11-26")
        }
    }

    @Test func `there is room for twenty tokens`() async throws {
        let clock = TestClock()
        try await TestServer(clock: clock).run { nobody in
            let (client, _) = try await nobody.newcomer()
            let wish = Self.wish(until: clock.now.addingTimeInterval(86_400))
            for _ in 1...20 {
                #expect(try await client.send(.post, "/v1/me/tokens", wish).status == 201)
            }
            let answer = try await client.send(.post, "/v1/me/tokens", wish)
            #expect(answer.status == 409)
            #expect(answer.json["code"] as? String == "access_token_limit_reached")
        }
    }

    @Test func `a wish that can't be is refused by field`() async throws {
        let clock = TestClock()
        try await TestServer(clock: clock).run { nobody in
            let (client, _) = try await nobody.newcomer()
            let day = clock.now.addingTimeInterval(86_400)
            let wishes: [(String, [String: Any])] = [
                ("name", Self.wish(name: "", until: day)),
                ("name", Self.wish(name: String(repeating: "a", count: 81), until: day)),
                ("scopes", Self.wish([], until: day)),
                ("scopes", Self.wish(["sync:read", "everything"], until: day)),
                ("expiresAt", Self.wish(until: clock.now)),
                ("expiresAt", Self.wish(until: clock.now.addingTimeInterval(366 * 86_400))),
                ("expiresAt", ["name": "Forever", "scopes": ["sync:read"]]),
            ]
            for (field, wish) in wishes {
                let answer = try await client.send(.post, "/v1/me/tokens", wish)
                #expect(answer.status == 422)
                #expect(answer.json["field"] as? String == field)
            }
        }
    }

    @Test func `guessing somebody's tokens takes nothing from them`() async throws {
        let clock = TestClock()
        try await TestServer(clock: clock).run { nobody in
            let (client, uid) = try await nobody.newcomer()
            var thief = nobody
            thief.token = PersonalAccessToken(uid: try #require(UUID(uuidString: uid))).text
            var statuses: Set<Int> = []
            for _ in 1...1201 { statuses.insert(try await thief.send(.get, "/v1/me/tokens").status) }
            #expect(statuses == [403, 429])
            #expect(try await client.send(.get, "/v1/me").status == 200)
        }
    }
}
