import Foundation
import HTTPTypes
import JWTKit
import Logging

/// A provider of OpenID Connect (OpenID Connect Core 1.0, Discovery 1.0): what it says of itself and by which keys
/// it signs, read now and then, and what this server asks it.
actor OpenIDProvider {
    /// What was read: its addresses, and its keys by their names.
    private struct Known {
        let addresses: Addresses
        let keys: [String: JWTKeyCollection]
        let readAt: Date
    }

    private struct Addresses: Decodable {
        let issuer: String
        let authorization_endpoint: String
        let token_endpoint: String
        let jwks_uri: String
    }

    private struct TokenAnswer: Decodable {
        let id_token: String
    }

    private static let goodFor: TimeInterval = 3600
    /// How long what was read is good where nothing newer is to be had.
    private static let goodInNeed: TimeInterval = 86_400
    /// Whoever shows tokens by keys that there aren't has them looked for once in so many seconds.
    private static let pause: TimeInterval = 60
    private static let pauseAfterFailure: TimeInterval = 5

    nonisolated let settings: OpenIDSettings
    private let fetch = Fetch()
    private let now: @Sendable () -> Date
    private let logger: Logger
    private var known: Known?
    private var failedAt: Date?
    private var reading: Task<Known, any Error>?

    init(_ settings: OpenIDSettings, now: @escaping @Sendable () -> Date, logger: Logger) {
        self.settings = settings
        self.now = now
        self.logger = logger
    }

    /// Where a person's browser goes to be signed in (RFC 6749 §4.1.1, RFC 7636 §4.3).
    func authorizationURL(
        for attempt: OpenIDAttempt,
        state: String,
        comingBackTo redirect: String
    ) async throws -> String {
        let addresses = try await known(with: nil).addresses
        guard var url = URLComponents(string: addresses.authorization_endpoint) else {
            throw Problem.providerUnavailable
        }
        url.queryItems =
            (url.queryItems ?? []) + [
                URLQueryItem(name: "response_type", value: "code"),
                URLQueryItem(name: "client_id", value: settings.clientIDs.first),
                URLQueryItem(name: "redirect_uri", value: redirect),
                URLQueryItem(name: "scope", value: "openid email"),
                URLQueryItem(name: "state", value: state),
                URLQueryItem(name: "nonce", value: attempt.nonce),
                URLQueryItem(name: "code_challenge", value: attempt.challenge),
                URLQueryItem(name: "code_challenge_method", value: "S256"),
            ]
        guard let url = url.string else { throw Problem.providerUnavailable }
        return url
    }

    /// The ID token for what a browser came back with (RFC 6749 §4.1.3).
    func idToken(for code: String, of attempt: OpenIDAttempt, comingBackTo redirect: String) async throws
        -> String
    {
        let addresses = try await known(with: nil).addresses
        do {
            let body = try await fetch.body(
                of: addresses.token_endpoint,
                form: [
                    URLQueryItem(name: "grant_type", value: "authorization_code"),
                    URLQueryItem(name: "code", value: code),
                    URLQueryItem(name: "redirect_uri", value: redirect),
                    URLQueryItem(name: "client_id", value: settings.clientIDs.first),
                    URLQueryItem(name: "client_secret", value: settings.secret),
                    URLQueryItem(name: "code_verifier", value: attempt.verifier),
                ]
            )
            return try JSONDecoder().decode(TokenAnswer.self, from: body).id_token
        } catch let failure as Fetch.Failure where failure.status == 400 {
            // A code that was used, is over, or is of another sign-in (RFC 6749 §5.2).
            logger.notice("The provider takes no such code", metadata: ["why": "\(failure)"])
            throw Problem.signInOver
        } catch  where error is Fetch.Failure || error is DecodingError {
            logger.warning("The provider gave no ID token", metadata: ["why": "\(error)"])
            throw Problem.providerUnavailable
        }
    }

    /// Whom an ID token is of. What is wrong with one is said by the problem `id_token_not_good`.
    ///
    /// The header is looked at first: what isn't signed in the one way by a key that the provider has is nothing
    /// for a library to have an opinion of (RFC 8725 §3.1).
    func person(by token: String) async throws -> OpenIDPerson {
        guard token.utf8.count <= 8192,
            let header = try? DefaultJWTParser().parse(Data(token.utf8), as: IDTokenClaims.self).header,
            header.alg == "RS256", header.typ == nil || header.typ == "JWT", header.fields["crit"] == nil,
            let kid = header.kid
        else { throw Problem.idTokenNotGood("it is not signed by a key of the provider's with RS256") }
        guard let key = try await known(with: kid).keys[kid],
            let claims = try? await key.verify(token, as: IDTokenClaims.self)
        else { throw Problem.idTokenNotGood("it is not signed by a key of the provider's") }
        return try claims.person(for: settings, at: now())
    }
}

// MARK: - Reading

extension OpenIDProvider {
    /// - Parameter kid: a key that has to be among them, or it is looked whether it is by now.
    private func known(with kid: String?) async throws -> Known {
        if let known, !isOutdated(known, without: kid) { return known }
        if failedAt.map({ now().timeIntervalSince($0) >= Self.pauseAfterFailure }) ?? true {
            let task = reading ?? Task { try await read() }
            reading = task
            do {
                known = try await task.value
                failedAt = nil
            } catch {
                logger.warning(
                    "The provider is not to be read",
                    metadata: ["issuer": "\(settings.issuer)", "why": "\(error)"]
                )
                failedAt = now()
            }
            if reading == task { reading = nil }
        }
        guard let known, now().timeIntervalSince(known.readAt) < Self.goodInNeed else {
            throw Problem.providerUnavailable
        }
        return known
    }

    private func isOutdated(_ known: Known, without kid: String?) -> Bool {
        let age = now().timeIntervalSince(known.readAt)
        return age >= Self.goodFor || age >= Self.pause && kid.map { known.keys[$0] == nil } ?? false
    }

    private func read() async throws -> Known {
        let place = "\(settings.issuer)/.well-known/openid-configuration"
        let addresses = try JSONDecoder().decode(Addresses.self, from: try await fetch.body(of: place))
        guard addresses.issuer == settings.issuer else {
            throw Fetch.Failure(description: "it calls itself \(addresses.issuer)")
        }
        let keys = try JSONDecoder().decode(
            ProviderKeys.self,
            from: try await fetch.body(of: addresses.jwks_uri)
        )
        return Known(addresses: addresses, keys: await keys.byName(), readAt: now())
    }
}

extension Problem {
    static let providerUnavailable = Problem(
        .badGateway,
        "provider_unavailable",
        "The provider of that sign-in did not answer as it should"
    )

    fileprivate static let signInOver = Problem(
        .gone,
        "sign_in_over",
        "That sign-in is over",
        detail: "Please begin again, with the code that your editor shows."
    )

    static func idTokenNotGood(_ why: String) -> Problem {
        Problem(
            .unauthorized,
            "id_token_not_good",
            "That ID token lets nobody in",
            detail: why,
            field: "idToken"
        )
    }
}
