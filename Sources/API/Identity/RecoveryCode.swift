import Crypto
import Foundation

/// By which a person finds an account again that has neither an address nor anything else: whose it is,
/// and 128 secret bits. Only its SHA-256 is stored.
///
/// Each is used once and has the next one in its answer: always the same, so that an answer which
/// was lost can be asked for again.
struct RecoveryCode: Sendable {
    let uid: UUID
    private let secret: Data

    init(of uid: UUID) {
        self.uid = uid
        secret = SymmetricKey(size: .bits128).withUnsafeBytes { Data($0) }
    }

    /// The code that follows `code`.
    init(after code: RecoveryCode, key: SymmetricKey) {
        uid = code.uid
        secret = Data(HMAC<SHA256>.authenticationCode(for: Data(code.text.utf8), using: key).prefix(16))
    }

    /// Nil for text that is not one of ours.
    init?(_ text: String) {
        let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard text.hasPrefix(Self.prefix), text.utf8.count < 64,
            let bytes = Data(base64URL: String(text.dropFirst(Self.prefix.count))), bytes.count == 32
        else { return nil }
        uid = UUID(bytes: bytes.prefix(16))
        secret = Data(bytes.suffix(16))
    }

    var text: String {
        Self.prefix + (uid.data + secret).base64URL
    }

    var hash: [UInt8] {
        Array(SHA256.hash(data: Data(text.utf8)))
    }

    private static let prefix = "bm_rec_"
}
