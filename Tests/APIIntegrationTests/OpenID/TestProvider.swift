import Foundation
import FoundationNetworking
import HTTPTypes
import Testing

@testable import API

/// A real provider, for as long as a test runs; Fixtures/openid-provider.py says what it does.
struct TestProvider {
    let address: String
    private let fixture: PythonFixture

    init() async throws {
        fixture = try await PythonFixture("openid-provider")
        address = fixture.firstLine
        try #require(address.hasPrefix("http://127.0.0.1:"))
    }

    var settings: OpenIDSettings {
        OpenIDSettings(
            title: "Google",
            issuer: address,
            clientIDs: ["breathmaster", "editor"],
            secret: "kept to ourselves+"
        )
    }

    /// An ID token as it should be, but for what is said otherwise; a claim that is null is missing.
    func idToken(
        _ subject: String,
        nonce: String,
        at now: Date = Date(),
        claims: [String: Any] = [:],
        header: [String: Any] = [:],
        key: String = "first"
    ) async throws -> String {
        let issuedAt = Int(now.timeIntervalSince1970)
        let whole: [String: Any] = [
            "iss": address, "aud": "editor", "sub": subject, "nonce": nonce, "iat": issuedAt,
            "exp": issuedAt + 3600,
        ]
        let wish: [String: Any] = [
            "claims": whole.merging(claims) { $1 }.filter { !($1 is NSNull) },
            "header": ["alg": "RS256", "kid": "first"].merging(header) { $1 }.filter { !($1 is NSNull) },
            "key": key,
        ]
        return try #require(try await post("/mint", wish)["token"] as? String)
    }

    /// Which keys it signs with and shows.
    func show(_ keys: [String]) async throws {
        _ = try await post("/keys", ["keys": keys])
    }

    /// What is odd from now on about its answer on itself.
    func answer(oddly oddity: [String: Any]) async throws {
        _ = try await post("/answer", oddity)
    }

    /// Where a browser is sent to by the provider that has somebody with these claims at it.
    func goOn(from url: String, as hint: String) async throws -> URL {
        var components = try #require(URLComponents(string: url))
        components.queryItems?.append(URLQueryItem(name: "login_hint", value: hint))
        let delegate = StayingPut()
        let session = URLSession(configuration: .ephemeral, delegate: delegate, delegateQueue: nil)
        defer { session.invalidateAndCancel() }
        let (_, response) = try await session.data(from: try #require(components.url))
        let location = (response as? HTTPURLResponse)?.value(forHTTPHeaderField: "Location")
        return try #require(location.flatMap(URL.init))
    }

    func stop() {
        fixture.stop()
    }

    /// Returns when nobody answers any more.
    func vanish() async throws {
        stop()
        let url = try #require(URL(string: address + "/keys"))
        try await eventually("the provider is gone") {
            do {
                _ = try await URLSession(configuration: .ephemeral).data(from: url)
                return false
            } catch {
                return true
            }
        }
    }

    private func post(_ path: String, _ body: [String: Any]) async throws -> [String: Any] {
        var request = URLRequest(url: try #require(URL(string: address + path)))
        request.httpMethod = "POST"
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.httpBody = try JSONSerialization.data(withJSONObject: body)
        let (data, _) = try await URLSession.shared.data(for: request)
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    private final class StayingPut: NSObject, URLSessionTaskDelegate {
        func urlSession(
            _ session: URLSession,
            task: URLSessionTask,
            willPerformHTTPRedirection response: HTTPURLResponse,
            newRequest request: URLRequest,
            completionHandler: @escaping (URLRequest?) -> Void
        ) {
            completionHandler(nil)
        }
    }
}

extension Client {
    /// What a program asks its ID token for.
    func nonce() async throws -> String {
        try #require(try await send(.post, "/v1/auth/google/nonce").json["nonce"] as? String)
    }

    /// Signs in by a token of the provider's that is as it should be, but for those claims.
    func signIn(
        _ subject: String,
        at provider: TestProvider,
        claims: [String: Any] = [:]
    ) async throws -> Answer {
        let token = try await provider.idToken(subject, nonce: try await nonce(), claims: claims)
        return try await send(.post, "/v1/auth/google", ["idToken": token])
    }
}
