import Crypto
import Foundation

/// An opaque refresh token: whose it is, which sign-in it continues, and 256
/// secret bits. Only its SHA-256 is stored.
struct RefreshToken: Sendable {
    /// For how long one is good that isn't used.
    static let lifetime: TimeInterval = 90 * 24 * 3600
    /// For how long a sign-in can be continued at all (OWASP ASVS 5.0, 10.4.8).
    static let longestSignIn: TimeInterval = 365 * 24 * 3600

    let uid: UUID
    let family: UUID
    private let secret: Data

    /// The first token of a new sign-in.
    init(uid: UUID) {
        self.uid = uid
        self.family = UUID()
        self.secret = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
    }

    /// The token that follows `token`: always the same one, so that a client that
    /// asks twice, for a lost answer or from two windows, gets the same answer.
    init(after token: RefreshToken, key: SymmetricKey) {
        self.uid = token.uid
        self.family = token.family
        self.secret = Data(HMAC<SHA256>.authenticationCode(for: Data(token.text.utf8), using: key))
    }

    /// Nil for text that is not one of ours.
    init?(_ text: String) {
        guard text.hasPrefix(Self.prefix), text.utf8.count < 128,
            let bytes = Data(base64URL: String(text.dropFirst(Self.prefix.count))), bytes.count == 64
        else { return nil }
        self.uid = UUID(bytes: bytes.prefix(16))
        self.family = UUID(bytes: bytes.dropFirst(16).prefix(16))
        self.secret = bytes.suffix(32)
    }

    var text: String {
        Self.prefix + (uid.data + family.data + secret).base64URL
    }

    var hash: [UInt8] {
        Array(SHA256.hash(data: Data(text.utf8)))
    }

    private static let prefix = "bm_rt_"
}

extension UUID {
    init(bytes: some Sequence<UInt8>) {
        var value: uuid_t = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        withUnsafeMutableBytes(of: &value) { $0.copyBytes(from: Array(bytes)) }
        self.init(uuid: value)
    }

    var data: Data {
        withUnsafeBytes(of: uuid) { Data($0) }
    }
}
