import Foundation
import Hummingbird
import Tenancy

/// The way back into an account that has no address: `/v1/auth/recover` and `/v1/me/recovery-code`.
struct RecoveryRoutes: Sendable {
    let database: TenantDatabase
    let tokens: AccessTokens
    let limits: Limits
    let now: @Sendable () -> Date

    private struct Shown: Codable {
        let recoveryCode: String
    }

    func add(to routes: some RouterMethods<AppContext>, members: some RouterMethods<MemberContext>) {
        routes.post("auth/recover", use: recover)
        members.post("me/recovery-code", use: makeRecoveryCode)
    }

    /// `POST /v1/auth/recover`: signs in by a recovery code, and shows the one for the next time.
    @Sendable func recover(_ request: Request, in context: AppContext) async throws -> Response {
        let text = try await JSON.decode(Shown.self, from: request).recoveryCode
        try await limits.take(.recover, from: context.origin.source)
        guard let code = RecoveryCode(text) else { throw Problem.recoveryCodeNotGood }
        let (next, now) = (RecoveryCode(after: code, key: tokens.recoveryKey), now())
        let signIn = try await database.enter(by: code, next: next, at: now) { tx in
            try await tx.signIn(by: .recoveryCode, from: context.origin, at: now)
        }
        guard let signIn else { throw Problem.recoveryCodeNotGood }
        var answer = try await tokens.answer(with: signIn)
        answer.recoveryCode = next.text
        return try JSON.response(answer)
    }

    /// `POST /v1/me/recovery-code`: a new one, shown once, and the end of the one before.
    @Sendable func makeRecoveryCode(_ request: Request, in context: MemberContext) async throws -> Response {
        let code = RecoveryCode(of: context.principal.uid)
        try await database.write(as: context.principal) { tx in
            try tx.keepRecoveryCode(code, at: now())
            try tx.record(.recoveryCodeMade, by: context.origin, at: now())
        }
        return try JSON.response(Shown(recoveryCode: code.text), status: .created)
    }
}

extension Problem {
    fileprivate static let recoveryCodeNotGood = Problem(
        .unauthorized,
        "recovery_code_not_good",
        "That recovery code is not, or no longer, good"
    )
}
