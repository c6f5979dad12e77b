import Crypto
import Foundation
import JWTKit
import Synchronization
import Tenancy

/// Whom an access token stands for, and until when.
struct Access: Sendable {
    let principal: Principal
    let endsAt: Date
}

/// Access tokens: EdDSA-signed JWTs (RFC 8037, RFC 9068) of 15 minutes.
final class AccessTokens: Sendable {
    static let lifetime: TimeInterval = 15 * 60
    static let issuer = "breathmaster"
    /// For whom they are: this API, and nothing else that the issuer may come to sign for.
    static let audience = "breathmaster-api"
    /// How far ahead the clock of another server may be that signed.
    private static let tolerance: TimeInterval = 60

    /// What there is to know of the keys at one time.
    private struct Known: Sendable {
        let ring: KeyRing
        /// One collection for each key: left to itself, the library falls back to its first
        /// key for a name that it doesn't know, and here none has another key to fall back to.
        let keys: [String: JWTKeyCollection]
        let set: JWKSet
        /// Of a ring that is replaced, the tokens go too: a key that was taken away opens nothing.
        let verified = VerifiedTokens(limit: 20_000)

        init(_ ring: KeyRing) async throws {
            self.ring = ring
            var keys: [String: JWTKeyCollection] = [:]
            var set: [JWKSet.Key] = []
            for key in ring.keys {
                let (kid, privateKey) = (try key.id(), EdDSA.PrivateKey(backing: try key.signing()))
                keys[kid] = await JWTKeyCollection().add(eddsa: privateKey, kid: JWKIdentifier(string: kid))
                set.append(JWKSet.Key(ed25519: privateKey.publicKey.rawRepresentation, kid: kid))
            }
            self.keys = keys
            self.set = JWKSet(keys: set)
        }
    }

    private let known: Mutex<Known>
    /// Derives the refresh tokens that follow one another.
    let refreshKey: SymmetricKey
    /// Seals what a cursor says of the last standing on its page.
    let cursorKey: SymmetricKey
    /// Seals what the database passes on of a sync.
    let eventKey: SymmetricKey
    /// Makes invitation codes and recognises them.
    let friendCodeKey: SymmetricKey
    /// Makes of addresses and accounts what is counted.
    let limitKey: SymmetricKey
    /// Makes the codes that are mailed and recognises them.
    let emailCodeKey: SymmetricKey
    /// Recognises the codes that devices show.
    let deviceKey: SymmetricKey
    /// Recognises the codes by which two accounts become one.
    let mergeKey: SymmetricKey
    /// Seals what a page or a link carries along.
    let ticketKey: SymmetricKey
    /// Derives the recovery codes that follow one another.
    let recoveryKey: SymmetricKey
    private let now: @Sendable () -> Date

    /// - Throws: where one of the keys is none.
    init(_ ring: KeyRing, now: @escaping @Sendable () -> Date) async throws {
        known = Mutex(try await Known(ring))
        refreshKey = ring.derivedKey(for: "refresh tokens")
        cursorKey = ring.derivedKey(for: "board cursors")
        eventKey = ring.derivedKey(for: "sync events")
        friendCodeKey = ring.derivedKey(for: "friend codes")
        limitKey = ring.derivedKey(for: "rate limits")
        emailCodeKey = ring.derivedKey(for: "email codes")
        deviceKey = ring.derivedKey(for: "device codes")
        mergeKey = ring.derivedKey(for: "account merges")
        ticketKey = ring.derivedKey(for: "page tickets")
        recoveryKey = ring.derivedKey(for: "recovery codes")
        self.now = now
    }

    /// Takes other keys from now on, from the same secret. Nothing happens where they are the same.
    ///
    /// - Throws: where one of the keys is none.
    func use(_ ring: KeyRing) async throws {
        guard known.withLock({ $0.ring.keys.map(\.seed) }) != ring.keys.map(\.seed) else { return }
        let next = try await Known(ring)
        known.withLock { $0 = next }
    }

    /// - Parameter signIn: the family of the refresh token beside it; with that
    ///   family this token ends too, before its time.
    func token(for uid: UUID, signIn: UUID) async throws -> String {
        let now = now()
        // Whole seconds, as NumericDate mostly is (RFC 7519 §2).
        let issuedAt = Date(timeIntervalSince1970: now.timeIntervalSince1970.rounded(.down))
        let claims = Claims(
            iss: IssuerClaim(value: Self.issuer),
            aud: AudienceClaim(value: [Self.audience]),
            sub: SubjectClaim(value: uid.text),
            sid: signIn.text,
            jti: IDClaim(value: UUID().text),
            iat: IssuedAtClaim(value: issuedAt),
            nbf: nil,
            exp: ExpirationClaim(value: issuedAt.addingTimeInterval(Self.lifetime))
        )
        let known = known.withLock { $0 }
        guard let kid = try known.ring.signing(at: now)?.id(), let keys = known.keys[kid] else {
            throw Problem.unexpected
        }
        return try await keys.sign(claims, kid: JWKIdentifier(string: kid), header: ["typ": "at+jwt"])
    }

    /// Nil for a token that is not ours, not of this kind, not for us, not yet good, or over.
    func access(by token: String) async -> Access? {
        let known = known.withLock { $0 }
        if let access = known.verified.access(by: token) {
            return access.endsAt > now() ? access : nil
        }
        guard let access = await verifiedAccess(by: token, known.keys) else { return nil }
        known.verified.add(access, for: token)
        return access
    }

    /// The header is checked before the signature: what isn't signed in our one way is nothing that a
    /// library has to have an opinion of (RFC 8725 §3.1).
    private func verifiedAccess(by token: String, _ keys: [String: JWTKeyCollection]) async -> Access? {
        guard token.utf8.count <= 1024,
            let header = try? DefaultJWTParser().parse(Data(token.utf8), as: Claims.self).header,
            header.alg == "EdDSA", header.typ == "at+jwt", let kid = header.kid, let key = keys[kid],
            let claims = try? await key.verify(token, as: Claims.self),
            claims.iss.value == Self.issuer, claims.aud.value == [Self.audience],
            claims.exp.value > now(),
            max(claims.iat.value, claims.nbf?.value ?? .distantPast)
                <= now().addingTimeInterval(Self.tolerance),
            let uid = UUID(uuidString: claims.sub.value), let signIn = UUID(uuidString: claims.sid)
        else { return nil }
        return Access(principal: Principal(uid: uid, signIn: signIn), endsAt: claims.exp.value)
    }

    /// The public halves, for `GET /.well-known/jwks.json` (RFC 7517).
    var keySet: JWKSet { known.withLock { $0.set } }

    private struct Claims: JWTPayload {
        let iss: IssuerClaim
        let aud: AudienceClaim
        let sub: SubjectClaim
        /// The sign-in (registered by OpenID Connect Front-Channel Logout).
        let sid: String
        let jti: IDClaim
        let iat: IssuedAtClaim
        let nbf: NotBeforeClaim?
        let exp: ExpirationClaim

        /// Times are checked against the clock that was passed in, not here.
        func verify(using algorithm: some JWTAlgorithm) async throws {}
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

        init(ed25519 publicKey: Data, kid: String) {
            kty = "OKP"
            crv = "Ed25519"
            alg = "EdDSA"
            use = "sig"
            self.kid = kid
            x = publicKey.base64URL
        }
    }

    let keys: [Key]
}

extension Data {
    /// Base64url without padding (RFC 4648 §5).
    var base64URL: String {
        base64EncodedString(options: [.base64URLAlphabet, .omitPaddingCharacter])
    }

    init?(base64URL text: String) {
        var standard = Data(text.utf8)
        for (index, sign) in standard.enumerated() {
            switch sign {
            case UInt8(ascii: "-"): standard[index] = UInt8(ascii: "+")
            case UInt8(ascii: "_"): standard[index] = UInt8(ascii: "/")
            default: break
            }
        }
        standard.append(contentsOf: repeatElement(UInt8(ascii: "="), count: (4 - standard.count % 4) % 4))
        self.init(base64Encoded: standard)
    }
}
