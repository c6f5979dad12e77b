import Foundation
import HTTPTypes
import Testing

@testable import API

struct ProviderPageTests {
    /// One is enough for all: nothing here changes it.
    private static let provider = Task { try await TestProvider() }
    private let grant = "urn:ietf:params:oauth:grant-type:device_code"

    @Test func `a device is let in by who comes back from the provider`() async throws {
        let provider = try await Self.provider.value
        let clock = TestClock()
        let server = try await TestServer(clock: clock, isAlone: true, google: provider.settings)
        try await server.run { nobody in
            let asked = try await nobody.submit("/v1/auth/device", ["client_id": "vscode"])
            let form = try await nobody.look("/device?user_code=\(asked["user_code"])")
            #expect(form.text.contains("Go on with Google"))
            #expect(
                form.headers[.contentSecurityPolicy]?.contains("form-action 'self' \(provider.address);")
                    == true
            )
            let (off, cookie) = try await nobody.setOut(showing: asked["user_code"])
            #expect(cookie.contains("HttpOnly"))
            #expect(cookie.contains("SameSite=Lax"))
            #expect(cookie.contains("Path=/sign-in/google"))
            #expect(cookie.contains("Max-Age=600"))
            let sent = try #require(URLComponents(string: off))
            let query = Dictionary(
                uniqueKeysWithValues: (sent.queryItems ?? []).map { ($0.name, $0.value ?? "") }
            )
            #expect(query["code_challenge_method"] == "S256")
            #expect(query["scope"] == "openid email")
            #expect(query["redirect_uri"] == "http://breathmaster.test/sign-in/google")

            let back = try await provider.goOn(
                from: off,
                as: #"{"sub": "7001", "email": "ada@birch.example"}"#
            )
            let question = try await nobody.comeBack(back, cookie)
            #expect(question.status == 200)
            #expect(question.text.contains("Let <bdi>vscode</bdi> in?"))
            #expect(question.text.contains("ada@birch.example"))
            let done = try await nobody.submit(
                "/device/answer",
                ["ticket": question.ticket, "answer": "yes"]
            )
            #expect(done.status == 200)
            clock.advance(by: 5)
            let poll = ["grant_type": grant, "device_code": asked["device_code"], "client_id": "vscode"]
            let tokens = try await nobody.submit("/v1/auth/device/token", poll)
            #expect(tokens.status == 200)
            #expect(try await nobody.signIn("7001", at: provider).json["uid"] as? String == tokens["uid"])
        }
    }

    @Test func `where the site has https its cookie goes nowhere else`() async throws {
        let provider = try await Self.provider.value
        let server = try await TestServer(site: "https://breathmaster.test", google: provider.settings)
        try await server.run { nobody in
            let (_, cookie) = try await nobody.setOut(showing: "BCDF-GHJK")
            #expect(cookie.hasPrefix("__Secure-sign-in="))
            #expect(cookie.contains("; Secure"))
        }
    }

    @Test func `only the browser that set out comes back, and once`() async throws {
        let provider = try await Self.provider.value
        let server = try await TestServer(google: provider.settings)
        try await server.run { nobody in
            let asked = try await nobody.submit("/v1/auth/device", ["client_id": "vscode"])
            let (off, cookie) = try await nobody.setOut(showing: asked["user_code"])
            let (_, otherCookie) = try await nobody.setOut(showing: asked["user_code"])
            let back = try await provider.goOn(from: off, as: #"{"sub": "7002"}"#)
            #expect(try await nobody.comeBack(back, nil).status == 410)
            #expect(try await nobody.comeBack(back, otherCookie).status == 410)
            #expect(try await nobody.comeBack(back, cookie).status == 200)
            #expect(
                try await nobody.comeBack(back, cookie).status == 410,
                "The provider gives nothing twice."
            )
        }
    }

    @Test func `a code of somebody else's sign-in lets nobody in`() async throws {
        let provider = try await Self.provider.value
        let server = try await TestServer(google: provider.settings)
        try await server.run { nobody in
            let asked = try await nobody.submit("/v1/auth/device", ["client_id": "vscode"])
            let (off, cookie) = try await nobody.setOut(showing: asked["user_code"])
            let (others, _) = try await nobody.setOut(showing: asked["user_code"])
            let mine = try #require(URLComponents(string: off)).queryItems?.first { $0.name == "state" }
            let theirs = try await provider.goOn(from: others, as: #"{"sub": "7003"}"#)
            var mixed = try #require(URLComponents(url: theirs, resolvingAgainstBaseURL: false))
            mixed.queryItems = mixed.queryItems?.map { $0.name == "state" ? mine ?? $0 : $0 }
            #expect(try await nobody.comeBack(try #require(mixed.url), cookie).status == 410, "PKCE")
        }
    }

    @Test func `an ID token with the nonce of another sign-in lets nobody in`() async throws {
        let provider = try await Self.provider.value
        let server = try await TestServer(google: provider.settings)
        try await server.run { nobody in
            let asked = try await nobody.submit("/v1/auth/device", ["client_id": "vscode"])
            let (off, cookie) = try await nobody.setOut(showing: asked["user_code"])
            let nonce = try await nobody.nonce()
            let back = try await provider.goOn(from: off, as: #"{"sub": "7004", "nonce": "\#(nonce)"}"#)
            #expect(try await nobody.comeBack(back, cookie).status == 401)
            let token = try await provider.idToken("7004", nonce: nonce)
            let answer = try await nobody.send(.post, "/v1/auth/google", ["idToken": token])
            #expect(answer.status == 201, "It was good where it belonged.")
        }
    }

    @Test func `who says no at the provider is nobody here`() async throws {
        let provider = try await Self.provider.value
        let server = try await TestServer(google: provider.settings)
        try await server.run { nobody in
            let asked = try await nobody.submit("/v1/auth/device", ["client_id": "vscode"])
            let (off, cookie) = try await nobody.setOut(showing: asked["user_code"])
            let back = try await provider.goOn(from: off, as: "nobody")
            let page = try await nobody.comeBack(back, cookie)
            #expect(page.status == 200)
            #expect(page.text.contains("Nobody was signed in"))
        }
    }

    @Test func `without a code there is nowhere to go`() async throws {
        let provider = try await Self.provider.value
        let server = try await TestServer(google: provider.settings)
        try await server.run { nobody in
            let page = try await nobody.submit("/device/google", ["user_code": "?"])
            #expect(page.status == 422)
            #expect(page.text.contains("Please enter the code"))
        }
    }
}

extension Client {
    /// Off to the provider: where to, and the cookie that comes along.
    fileprivate func setOut(showing code: String) async throws -> (location: String, cookie: String) {
        let answer = try await submit("/device/google", ["user_code": code])
        #expect(answer.status == 303)
        return (try #require(answer.headers[.location]), try #require(answer.headers[.setCookie]))
    }

    fileprivate func comeBack(_ url: URL, _ cookie: String?) async throws -> PageAnswer {
        let pair = cookie?.split(separator: ";").first.map(String.init)
        return try await look(
            "\(url.path())?\(url.query() ?? "")",
            headers: pair.map { [.cookie: $0] } ?? [:]
        )
    }
}
