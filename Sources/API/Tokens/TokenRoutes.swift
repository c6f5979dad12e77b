import Domain
import Foundation
import HTTPTypes
import Hummingbird
import Tenancy

/// `/v1/me/tokens`: what a person lets programs of their own do.
struct TokenRoutes: Sendable {
    /// The longest that one is good for.
    private static let longest = 365

    let database: TenantDatabase
    let limits: Limits
    let now: @Sendable () -> Date

    /// What a new token is to be.
    struct Wish: Decodable, Sendable {
        /// By the same rule as a device's.
        let name: DeviceName
        let scopes: [TokenScope]
        let expiresAt: Instant

        private enum CodingKeys: CodingKey {
            case name, scopes, expiresAt
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            name = try container.decode(DeviceName.self, forKey: .name)
            let named = try container.decode([String].self, forKey: .scopes)
            scopes = Set(named.compactMap(TokenScope.init(rawValue:))).sorted { $0.rawValue < $1.rawValue }
            guard scopes.count == Set(named).count, !scopes.isEmpty else {
                throw DecodingError.dataCorruptedError(
                    forKey: .scopes,
                    in: container,
                    debugDescription:
                        "must be of \(TokenScope.allCases.map(\.rawValue).joined(separator: ", "))"
                )
            }
            expiresAt = try container.decode(Instant.self, forKey: .expiresAt)
        }
    }

    private struct List: Encodable {
        let tokens: [StoredToken]
    }

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.group("me/tokens")
            .get(use: tokens)
            .post(use: createToken)
            .delete(":token", use: revokeToken)
    }

    /// `GET /v1/me/tokens`: the newest first, those that are over too.
    @Sendable func tokens(_ request: Request, in context: MemberContext) async throws -> Response {
        let tokens = try await database.read(as: context.principal) { tx in
            try await tx.ownTokens()
        }
        return try JSON.response(List(tokens: tokens))
    }

    /// `POST /v1/me/tokens`: the only answer that has the token.
    @Sendable func createToken(_ request: Request, in context: MemberContext) async throws -> Response {
        let now = Instant(now())
        let wish = try await JSON.decode(Wish.self, from: request)
        guard wish.expiresAt > now, wish.expiresAt <= now + .seconds(Self.longest * 86_400) else {
            throw Problem.invalid("expiresAt", "must be within \(Self.longest) days from now")
        }
        try await limits.take(.createToken, from: context.origin.source, account: context.principal.uid.text)
        let token = PersonalAccessToken(uid: context.principal.uid)
        let stored = try await database.write(as: context.principal) { tx in
            try await tx.addToken(token, as: wish, at: now)
            let stored = try await tx.ownTokens(token.id)
            let detail = "\(wish.name.text): \(wish.scopes.map(\.rawValue).joined(separator: " "))"
            try tx.record(.tokenCreated, detail, by: context.origin, at: now.date)
            return stored
        }
        guard var shown = stored.first else { throw Problem.unexpected }
        shown.token = token.text
        return try JSON.response(shown, status: .created)
    }

    /// `DELETE /v1/me/tokens/{token}`: it opens nothing any more, at once.
    @Sendable func revokeToken(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("token")
        let name = try await database.write(as: context.principal) { tx in
            let name = try await tx.revokeToken(id)
            if let name { try tx.record(.tokenRevoked, name, by: context.origin, at: now()) }
            return name
        }
        guard name != nil else { throw Problem.notFound }
        return Response(status: .noContent)
    }
}

extension Problem {
    /// For a route that takes no personal access token at all.
    static let tokenNotAccepted = Problem(
        .forbidden,
        "token_not_accepted",
        "No personal access token does this; it takes a sign-in"
    )

    /// For one that was not given what the route takes (RFC 6750 §3.1).
    static func insufficientScope(_ scope: TokenScope) -> Problem {
        insufficientScope(scope.rawValue)
    }

    static func insufficientScope(_ scope: String) -> Problem {
        var problem = Problem(
            .forbidden,
            "insufficient_scope",
            "This token was not given the scope for it",
            detail: scope
        )
        problem.scope = scope
        return problem
    }
}
