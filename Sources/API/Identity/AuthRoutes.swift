import Domain
import Foundation
import Hummingbird
import PGClient
import Tenancy

/// `/v1/auth`: ways in, each of which ends in the same pair of tokens, and the way out.
struct AuthRoutes: Sendable {
    let database: TenantDatabase
    let tokens: AccessTokens
    let limits: Limits
    let now: @Sendable () -> Date

    private struct RefreshBody: Decodable {
        let refreshToken: String
    }

    func add(to routes: some RouterMethods<AppContext>, members: some RouterMethods<MemberContext>) {
        routes.group("auth")
            .post("anonymous", use: signUpAnonymously)
            .post("refresh", use: refresh)
        members.group("auth")
            .post("sign-out", use: signOut)
            .post("sign-out-everywhere", use: signOutEverywhere)
    }

    /// `POST /v1/auth/anonymous`: an account without any personal data, and the code that finds it again.
    @Sendable func signUpAnonymously(_ request: Request, in context: AppContext) async throws -> Response {
        try await limits.take(.createAccount, from: context.origin.source)
        let now = now()
        let (signIn, code) = try await database.register { tx in
            let (signIn, code) = (try await tx.beginSignIn(at: now), RecoveryCode(of: tx.principal.uid))
            try tx.keepRecoveryCode(code, at: now)
            try tx.record(.accountCreated, by: context.origin, at: now)
            return (signIn, code)
        }
        var answer = try await tokens.answer(with: signIn)
        answer.recoveryCode = code.text
        return try JSON.response(answer, status: .created)
    }

    /// `POST /v1/auth/refresh`: a new pair for an old refresh token, which is then spent.
    @Sendable func refresh(_ request: Request, in context: AppContext) async throws -> Response {
        let body = try await JSON.decode(RefreshBody.self, from: request)
        guard let presented = RefreshToken(body.refreshToken) else { throw Problem.refreshTokenSpent }
        // By the sign-in, which only its tokens name: a uid is known to others, who could use it up.
        try await limits.take(.refresh, from: context.origin.source, account: presented.family.text)
        let successor = RefreshToken(after: presented, key: tokens.refreshKey)
        let now = now()
        let endsAt: Date?
        do {
            let principal = Principal(uid: presented.uid, signIn: presented.family)
            endsAt = try await database.write(as: principal) { tx in
                guard let rotation = try await tx.rotate(presented, to: successor, now: now) else {
                    // A token older than the last two was copied, or the sign-in is over: it ends.
                    if try await tx.endFamily(presented.family, at: now) {
                        try tx.record(.refreshTokenReused, by: context.origin, at: now)
                    }
                    return nil
                }
                if rotation.isLateRepeat {
                    try tx.record(.refreshTokenRepeated, by: context.origin, at: now)
                }
                return rotation.endsAt
            }
        } catch let error as PGError where error.sqlState?.rawValue == "BM401" {
            // Whether that sign-in, or its user, ever existed is not told.
            endsAt = nil
        }
        guard let endsAt else { throw Problem.refreshTokenSpent }
        return try JSON.response(try await tokens.answer(with: SignIn(token: successor, endsAt: endsAt)))
    }

    /// `POST /v1/auth/sign-out`: ends the sign-in that asks, its access tokens included, at once.
    @Sendable func signOut(_ request: Request, in context: MemberContext) async throws -> Response {
        guard let signIn = context.principal.signIn else { throw Problem.unauthorized }
        let now = now()
        try await database.write(as: context.principal) { tx in
            _ = try await tx.endFamily(signIn, at: now)
            try tx.record(.signedOut, by: context.origin, at: now)
        }
        return Response(status: .noContent)
    }

    /// `POST /v1/auth/sign-out-everywhere`: ends all that acts as this person, at once: every sign-in, this
    /// one too, and every personal access token.
    @Sendable func signOutEverywhere(_ request: Request, in context: MemberContext) async throws -> Response {
        try await database.write(as: context.principal) { tx in
            try await tx.endSignIns()
            try tx.record(.signedOutEverywhere, by: context.origin, at: now())
        }
        return Response(status: .noContent)
    }
}

extension Problem {
    fileprivate static let refreshTokenSpent = Problem(
        .unauthorized,
        "refresh_token_spent",
        "That refresh token is not, or no longer, good"
    )
}
