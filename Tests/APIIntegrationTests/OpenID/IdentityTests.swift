import Foundation
import HTTPTypes
import Testing

@testable import API

struct IdentityTests {
    /// Where a test changes nothing of it, one is enough for all.
    private static let provider = Task { try await TestProvider() }

    @Test func `whoever shows a provider's ID token has an account, the same each time`() async throws {
        let provider = try await TestProvider()
        defer { provider.stop() }
        let server = try await TestServer(google: provider.settings)
        try await server.run { nobody in
            let token = try await provider.idToken("1001", nonce: try await nobody.nonce())
            let first = try await nobody.send(.post, "/v1/auth/google", ["idToken": token])
            #expect(first.status == 201)
            var ada = nobody
            ada.token = first.json["accessToken"] as? String
            #expect(try await ada.send(.get, "/v1/me").json["uid"] as? String == first.json["uid"] as? String)
            let second = try await nobody.signIn("1001", at: provider)
            #expect(second.status == 200)
            #expect(second.json["uid"] as? String == first.json["uid"] as? String)
            #expect(
                try await nobody.signIn("1002", at: provider).json["uid"] as? String != first.json["uid"]
                    as? String
            )

            let again = try await nobody.send(.post, "/v1/auth/google", ["idToken": token])
            #expect(again.status == 401)
            #expect(again.json["detail"] as? String == "nonce: used before")
            let record = try await ada.send(.get, "/v1/me/audit-events").json["events"] as? [[String: Any]]
            let lines = try #require(record).compactMap { $0["action"] as? String }
            #expect(lines.sorted() == ["account.created", "sign-in.begun", "sign-in.begun"])
        }
    }

    struct Forgery: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var claims: @Sendable (Date) -> [String: any Sendable] = { _ in [:] }
        var header: [String: any Sendable] = [:]
        var key = "first"
        let why: String
    }

    private static let notSigned = "it is not signed by a key of the provider's"
    private static let notSignedRight = "it is not signed by a key of the provider's with RS256"

    @Test(arguments: [
        Forgery(
            testDescription: "another issuer",
            claims: { _ in ["iss": "https://accounts.google.com"] },
            why: "iss: another issuer's"
        ),
        Forgery(
            testDescription: "another program",
            claims: { _ in ["aud": "somebody else's"] },
            why: "aud: for another program"
        ),
        Forgery(
            testDescription: "another program too",
            claims: { _ in ["aud": ["editor", "somebody else's"]] },
            why: "aud: for another program"
        ),
        Forgery(
            testDescription: "over",
            claims: { ["exp": Int($0.timeIntervalSince1970)] },
            why: "exp: it is over"
        ),
        Forgery(
            testDescription: "from the future",
            claims: { ["iat": Int($0.timeIntervalSince1970) + 302] },
            why: "iat: it is from the future"
        ),
        Forgery(testDescription: "nobody's", claims: { _ in ["sub": ""] }, why: "sub: nobody's"),
        Forgery(testDescription: "no nonce", claims: { _ in ["nonce": NSNull()] }, why: "nonce: missing"),
        Forgery(
            testDescription: "a nonce of one's own",
            claims: { _ in ["nonce": "a nonce of one's own"] },
            why: "nonce: not one of ours, or over"
        ),
        Forgery(testDescription: "no signature", header: ["alg": "none"], key: "none", why: notSignedRight),
        Forgery(
            testDescription: "the public key as a secret",
            header: ["alg": "HS256"],
            key: "public",
            why: notSignedRight
        ),
        Forgery(testDescription: "another algorithm", header: ["alg": "PS256"], why: notSignedRight),
        Forgery(testDescription: "a longer digest", header: ["alg": "RS512"], why: notSignedRight),
        Forgery(testDescription: "another's key", key: "second", why: notSigned),
        Forgery(testDescription: "a key by another name", header: ["kid": "second"], why: notSigned),
        Forgery(
            testDescription: "a key for another algorithm",
            header: ["kid": "stranger"],
            key: "stranger",
            why: notSigned
        ),
        Forgery(testDescription: "a key without a name", header: ["kid": NSNull()], why: notSignedRight),
        Forgery(
            testDescription: "something critical that nobody here knows",
            header: ["crit": ["kid"]],
            why: notSignedRight
        ),
        Forgery(testDescription: "an access token", header: ["typ": "at+jwt"], why: notSignedRight),
        Forgery(
            testDescription: "longer than any",
            claims: { _ in ["email": String(repeating: "a", count: 8192)] },
            why: notSignedRight
        ),
    ])
    func `an ID token that is not quite right lets nobody in, and spoils nothing`(forgery: Forgery)
        async throws
    {
        let provider = try await Self.provider.value
        let server = try await TestServer(google: provider.settings)
        try await server.run { nobody in
            let subject = UUID().text
            let token = try await provider.idToken(
                subject,
                nonce: try await nobody.nonce(),
                claims: forgery.claims(Date()),
                header: forgery.header,
                key: forgery.key
            )
            let answer = try await nobody.send(.post, "/v1/auth/google", ["idToken": token])
            #expect(answer.status == 401)
            #expect(answer.json["code"] as? String == "id_token_not_good")
            #expect(answer.json["detail"] as? String == forgery.why)
            #expect(try await nobody.signIn(subject, at: provider).status == 201)
        }
    }

    struct Oddity: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let answer: [String: any Sendable]
        var status = 502
    }

    @Test(arguments: [
        Oddity(testDescription: "as long as it may be", answer: ["bytes": 65_536], status: 201),
        Oddity(testDescription: "a byte longer", answer: ["bytes": 65_537]),
        Oddity(testDescription: "another status", answer: ["status": 203]),
        Oddity(testDescription: "it is elsewhere", answer: ["status": 302]),
        Oddity(testDescription: "another issuer", answer: ["issuer": "https://accounts.google.com"]),
    ])
    func `a provider's answer is short, 200, from where it was asked for, and about itself`(oddity: Oddity)
        async throws
    {
        let provider = try await TestProvider()
        defer { provider.stop() }
        try await provider.answer(oddly: oddity.answer)
        let server = try await TestServer(google: provider.settings)
        try await server.run { nobody in
            let answer = try await nobody.signIn("1003", at: provider)
            #expect(answer.status == oddity.status)
            #expect(answer.json["code"] as? String == (oddity.status == 502 ? "provider_unavailable" : nil))
        }
    }

    @Test func `a nonce is over after ten minutes`() async throws {
        let provider = try await TestProvider()
        defer { provider.stop() }
        let clock = TestClock()
        let server = try await TestServer(clock: clock, isAlone: true, google: provider.settings)
        try await server.run { nobody in
            let token = try await provider.idToken("2002", nonce: try await nobody.nonce())
            clock.advance(by: 601)
            let answer = try await nobody.send(.post, "/v1/auth/google", ["idToken": token])
            #expect(answer.json["detail"] as? String == "nonce: not one of ours, or over")
        }
    }

    @Test func `a key that the provider begins to use is found, and one that it gave up is no key any more`()
        async throws
    {
        let provider = try await TestProvider()
        defer { provider.stop() }
        let clock = TestClock()
        let server = try await TestServer(clock: clock, isAlone: true, google: provider.settings)
        try await server.run { nobody in
            func status(signingBy key: String) async throws -> Int {
                let nonce = try await nobody.nonce()
                let token = try await provider.idToken(
                    "3001",
                    nonce: nonce,
                    at: clock.now,
                    header: ["kid": key],
                    key: key
                )
                return try await nobody.send(.post, "/v1/auth/google", ["idToken": token]).status
            }
            #expect(try await status(signingBy: "first") == 201)
            try await provider.show(["first", "second"])
            #expect(try await status(signingBy: "second") == 401, "Asked for once a minute at most.")
            clock.advance(by: 60)
            #expect(try await status(signingBy: "second") == 200)
            try await provider.show(["second"])
            #expect(try await status(signingBy: "first") == 200)
            clock.advance(by: 3600)
            #expect(try await status(signingBy: "first") == 401)
        }
    }

    @Test func `while a provider is down its keys are good for a day`() async throws {
        let provider = try await TestProvider()
        let clock = TestClock()
        let server = try await TestServer(clock: clock, isAlone: true, google: provider.settings)
        try await server.run { nobody in
            #expect(try await nobody.signIn("3002", at: provider).status == 201)
            var tokens: [String] = []
            for wait in [3700, 86_400] as [TimeInterval] {
                clock.advance(by: wait)
                tokens.append(
                    try await provider.idToken("3002", nonce: try await nobody.nonce(), at: clock.now)
                )
            }
            try await provider.vanish()
            clock.advance(by: -86_400)
            #expect(try await nobody.send(.post, "/v1/auth/google", ["idToken": tokens[0]]).status == 200)
            clock.advance(by: 86_400)
            let answer = try await nobody.send(.post, "/v1/auth/google", ["idToken": tokens[1]])
            #expect(answer.status == 502)
            #expect(answer.json["code"] as? String == "provider_unavailable")
        }
    }

    @Test(
        arguments: [
            (["email": "ADDRESS@gmail.com", "email_verified": true], true),
            (["email": "ADDRESS@birch.example", "email_verified": true, "hd": "birch.example"], true),
            (["email": "ADDRESS@birch.example", "email_verified": true], false),
            (["email": "ADDRESS@birch.example", "email_verified": true, "hd": "cedar.example"], false),
            (["email": "ADDRESS@gmail.com", "email_verified": false], false),
            (["email": "ADDRESS@gmail.com"], false),
            (["email": "ADDRESS@gmail.com\u{0}", "email_verified": true], false),
        ] as [([String: any Sendable], Bool)]
    )
    func `an address is somebody's where the provider can know it`(
        claims: [String: any Sendable],
        isTheirs: Bool
    ) async throws {
        let provider = try await Self.provider.value
        let server = try await TestServer(google: provider.settings)
        try await server.run { nobody in
            let local = "p\(UInt32.random(in: 0...UInt32.max))"
            var claims = claims
            claims["email"] = (claims["email"] as? String)?.replacing("ADDRESS", with: local)
            let answer = try await nobody.signIn(local, at: provider, claims: claims)
            #expect(answer.status == 201)
            var person = nobody
            person.token = answer.json["accessToken"] as? String
            let emails = try await person.send(.get, "/v1/me/emails").json["emails"] as? [[String: Any]]
            let theirs = isTheirs ? [try #require(claims["email"] as? String)] : []
            #expect(emails?.compactMap { $0["address"] as? String } == theirs)
        }
    }

    @Test func `an address that has an account is not taken over by whoever the provider says has it`()
        async throws
    {
        let provider = try await TestProvider()
        defer { provider.stop() }
        let server = try await TestServer(google: provider.settings)
        try await server.run { nobody in
            let address = "q\(UInt32.random(in: 0...UInt32.max))@gmail.com"
            let (ada, uid) = try await nobody.newcomer()
            try await server.recordEmail(of: uid, address)
            let claims: [String: Any] = [
                "email": address.uppercased().replacing("@GMAIL.COM", with: "@gmail.com"),
                "email_verified": true,
            ]
            let answer = try await nobody.signIn(address, at: provider, claims: claims)
            #expect(answer.status == 409)
            #expect(answer.json["code"] as? String == "address_has_account")

            let token = try await provider.idToken(address, nonce: try await nobody.nonce(), claims: claims)
            #expect(try await ada.send(.post, "/v1/me/identities/google", ["idToken": token]).status == 204)
            let signedIn = try await nobody.signIn(address, at: provider, claims: claims)
            #expect(signedIn.json["uid"] as? String == uid)
        }
    }

    @Test func `an account that links a provider stays what it was, and has another way in`() async throws {
        let provider = try await TestProvider()
        defer { provider.stop() }
        let server = try await TestServer(google: provider.settings)
        try await server.run { nobody in
            let (ada, uid) = try await nobody.newcomer()
            let token = try await provider.idToken(
                "4001",
                nonce: try await nobody.nonce(),
                claims: ["email": "ada@birch.example"]
            )
            #expect(try await ada.send(.post, "/v1/me/identities/google", ["idToken": token]).status == 204)
            #expect(try await ada.send(.post, "/v1/me/identities/google", ["idToken": token]).status == 204)
            let linked = try await ada.send(.get, "/v1/me/identities").json["identities"] as? [[String: Any]]
            #expect(linked?.count == 1)
            #expect(linked?.first?["provider"] as? String == "google")
            #expect(linked?.first?["address"] as? String == "ada@birch.example")
            #expect(try await nobody.signIn("4001", at: provider).json["uid"] as? String == uid)

            let other = try await provider.idToken("4002", nonce: try await nobody.nonce())
            let second = try await ada.send(.post, "/v1/me/identities/google", ["idToken": other])
            #expect(second.status == 409)
            #expect(second.json["code"] as? String == "identity_present")
            let (ben, _) = try await nobody.newcomer()
            let stolen = try await provider.idToken("4001", nonce: try await nobody.nonce())
            let taken = try await ben.send(.post, "/v1/me/identities/google", ["idToken": stolen])
            #expect(taken.status == 409)
            #expect(taken.json["code"] as? String == "identity_taken")

            #expect(try await ada.send(.delete, "/v1/me/identities/google").status == 204)
            #expect(try await ada.send(.delete, "/v1/me/identities/google").status == 404)
            #expect(try await nobody.signIn("4001", at: provider).json["uid"] as? String != uid)
            let record = try await ada.send(.get, "/v1/me/audit-events").json["events"] as? [[String: Any]]
            let lines = try #require(record).compactMap { $0["action"] as? String }
            #expect(
                lines.filter { $0.hasPrefix("identity.") }.sorted() == [
                    "identity.linked", "identity.unlinked",
                ]
            )
        }
    }

    @Test func `the last way into an account is not given up`() async throws {
        let provider = try await TestProvider()
        defer { provider.stop() }
        let server = try await TestServer(google: provider.settings)
        try await server.run { nobody in
            var ada = nobody
            ada.token = try await nobody.signIn("5001", at: provider).json["accessToken"] as? String
            let answer = try await ada.send(.delete, "/v1/me/identities/google")
            #expect(answer.status == 409)
            #expect(answer.json["code"] as? String == "last_way_in")
            #expect(try await ada.send(.post, "/v1/me/recovery-code").status == 201)
            #expect(try await ada.send(.delete, "/v1/me/identities/google").status == 204)
        }
    }

    @Test func `who comes twice at once for the first time has one account`() async throws {
        let provider = try await TestProvider()
        defer { provider.stop() }
        let server = try await TestServer(google: provider.settings)
        try await server.run { nobody in
            let uids = try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<6 {
                    group.addTask { try await nobody.signIn("6001", at: provider).json["uid"] as? String }
                }
                return try await group.reduce(into: Set<String?>()) { $0.insert($1) }
            }
            #expect(uids.count == 1)
            #expect(!uids.contains(nil))
        }
    }

    @Test func `without a provider there is nobody to sign in by`() async throws {
        try await TestServer().run { nobody in
            let answer = try await nobody.send(.post, "/v1/auth/google/nonce")
            #expect(answer.status == 404)
            #expect(answer.json["code"] as? String == "provider_not_set")
            #expect(try await nobody.look("/device").text.contains("Google") == false)
        }
    }
}
