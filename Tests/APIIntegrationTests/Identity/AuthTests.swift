import Domain
import Foundation
import HTTPTypes
import Tenancy
import Testing

@testable import API

struct AuthTests {
    @Test func `an anonymous account is a pair of tokens and nothing personal`() async throws {
        try await TestServer().run { nobody in
            let answer = try await nobody.send(.post, "/v1/auth/anonymous")
            #expect(answer.status == 201)
            #expect(
                Set(answer.json.keys) == [
                    "uid", "accessToken", "refreshToken", "expiresIn", "signInEndsAt", "recoveryCode",
                ]
            )
            #expect(answer.json["expiresIn"] as? Int == 900)
        }
    }

    @Test func `a refresh token brings a new pair and is spent once its successor was used`() async throws {
        try await TestServer().run { nobody in
            let first = try await nobody.signUp()
            let second = try await nobody.refresh(first)
            let third = try await nobody.refresh(second)
            #expect(Set([first, second, third]).count == 3)
            #expect(try await nobody.refreshStatus(first) == 401)
        }
    }

    @Test func `a lost answer signs nobody out`() async throws {
        try await TestServer().run { nobody in
            let first = try await nobody.signUp()
            _ = try await nobody.refresh(first)
            let again = try await nobody.refresh(first)
            #expect(try await nobody.refreshStatus(again) == 200)
        }
    }

    @Test func `two windows that refresh at once get the same answer`() async throws {
        try await TestServer().run { nobody in
            let first = try await nobody.signUp()
            let one = try await nobody.refresh(first)
            let other = try await nobody.refresh(first)
            #expect(one == other)
            #expect(try await nobody.refreshStatus(one) == 200)
        }
    }

    @Test func `who comes back within ninety days stays signed in`() async throws {
        let clock = TestClock()
        try await TestServer(clock: clock).run { nobody in
            var token = try await nobody.signUp()
            for _ in 1...3 {
                clock.advance(by: 89 * 86_400)
                token = try await nobody.refresh(token)
            }
            clock.advance(by: 91 * 86_400)
            #expect(try await nobody.refreshStatus(token) == 401)
        }
    }

    @Test func `a sign-in is over after a year, however often it is continued`() async throws {
        let clock = TestClock()
        try await TestServer(clock: clock).run { nobody in
            var token = try await nobody.signUp()
            for _ in 1...4 {
                clock.advance(by: 89 * 86_400)
                token = try await nobody.refresh(token)
            }
            clock.advance(by: 8 * 86_400)
            let last = try await nobody.send(.post, "/v1/auth/refresh", ["refreshToken": token])
            let end = try #require((last.json["signInEndsAt"] as? String).flatMap(Instant.init))
            #expect(end.date.timeIntervalSince(clock.now) < 2 * 86_400)
            clock.advance(by: 2 * 86_400)
            let successor = try #require(last.json["refreshToken"] as? String)
            #expect(try await nobody.refreshStatus(successor) == 401)
        }
    }

    @Test func `who signs out is out at once, and other sign-ins go on`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let (client, refreshToken, _) = try await nobody.signedIn()
            let (other, otherToken, _) = try await nobody.signedIn()
            #expect(try await client.send(.post, "/v1/auth/sign-out").status == 204)
            #expect(try await client.send(.get, "/v1/me").status == 401)
            #expect(try await client.send(.post, "/v1/auth/sign-out").status == 401)
            #expect(try await nobody.refreshStatus(refreshToken) == 401)
            #expect(try await other.send(.get, "/v1/me").status == 200)
            #expect(try await nobody.refreshStatus(otherToken) == 200)
        }
    }

    @Test func `who signs out everywhere is out everywhere at once, with every token`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (client, first, uid) = try await nobody.signedIn()
            // The same person by another sign-in.
            let second = RefreshToken(uid: uid)
            try await TenantDatabase(pool: server.server.pool).write(as: Principal(uid: uid)) { tx in
                let end = clock.now.addingTimeInterval(3600)
                try await tx.beginFamily(second, at: clock.now, expiresAt: end, endsAt: end)
            }
            var phone = nobody
            phone.token = try await server.server.tokens.token(for: uid, signIn: second.family)
            let program = try await client.program(["profile:read"], at: clock.now)
            let (stranger, _, _) = try await nobody.signedIn()
            for one in [client, phone, program, stranger] {
                #expect(try await one.send(.get, "/v1/me").status == 200)
            }

            #expect(try await phone.send(.post, "/v1/auth/sign-out-everywhere").status == 204)
            for one in [client, phone, program] {
                #expect(try await one.send(.get, "/v1/me").status == 401)
            }
            #expect(try await nobody.refreshStatus(first) == 401)
            #expect(try await nobody.refreshStatus(second.text) == 401)
            #expect(try await stranger.send(.get, "/v1/me").status == 200)
        }
    }

    @Test func `an access token that is over does not stand in the way of a new one`() async throws {
        try await TestServer().run { nobody in
            let answer = try await nobody.send(
                .post,
                "/v1/auth/anonymous",
                headers: [.authorization: "Bearer stale"]
            )
            #expect(answer.status == 201)
        }
    }

    @Test func `a token that was copied and used ends the whole sign-in`() async throws {
        try await TestServer().run { nobody in
            let first = try await nobody.signUp()
            let second = try await nobody.refresh(first)
            let third = try await nobody.refresh(second)
            #expect(try await nobody.refreshStatus(first) == 401)
            #expect(try await nobody.refreshStatus(third) == 401)
        }
    }

    @Test func `an access token ends with its sign-in`() async throws {
        try await TestServer().run { nobody in
            let answer = try await nobody.send(.post, "/v1/auth/anonymous")
            let first = try #require(answer.json["refreshToken"] as? String)
            var client = nobody
            client.token = answer.json["accessToken"] as? String
            _ = try await nobody.refresh(try await nobody.refresh(first))
            #expect(try await client.send(.get, "/v1/me").status == 200)
            #expect(try await nobody.refreshStatus(first) == 401)
            #expect(try await client.send(.get, "/v1/me").status == 401)
        }
    }

    @Test func `an access token of a sign-in that never was is refused`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let (_, uid) = try await nobody.newcomer()
            let (_, other) = try await nobody.newcomer()
            for signIn in [uid, other].compactMap(UUID.init(uuidString:)) + [UUID()] {
                var client = nobody
                client.token = try await server.server.tokens.token(
                    for: try #require(UUID(uuidString: uid)),
                    signIn: signIn
                )
                #expect(try await client.send(.get, "/v1/me").status == 401)
            }
        }
    }

    @Test(arguments: [
        "", "nonsense", "Bearer", "Bearer a.b.c",
        // alg none, and our own claims
        "Bearer eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.eyJpc3MiOiJicmVhdGhtYXN0ZXIifQ.",
    ])
    func `what is not a token of ours is refused`(header: String) async throws {
        try await TestServer().run { nobody in
            let answer = try await nobody.send(.get, "/v1/me", headers: [.authorization: header])
            #expect(answer.status == 401)
            #expect(answer.json["code"] as? String == "unauthorized")
        }
    }

    @Test func `an access token is over after fifteen minutes`() async throws {
        let clock = TestClock()
        try await TestServer(clock: clock).run { nobody in
            let (client, _) = try await nobody.newcomer()
            clock.advance(by: 899)
            #expect(try await client.send(.get, "/v1/me").status == 200)
            clock.advance(by: 2)
            #expect(try await client.send(.get, "/v1/me").status == 401)
        }
    }

    @Test func `a token of another server's key is refused`() async throws {
        let foreign = try await TestServer().server.tokens.token(for: UUID(), signIn: UUID())
        try await TestServer().run { nobody in
            let answer = try await nobody.send(.get, "/v1/me", headers: [.authorization: "Bearer \(foreign)"])
            #expect(answer.status == 401)
        }
    }

    @Test func `the key set has the public half of the key and no more`() async throws {
        try await TestServer().run { nobody in
            let answer = try await nobody.send(.get, "/.well-known/jwks.json")
            let key = try #require((answer.json["keys"] as? [[String: Any]])?.first)
            #expect(Set(key.keys) == ["kty", "crv", "alg", "use", "kid", "x"])
        }
    }
}

extension Client {
    fileprivate func signedIn() async throws -> (client: Client, refreshToken: String, uid: UUID) {
        let answer = try await send(.post, "/v1/auth/anonymous")
        var client = self
        client.token = answer.json["accessToken"] as? String
        let token = try #require(answer.json["refreshToken"] as? String)
        return (client, token, try #require(RefreshToken(token)?.uid))
    }

    fileprivate func signUp() async throws -> String {
        try #require(try await send(.post, "/v1/auth/anonymous").json["refreshToken"] as? String)
    }

    fileprivate func refresh(_ token: String) async throws -> String {
        let answer = try await send(.post, "/v1/auth/refresh", ["refreshToken": token])
        return try #require(answer.json["refreshToken"] as? String)
    }

    fileprivate func refreshStatus(_ token: String) async throws -> Int {
        try await send(.post, "/v1/auth/refresh", ["refreshToken": token]).status
    }
}
