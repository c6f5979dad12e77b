import Crypto
import Foundation

/// What a device that wants to be signed in comes back with: which request, and 256 secret bits. Only its
/// SHA-256 is stored.
struct DeviceCode: Sendable {
    /// Seconds, for it and for the code that is shown.
    static let lifetime: TimeInterval = 10 * 60
    /// Seconds between two questions of a device, at first.
    static let interval = 5

    let id: UUID
    private let secret: Data

    init() {
        id = UUID()
        secret = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
    }

    /// Nil for text that is not one of ours.
    init?(_ text: String) {
        guard text.hasPrefix(Self.prefix), text.utf8.count < 128,
            let bytes = Data(base64URL: String(text.dropFirst(Self.prefix.count))), bytes.count == 48
        else { return nil }
        id = UUID(bytes: bytes.prefix(16))
        secret = Data(bytes.suffix(32))
    }

    var text: String { Self.prefix + (id.data + secret).base64URL }

    var hash: [UInt8] { Array(SHA256.hash(data: Data(text.utf8))) }

    private static let prefix = "bm_dc_"
}

/// The code that a device shows and a person types: eight letters that make no words (RFC 8628 §6.1), 34 bits.
struct UserCode: Sendable {
    private static let letters = Array("BCDFGHJKLMNPQRSTVWXZ")

    /// In two groups.
    let text: String

    init() {
        let letters = (0..<8).map { _ in Self.letters.randomElement() ?? "B" }
        text = String(letters.prefix(4)) + "-" + String(letters.suffix(4))
    }

    /// However it was typed: small, with other signs in between or without. Nil for what can't be one.
    init?(_ typed: String) {
        let letters = typed.uppercased().filter(Self.letters.contains)
        guard letters.count == 8, typed.utf8.count <= 40 else { return nil }
        text = letters.prefix(4) + "-" + letters.suffix(4)
    }

    func digest(_ key: SymmetricKey) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: key))
    }
}
