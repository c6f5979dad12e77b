import Domain
import Foundation
import JWTKit

/// Whom an ID token is of.
struct OpenIDPerson: Sendable {
    let issuer: String
    /// Who they are to the issuer, whatever their address is (OpenID Connect Core 1.0 §5.7).
    let subject: String
    /// What this server gave out for this one sign-in.
    let nonce: String
    /// What the provider shows as their address, for them to read.
    let address: String?
    /// The same where the provider can say that it is theirs: it runs the mailbox, or their company has it do so.
    let vouchedAddress: EmailAddress?
}

/// What an ID token says (OpenID Connect Core 1.0 §2; `hd` is Google's).
struct IDTokenClaims: JWTPayload {
    let iss, sub: String
    let aud: AudienceClaim
    let exp: ExpirationClaim
    let iat: IssuedAtClaim
    let nonce, email, hd: String?
    let email_verified: Bool?

    /// How far ahead the provider's clock may be.
    private static let tolerance: TimeInterval = 300

    /// Times are checked against the clock that was passed in, not here.
    func verify(using algorithm: some JWTAlgorithm) async throws {}

    /// - Throws: the problem that says which claim it is that isn't as it has to be.
    func person(for settings: OpenIDSettings, at now: Date) throws -> OpenIDPerson {
        let isGoogle = settings.issuer == OpenIDSettings.googleIssuer
        guard iss == settings.issuer || isGoogle && iss == "accounts.google.com" else {
            throw Problem.idTokenNotGood("iss: another issuer's")
        }
        guard aud.value.count == 1, settings.clientIDs.contains(aud.value[0]) else {
            throw Problem.idTokenNotGood("aud: for another program")
        }
        guard exp.value > now else { throw Problem.idTokenNotGood("exp: it is over") }
        guard iat.value <= now.addingTimeInterval(Self.tolerance) else {
            throw Problem.idTokenNotGood("iat: it is from the future")
        }
        guard (1...255).contains(sub.utf8.count), sub.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw Problem.idTokenNotGood("sub: nobody's")
        }
        guard let nonce else { throw Problem.idTokenNotGood("nonce: missing") }
        return OpenIDPerson(
            issuer: settings.issuer,
            subject: sub,
            nonce: nonce,
            address: email.flatMap(EmailAddress.init)?.description,
            vouchedAddress: vouchedAddress
        )
    }

    /// Google says of any address that it was verified once. It knows whose it is now where it runs the mailbox, or
    /// a company of that very domain has its people there.
    private var vouchedAddress: EmailAddress? {
        guard email_verified == true, let email, let address = EmailAddress(email),
            address.domain == "gmail.com" || address.domain == hd?.lowercased()
        else { return nil }
        return address
    }
}
