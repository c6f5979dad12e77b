import Domain
import Foundation
import Hummingbird
import PGClient
import Tenancy

/// The way in by an address and a password, and what to do about one that is forgotten.
///
/// Whether an address is somebody's is told by none of the answers, nor by how long they take.
struct PasswordRoutes: Sendable {
    let pool: PGPool
    let database: TenantDatabase
    let tokens: AccessTokens
    let limits: Limits
    let passwords: Passwords
    let signIns: PasswordSignIns
    let codes: EmailCodes
    let now: @Sendable () -> Date

    private struct Credentials: Decodable {
        let address: EmailAddress
        let password: String
    }

    private struct Named: Decodable {
        let address: EmailAddress
    }

    private struct Asked: Encodable {
        let resetId: String
        let codeExpiresAt: Instant
    }

    private struct Reset: Decodable {
        let resetId: UUID
        let code: String
        let password: String
    }

    private struct Change: Decodable {
        let currentPassword: String?
        let password: String
    }

    func add(to routes: some RouterMethods<AppContext>, members: some RouterMethods<MemberContext>) {
        routes.group("auth")
            .post("register", use: register)
            .post("sign-in", use: signIn)
            .post("password/forgotten", use: forgotPassword)
            .post("password/reset", use: resetPassword)
        members.put("me/password", use: changePassword)
    }

    /// `POST /v1/auth/register`: an account with a password, and a code mailed to the address. The address
    /// signs in once the code came back; until then the tokens are all there is.
    @Sendable func register(_ request: Request, in context: AppContext) async throws -> Response {
        let body = try await JSON.decode(Credentials.self, from: request)
        try await limits.take(.createAccount, from: context.origin.source)
        let phc = try await passwords.hash(passwords.new(body.password, of: body.address))
        let (seed, now) = (UUID(), now())
        let signIn = try await database.register { tx in
            let digest = codes.digest(of: codes.code(from: seed), for: body.address, of: tx.principal.uid)
            try await tx.setPassword(phc, at: now)
            _ = try await tx.askEmail(body.address, seed: seed, digest: digest, at: now)
            let signIn = try await tx.beginSignIn(at: now)
            try tx.record(.accountCreated, by: context.origin, at: now)
            return signIn
        }
        return try JSON.response(try await tokens.answer(with: signIn), status: .created)
    }

    /// `POST /v1/auth/sign-in`
    @Sendable func signIn(_ request: Request, in context: AppContext) async throws -> Response {
        let body = try await JSON.decode(Credentials.self, from: request)
        let (source, now) = (context.origin.source, now())
        let signIn = try await signIns.enter(by: body.address, body.password, from: source) { tx in
            try await tx.signIn(by: .password, from: context.origin, at: now)
        }
        return try JSON.response(try await tokens.answer(with: signIn))
    }

    /// `POST /v1/auth/password/forgotten`: mails a code, if the address is somebody's.
    @Sendable func forgotPassword(_ request: Request, in context: AppContext) async throws -> Response {
        let address = try await JSON.decode(Named.self, from: request).address
        try await limits.take(.forgetPassword, from: context.origin.source)
        let (ask, now) = (PasswordReset(codes), now())
        try await pool.askPasswordReset(ask, of: address, at: now)
        let expiresAt = Instant(now.addingTimeInterval(EmailCodes.lifetime))
        return try JSON.response(Asked(resetId: ask.id.text, codeExpiresAt: expiresAt), status: .accepted)
    }

    /// `POST /v1/auth/password/reset`: another password by the code that was mailed, which signs in here and
    /// ends everything else that acts as this person.
    @Sendable func resetPassword(_ request: Request, in context: AppContext) async throws -> Response {
        let body = try await JSON.decode(Reset.self, from: request)
        try await limits.take(.resetPassword, from: context.origin.source)
        let phc = try await passwords.hash(passwords.new(body.password))
        let (digest, now) = (codes.digest(ofReset: body.code, body.resetId), now())
        let signIn = try await database.enter(byReset: body.resetId, digest: digest, at: now) { tx in
            try await tx.resetPassword(phc, from: context.origin, at: now)
            return try await tx.signIn(by: .passwordReset, from: context.origin, at: now)
        }
        guard let signIn else { throw Problem.codeNotGood }
        return try JSON.response(try await tokens.answer(with: signIn))
    }

    /// `PUT /v1/me/password`: sets or changes it. Whoever is signed in elsewhere is so no more.
    @Sendable func changePassword(_ request: Request, in context: MemberContext) async throws -> Response {
        let body = try await JSON.decode(Change.self, from: request)
        let now = now()
        try await limits.take(
            .changePassword,
            from: context.origin.source,
            account: context.principal.uid.text
        )
        let phc = try await passwords.hash(passwords.new(body.password))
        try await passwords.confirmed(body.currentPassword, as: context.principal, in: database) { tx in
            try await tx.resetPassword(phc, from: context.origin, at: now)
        }
        return Response(status: .noContent)
    }
}

/// A password that somebody says is forgotten: which ask it is, and the code that is mailed for it.
struct PasswordReset: Sendable {
    let id = UUID()
    let seed = UUID()
    let digest: [UInt8]

    init(_ codes: EmailCodes) {
        digest = codes.digest(ofReset: codes.resetCode(from: seed), id)
    }
}
