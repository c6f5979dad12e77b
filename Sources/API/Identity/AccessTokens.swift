import Crypto
import Foundation
import JWTKit
import Tenancy

/// Whom an access token stands for, and until when.
struct Access: Sendable {
    let principal: Principal
    let endsAt: Date
}

/// Access tokens: EdDSA-signed JWTs (RFC 8037, RFC 9068) of 15 minutes.
struct AccessTokens: Sendable {
    static let lifetime: TimeInterval = 15 * 60
    static let issuer = "breathmaster"

    private let keys: JWTKeyCollection
    private let kid: JWKIdentifier
    private let publicKey: EdDSA.PublicKey
    /// Derives the refresh tokens that follow one another.
    let refreshKey: SymmetricKey
    /// Seals what a cursor says of the last standing on its page.
    let cursorKey: SymmetricKey
    /// Seals what the database passes on of a sync.
    let eventKey: SymmetricKey
    /// Makes invitation codes and recognises them.
    let friendCodeKey: SymmetricKey
    /// Makes the codes that are mailed and recognises them.
    let emailCodeKey: SymmetricKey
    private let now: @Sendable () -> Date
    private let verified = VerifiedTokens(limit: 20_000)

    init(signingKey: Curve25519.Signing.PrivateKey, now: @escaping @Sendable () -> Date) async {
        let privateKey = EdDSA.PrivateKey(backing: signingKey)
        // The thumbprint names the key, so that a new key is a new name.
        let digest = SHA256.hash(data: signingKey.publicKey.rawRepresentation)
        kid = JWKIdentifier(string: Data(digest.prefix(12)).base64URL)
        publicKey = privateKey.publicKey
        refreshKey = signingKey.derivedKey(for: "refresh tokens")
        cursorKey = signingKey.derivedKey(for: "board cursors")
        eventKey = signingKey.derivedKey(for: "sync events")
        friendCodeKey = signingKey.derivedKey(for: "friend codes")
        emailCodeKey = signingKey.derivedKey(for: "email codes")
        keys = await JWTKeyCollection().add(eddsa: privateKey, kid: kid)
        self.now = now
    }

    /// - Parameter signIn: the family of the refresh token beside it; with that
    ///   family this token ends too, before its time.
    func token(for uid: UUID, signIn: UUID) async throws -> String {
        // Whole seconds, as NumericDate mostly is (RFC 7519 §2).
        let issuedAt = Date(timeIntervalSince1970: now().timeIntervalSince1970.rounded(.down))
        let claims = Claims(
            iss: IssuerClaim(value: Self.issuer),
            sub: SubjectClaim(value: uid.text),
            sid: signIn.text,
            iat: IssuedAtClaim(value: issuedAt),
            exp: ExpirationClaim(value: issuedAt.addingTimeInterval(Self.lifetime))
        )
        return try await keys.sign(claims, kid: kid, header: ["typ": "at+jwt"])
    }

    /// Nil for a token that is not ours, not of this kind, or over.
    func access(by token: String) async -> Access? {
        if let access = verified.access(by: token) {
            return access.endsAt > now() ? access : nil
        }
        guard let access = await verifiedAccess(by: token) else { return nil }
        verified.add(access, for: token)
        return access
    }

    /// The header is checked before the signature: left to itself, the library
    /// falls back to its default key for a `kid` that it doesn't know.
    private func verifiedAccess(by token: String) async -> Access? {
        guard token.utf8.count <= 1024,
            let header = try? DefaultJWTParser().parse(Data(token.utf8), as: Claims.self).header,
            header.alg == "EdDSA", header.kid == kid.string, header.typ == "at+jwt",
            let claims = try? await keys.verify(token, as: Claims.self),
            claims.iss.value == Self.issuer, claims.exp.value > now(),
            let uid = UUID(uuidString: claims.sub.value), let signIn = UUID(uuidString: claims.sid)
        else { return nil }
        return Access(principal: Principal(uid: uid, signIn: signIn), endsAt: claims.exp.value)
    }

    /// The public half, for `GET /.well-known/jwks.json` (RFC 7517).
    var keySet: JWKSet {
        JWKSet(keys: [
            .init(
                kty: "OKP",
                crv: "Ed25519",
                alg: "EdDSA",
                use: "sig",
                kid: kid.string,
                x: publicKey.rawRepresentation.base64URL
            )
        ])
    }

    private struct Claims: JWTPayload {
        let iss: IssuerClaim
        let sub: SubjectClaim
        /// The sign-in (registered by OpenID Connect Front-Channel Logout).
        let sid: String
        let iat: IssuedAtClaim
        let exp: ExpirationClaim

        /// Expiry is checked against the clock that was passed in, not here.
        func verify(using algorithm: some JWTAlgorithm) async throws {}
    }
}

extension Curve25519.Signing.PrivateKey {
    /// A key of its own for each purpose (RFC 5869).
    fileprivate func derivedKey(for purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: rawRepresentation),
            info: Data(purpose.utf8),
            outputByteCount: 32
        )
    }
}

struct JWKSet: Encodable, Sendable {
    struct Key: Encodable, Sendable {
        let kty: String
        let crv: String
        let alg: String
        let use: String
        let kid: String
        let x: String
    }

    let keys: [Key]
}

extension UUID {
    /// The form that every answer uses (RFC 9562: lower case on output).
    var text: String { uuidString.lowercased() }
}

extension Data {
    /// Base64url without padding (RFC 4648 §5).
    var base64URL: String {
        base64EncodedString()
            .replacing("+", with: "-")
            .replacing("/", with: "_")
            .replacing("=", with: "")
    }

    init?(base64URL text: String) {
        let standard = text.replacing("-", with: "+").replacing("_", with: "/")
        let padding = String(repeating: "=", count: (4 - standard.utf8.count % 4) % 4)
        self.init(base64Encoded: standard + padding)
    }
}
