import Crypto
import Domain
import Foundation
import HTTPTypes
import Hummingbird
import Tenancy

/// The way in by a provider, for programs that have an ID token; and linking one to an account.
struct IdentityRoutes: Sendable {
    let database: TenantDatabase
    let tokens: AccessTokens
    let limits: Limits
    let passwords: Passwords
    /// Nil where the operator has set none.
    let provider: OpenIDProvider?
    let now: @Sendable () -> Date

    private struct Shown: Decodable {
        let idToken: String
        /// Where one is linked to an account that has a password.
        let currentPassword: String?
    }

    private struct Fresh: Encodable {
        let nonce: String
        let goodUntil: Instant
    }

    private struct Identity: Encodable {
        let provider: String
        let address: String?
        let linkedAt: Instant
    }

    private struct Identities: Encodable {
        let identities: [Identity]
    }

    func add(to routes: some RouterMethods<AppContext>, members: some RouterMethods<MemberContext>) {
        routes.group("auth/google")
            .post("nonce", use: freshNonce)
            .post(use: signIn)
        members.group("me/identities")
            .get(use: ownIdentities)
            .post("google", use: link)
            .delete("google", use: unlink)
    }

    /// `POST /v1/auth/google/nonce`: what the program has to ask its ID token for, and once.
    @Sendable func freshNonce(_ request: Request, in context: AppContext) async throws -> Response {
        guard provider != nil else { throw Problem.providerNotSet }
        let now = now()
        return try JSON.response(
            Fresh(
                nonce: try Nonce.text(key: tokens.ticketKey, at: now),
                goodUntil: Instant(now.addingTimeInterval(OpenIDAttempt.lifetime))
            )
        )
    }

    /// `POST /v1/auth/google`: signs in whom the ID token is of, with an account of their own if they have none.
    @Sendable func signIn(_ request: Request, in context: AppContext) async throws -> Response {
        let body = try await JSON.decode(Shown.self, from: request)
        let shown = try await identity(body.idToken, in: context.origin)
        let (outcome, signIn) = try await database.enter(by: shown, from: context.origin) { tx in
            try await tx.signIn(by: .google, from: context.origin, at: shown.shownAt)
        }
        guard let signIn else { throw Problem(identity: outcome) }
        let status: HTTPResponse.Status = outcome == .new ? .created : .ok
        return try JSON.response(try await tokens.answer(with: signIn), status: status)
    }

    /// `GET /v1/me/identities`
    @Sendable func ownIdentities(_ request: Request, in context: MemberContext) async throws -> Response {
        let own = try await database.read(as: context.principal) { try await $0.ownIdentities() }
        let identities = own.map { identity in
            Identity(
                provider: identity.issuer == provider?.settings.issuer ? "google" : identity.issuer,
                address: identity.address,
                linkedAt: identity.linkedAt
            )
        }
        return try JSON.response(Identities(identities: identities))
    }

    /// `POST /v1/me/identities/google`: a way in from now on, and everything else as it was.
    @Sendable func link(_ request: Request, in context: MemberContext) async throws -> Response {
        let body = try await JSON.decode(Shown.self, from: request)
        let shown = try await identity(body.idToken, in: context.origin)
        let outcome = try await passwords.confirmed(body.currentPassword, as: context.principal, in: database)
        { tx in
            let outcome = try await tx.link(shown)
            if outcome == .linked {
                try tx.record(.identityLinked, "Google", by: context.origin, at: shown.shownAt)
            }
            return outcome
        }
        guard outcome != .spent else { throw Problem(identity: .spent) }
        return Response(status: .noContent)
    }

    /// `DELETE /v1/me/identities/google`
    @Sendable func unlink(_ request: Request, in context: MemberContext) async throws -> Response {
        guard let provider else { throw Problem.providerNotSet }
        let isUnlinked = try await database.write(as: context.principal) { tx in
            guard try await tx.unlinkIdentity(of: provider.settings.issuer) else { return false }
            try tx.record(.identityUnlinked, "Google", by: context.origin, at: now())
            return true
        }
        guard isUnlinked else { throw Problem.notFound }
        return Response(status: .noContent)
    }

    private func identity(_ idToken: String, in origin: Origin) async throws -> ShownIdentity {
        try await limits.take(.showIdentity, from: origin.source)
        guard let provider else { throw Problem.providerNotSet }
        return try await provider.identity(by: idToken, key: tokens.ticketKey, at: now())
    }
}

extension OpenIDProvider {
    /// - Parameter nonce: the one that it has to have; nil for any that this server gave out.
    /// - Throws: the problem `id_token_not_good`.
    func identity(by idToken: String, nonce: String? = nil, key: SymmetricKey, at now: Date) async throws
        -> ShownIdentity
    {
        let person = try await person(by: idToken)
        guard let digest = Nonce.digest(of: person.nonce, key: key, at: now),
            nonce == nil || nonce == person.nonce
        else { throw Problem.idTokenNotGood("nonce: not one of ours, or over") }
        return ShownIdentity(person: person, nonceDigest: digest, shownAt: now)
    }
}

extension Problem {
    static let providerNotSet = Problem(
        .notFound,
        "provider_not_set",
        "Nobody signs in to this server by that provider"
    )

    init(identity outcome: IdentityOutcome) {
        self =
            switch outcome {
            case .addressTaken:
                Problem(
                    .conflict,
                    "address_has_account",
                    "That address has an account: sign in to it, and link this sign-in there"
                )
            case .spent, .known, .new: .idTokenNotGood("nonce: used before")
            }
    }
}
