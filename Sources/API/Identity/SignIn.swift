import Domain
import Foundation
import Tenancy

/// A sign-in that has just begun, with the first of its refresh tokens.
struct SignIn: Sendable {
    /// How somebody showed who they are.
    enum Way: String, Sendable {
        case password
        case passwordReset = "password reset"
        case recoveryCode = "recovery code"
        case deviceCode = "device code"
        case google = "Google"
    }

    let token: RefreshToken
    /// When it is over, however often it is continued.
    let endsAt: Date
}

extension TenantTransaction {
    /// Lets the person in. What they see of it in their record is for the caller to add.
    func beginSignIn(at now: Date) async throws -> SignIn {
        let signIn = SignIn(
            token: RefreshToken(uid: principal.uid),
            endsAt: now.addingTimeInterval(RefreshToken.longestSignIn)
        )
        try await beginFamily(
            signIn.token,
            at: now,
            expiresAt: now.addingTimeInterval(RefreshToken.lifetime),
            endsAt: signIn.endsAt
        )
        return signIn
    }

    /// Lets the person in, with a line in their record.
    func signIn(by way: SignIn.Way, from origin: Origin, at now: Date) async throws -> SignIn {
        let signIn = try await beginSignIn(at: now)
        try record(.signedIn, way.rawValue, by: origin, at: now)
        return signIn
    }
}

/// What every way in ends with.
struct Tokens: Encodable {
    let uid: String
    let accessToken: String
    let refreshToken: String
    /// Seconds for which the access token is good.
    let expiresIn: Int
    /// When the sign-in ends, however often it is continued.
    let signInEndsAt: Instant
    /// Shown once, to those who have nothing else to come back with.
    var recoveryCode: String?
}

extension AccessTokens {
    func answer(with signIn: SignIn) async throws -> Tokens {
        Tokens(
            uid: signIn.token.uid.text,
            accessToken: try await token(for: signIn.token.uid, signIn: signIn.token.family),
            refreshToken: signIn.token.text,
            expiresIn: Int(Self.lifetime),
            signInEndsAt: Instant(signIn.endsAt)
        )
    }
}
