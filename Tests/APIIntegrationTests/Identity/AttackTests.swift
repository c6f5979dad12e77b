import Crypto
import Foundation
import FoundationNetworking
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import API

/// What somebody tries who has read how access tokens are made, and holds one of their own.
struct AttackTests {
    /// A token as they would write it.
    private struct Forgery {
        var header: [String: Any]
        var claims: [String: Any]

        /// Exactly what the server itself would give out.
        init(like server: TestServer, uid: String, signIn: String, at now: Date) throws {
            let issuedAt = Int(now.timeIntervalSince1970)
            header = ["alg": "EdDSA", "typ": "at+jwt", "kid": try #require(server.keys.keys.first).id()]
            claims = [
                "iss": "breathmaster", "aud": "breathmaster-api", "sub": uid, "sid": signIn,
                "jti": UUID().uuidString, "iat": issuedAt, "exp": issuedAt + 900,
            ]
        }

        func signed(by key: Curve25519.Signing.PrivateKey) throws -> String {
            let text = try unsigned()
            return text + "." + (try key.signature(for: Data(text.utf8))).base64URL
        }

        /// By the public key as if it were a shared secret.
        func signed(by secret: Data) throws -> String {
            let text = try unsigned()
            let code = HMAC<SHA256>.authenticationCode(
                for: Data(text.utf8),
                using: SymmetricKey(data: secret)
            )
            return text + "." + Data(code).base64URL
        }

        func unsigned() throws -> String {
            try [header, claims].map { try JSONSerialization.data(withJSONObject: $0).base64URL }
                .joined(separator: ".")
        }

        func with(_ change: (inout Forgery) -> Void) -> Forgery {
            var copy = self
            change(&copy)
            return copy
        }
    }

    /// What they try, all of which differs from `genuine` by what it is called.
    private static func attempts(
        _ genuine: Forgery,
        by key: Curve25519.Signing.PrivateKey,
        at now: Int
    ) throws -> [(what: String, token: String)] {
        let tampered: [(String, Forgery)] = [
            ("another algorithm", genuine.with { $0.header["alg"] = "ES256" }),
            ("an algorithm in small letters", genuine.with { $0.header["alg"] = "eddsa" }),
            ("no algorithm's name", genuine.with { $0.header["alg"] = nil }),
            ("an unknown key", genuine.with { $0.header["kid"] = "AAAAAAAAAAAAAAAA" }),
            ("no key", genuine.with { $0.header["kid"] = nil }),
            ("an empty key", genuine.with { $0.header["kid"] = "" }),
            ("a path for a key", genuine.with { $0.header["kid"] = "../../signing-keys.json" }),
            ("another kind", genuine.with { $0.header["typ"] = "JWT" }),
            ("no kind", genuine.with { $0.header["typ"] = nil }),
            ("another issuer", genuine.with { $0.claims["iss"] = "elsewhere" }),
            ("no issuer", genuine.with { $0.claims["iss"] = nil }),
            ("another audience", genuine.with { $0.claims["aud"] = "another-api" }),
            ("more audiences", genuine.with { $0.claims["aud"] = ["breathmaster-api", "another-api"] }),
            ("no audience", genuine.with { $0.claims["aud"] = nil }),
            ("no name of its own", genuine.with { $0.claims["jti"] = nil }),
            ("a time that is over", genuine.with { $0.claims["exp"] = now }),
            ("no end", genuine.with { $0.claims["exp"] = nil }),
            ("an end that is text", genuine.with { $0.claims["exp"] = "tomorrow" }),
            ("a beginning to come", genuine.with { $0.claims["nbf"] = now + 120 }),
            ("a time to come", genuine.with { $0.claims["iat"] = now + 120 }),
            ("nobody's sign-in", genuine.with { $0.claims["sid"] = UUID().uuidString }),
            ("no sign-in", genuine.with { $0.claims["sid"] = nil }),
            ("somebody else", genuine.with { $0.claims["sub"] = UUID().uuidString }),
            ("no person", genuine.with { $0.claims["sub"] = "admin" }),
            ("more than ours have", genuine.with { $0.claims["more"] = String(repeating: "a", count: 1024) }),
        ]
        var attempts = try tampered.map { ($0, try $1.signed(by: key)) }

        let (another, publicKey) = (Curve25519.Signing.PrivateKey(), key.publicKey.rawRepresentation)
        attempts.append(("another key", try genuine.signed(by: another)))
        let jwk = ["kty": "OKP", "crv": "Ed25519", "x": another.publicKey.rawRepresentation.base64URL]
        attempts.append(("its own key", try genuine.with { $0.header["jwk"] = jwk }.signed(by: another)))
        for algorithm in ["HS256", "EdDSA"] {
            let confused = try genuine.with { $0.header["alg"] = algorithm }.signed(by: publicKey)
            attempts.append(("\(algorithm) by the public key", confused))
        }
        for algorithm in ["none", "None", "NONE", "EdDSA"] {
            let unsigned = try genuine.with { $0.header["alg"] = algorithm }.unsigned()
            attempts += [
                ("\(algorithm), unsigned", unsigned + "."), ("\(algorithm), without a dot", unsigned),
            ]
        }
        let whole = try genuine.signed(by: key)
        let signature = String(whole.split(separator: ".")[2])
        let other = try genuine.with { $0.claims["sub"] = UUID().uuidString }.unsigned()
        attempts += [
            ("the signature of another token", other + "." + signature),
            ("two signatures", whole + "." + signature),
            ("a signature cut short", String(whole.dropLast(4))),
        ]
        return attempts
    }

    @Test func `nothing but a whole token of ours, for us and of this moment, opens anything`() async throws {
        let clock = TestClock(Date(timeIntervalSince1970: 1_795_574_800))
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let answer = try await nobody.send(.post, "/v1/auth/anonymous")
            let token = try #require((answer.json["refreshToken"] as? String).flatMap(RefreshToken.init))
            let (genuine, attempts) = try Self.forgeries(for: token, on: server, at: clock.now)
            // Or none of the refusals would say anything.
            let good: HTTPFields = [.authorization: "Bearer \(genuine)"]
            #expect(try await nobody.send(.get, "/v1/me", headers: good).status == 200)
            #expect(attempts.count == 40)
            for (what, token) in attempts {
                let answer = try await nobody.send(
                    .get,
                    "/v1/me",
                    headers: [.authorization: "Bearer \(token)"]
                )
                #expect(answer.status == 401, "\(what)")
                #expect(answer.contentType == "application/problem+json", "\(what)")
                #expect(answer.json["code"] as? String == "unauthorized", "\(what)")
            }
            #expect(try await nobody.send(.get, "/health/ready").status == 200)
        }
    }

    private static func forgeries(
        for token: RefreshToken,
        on server: TestServer,
        at now: Date
    ) throws -> (genuine: String, attempts: [(what: String, token: String)]) {
        let key = try #require(server.keys.keys.first).signing()
        let genuine = try Forgery(like: server, uid: token.uid.text, signIn: token.family.text, at: now)
        return (
            try genuine.signed(by: key),
            try attempts(genuine, by: key, at: Int(now.timeIntervalSince1970))
        )
    }

    @Test func `what is too long is refused, and the server goes on`() async throws {
        try await TestServer().serve { nobody, url in
            for length in [8 * 1024, 16 * 1024] {
                let header = "Bearer " + String(repeating: "a", count: length)
                let answer = try await nobody.send(.get, "/v1/me", headers: [.authorization: header])
                #expect(answer.status == 401)
                let program = "Bearer bm_pat_" + String(repeating: "a", count: length)
                #expect(
                    try await nobody.send(.get, "/v1/me", headers: [.authorization: program]).status == 401
                )
            }
            for length in [1000, 100_000, 1_900_000] {
                let body = ["refreshToken": "bm_rt_" + String(repeating: "a", count: length)]
                #expect(try await nobody.send(.post, "/v1/auth/refresh", body).status == 401)
            }
            // More than any header may have: the answer comes before there is a request.
            let header: HTTPFields = [.authorization: "Bearer " + String(repeating: "a", count: 200_000)]
            let status = try? await nobody.client.execute(uri: "/v1/me", method: .get, headers: header) {
                $0.status.code
            }
            #expect([nil, 400, 431].contains(status))
            let (_, ready) = try await URLSession.shared.data(from: url.appending(path: "health/ready"))
            #expect((ready as? HTTPURLResponse)?.statusCode == 200)
        }
    }

    @Test func `a refresh token that was stolen and replayed ends with its thief`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let answer = try await nobody.send(.post, "/v1/auth/anonymous")
            let stolen = try #require(answer.json["refreshToken"] as? String)
            func refresh(_ token: String) async throws -> Client.Answer {
                try await nobody.send(.post, "/v1/auth/refresh", ["refreshToken": token])
            }
            let second = try #require(try await refresh(stolen).json["refreshToken"] as? String)
            let third = try await refresh(second)
            var owner = nobody
            owner.token = third.json["accessToken"] as? String

            #expect(try await refresh(stolen).status == 401)
            // Both are out: which of the two is the thief, nobody can tell.
            #expect(try await owner.send(.get, "/v1/me").status == 401)
            #expect(try await refresh(try #require(third.json["refreshToken"] as? String)).status == 401)
            #expect(try await refresh(stolen).status == 401)
        }
    }

    @Test(arguments: [
        "", "bm_rt_", "bm_rt_AAAA", "bm_pat_" + String(repeating: "A", count: 91),
        // Whole, and nobody's.
        "bm_rt_" + String(repeating: "A", count: 86),
    ])
    func `what is no refresh token is refused like one that is over`(token: String) async throws {
        try await TestServer().run { nobody in
            let answer = try await nobody.send(.post, "/v1/auth/refresh", ["refreshToken": token])
            #expect(answer.status == 401)
            #expect(answer.json["code"] as? String == "refresh_token_spent")
        }
    }
}
