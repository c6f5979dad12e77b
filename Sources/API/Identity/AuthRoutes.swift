import Foundation
import Hummingbird
import PGClient
import Tenancy

/// `/v1/auth`: ways in. Each ends in the same pair of tokens.
struct AuthRoutes: Sendable {
    let database: TenantDatabase
    let tokens: AccessTokens
    let now: @Sendable () -> Date

    struct Tokens: Encodable {
        let uid: String
        let accessToken: String
        let refreshToken: String
        /// Seconds for which the access token is good.
        let expiresIn: Int
    }

    private struct RefreshBody: Decodable {
        let refreshToken: String
    }

    func add(to routes: some RouterMethods<AppContext>) {
        routes.group("auth")
            .post("anonymous", use: signUpAnonymously)
            .post("refresh", use: refresh)
    }

    /// `POST /v1/auth/anonymous`: an account without any personal data.
    @Sendable func signUpAnonymously(_ request: Request, in context: AppContext) async throws -> Response {
        let token = try await database.register { tx in
            let token = RefreshToken(uid: tx.principal.uid)
            try await tx.beginFamily(token, expiresAt: now().addingTimeInterval(RefreshToken.lifetime))
            return token
        }
        return try JSON.response(try await answer(with: token), status: .created)
    }

    /// `POST /v1/auth/refresh`: a new pair for an old refresh token, which is then spent.
    @Sendable func refresh(_ request: Request, in context: AppContext) async throws -> Response {
        let body = try await JSON.decode(RefreshBody.self, from: request)
        guard let presented = RefreshToken(body.refreshToken) else { throw Problem.refreshTokenSpent }
        let successor = RefreshToken(after: presented, key: tokens.refreshKey)
        let rotated: Bool
        do {
            let principal = Principal(uid: presented.uid, signIn: presented.family)
            rotated = try await database.write(as: principal) { tx in
                if try await tx.rotate(presented, to: successor, now: now(), lifetime: RefreshToken.lifetime)
                {
                    return true
                }
                // A token older than the last two was copied: end that sign-in.
                try await tx.endFamily(presented.family)
                return false
            }
        } catch let error as PGError where error.sqlState?.rawValue == "BM401" {
            // Whether that sign-in, or its user, ever existed is not told.
            rotated = false
        }
        guard rotated else { throw Problem.refreshTokenSpent }
        return try JSON.response(try await answer(with: successor))
    }

    private func answer(with refreshToken: RefreshToken) async throws -> Tokens {
        Tokens(
            uid: refreshToken.uid.text,
            accessToken: try await tokens.token(for: refreshToken.uid, signIn: refreshToken.family),
            refreshToken: refreshToken.text,
            expiresIn: Int(AccessTokens.lifetime)
        )
    }
}

extension Problem {
    fileprivate static let refreshTokenSpent = Problem(
        .unauthorized,
        "refresh_token_spent",
        "That refresh token is not, or no longer, good"
    )
}
