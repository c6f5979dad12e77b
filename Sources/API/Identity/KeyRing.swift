import Crypto
import Foundation

/// The keys that sign access tokens, the oldest first, and the secret that outlasts them all.
///
/// A new key is known to every server before it signs, and an old one until nothing that it
/// signed is good any more, so nobody notices a rotation.
struct KeyRing: Codable, Sendable {
    struct Key: Codable, Sendable {
        /// Of an Ed25519 key, 32 bytes (RFC 8032).
        let seed: Data
        let madeAt: Date
        /// When it takes over from the one before.
        let signsFrom: Date

        /// What the header of a token calls it: a thumbprint, so that a new key is a new name.
        func id() throws -> String {
            let digest = SHA256.hash(data: try signing().publicKey.rawRepresentation)
            return Data(digest.prefix(12)).base64URL
        }

        func signing() throws -> Curve25519.Signing.PrivateKey {
            try Curve25519.Signing.PrivateKey(rawRepresentation: seed)
        }
    }

    /// How long a new key is only known. Servers read the keys once a minute.
    static let announcement: TimeInterval = 10 * 60
    /// How long an old key is still known: what it signed last is over long before.
    static let farewell: TimeInterval = 3600

    /// What other secrets are derived from, which have to stay when a key goes.
    let secret: Data
    private(set) var keys: [Key]

    /// - Parameter seed: of the first key. The secret is the same, as it was when there was one key for everything.
    init(seed: Data, madeAt: Date) {
        secret = seed
        keys = [Key(seed: seed, madeAt: madeAt, signsFrom: Date(timeIntervalSince1970: 0))]
    }

    /// With another key, and without those whose successor has signed for long enough.
    ///
    /// - Parameter atOnce: for a key that others have seen: the new one signs right away and is the only one,
    ///   so every access token is refused and asked for anew.
    func rotated(at now: Date, atOnce: Bool = false) -> KeyRing {
        var ring = self
        let seed = Curve25519.Signing.PrivateKey().rawRepresentation
        ring.keys.append(
            Key(seed: seed, madeAt: now, signsFrom: atOnce ? now : now.addingTimeInterval(Self.announcement))
        )
        if atOnce {
            ring.keys.removeFirst(ring.keys.count - 1)
        } else {
            ring.keys.removeFirst(
                zip(ring.keys, ring.keys.dropFirst())
                    .prefix { $1.signsFrom.addingTimeInterval(Self.farewell) <= now }.count
            )
        }
        return ring
    }

    /// The newest whose time has come. Nil for a ring without keys, which no file may hold.
    func signing(at now: Date) -> Key? {
        keys.last { $0.signsFrom <= now } ?? keys.first
    }

    /// A key of its own for each purpose (RFC 5869).
    func derivedKey(for purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: secret),
            info: Data(purpose.utf8),
            outputByteCount: 32
        )
    }
}
