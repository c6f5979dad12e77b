import Crypto
import Foundation

/// One sign-in by a provider, from when this server begins it to when an ID token comes of it.
struct OpenIDAttempt: Codable, Sendable {
    static let lifetime: TimeInterval = 600

    let nonce: String
    /// What only this server knows until it asks for tokens (RFC 7636 §4.1).
    let verifier: String

    init(key: SymmetricKey, at now: Date) throws {
        nonce = try Nonce.text(key: key, at: now)
        verifier = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0).base64URL }
    }

    /// What the provider is told of the verifier (RFC 7636 §4.2).
    var challenge: String { Data(SHA256.hash(data: Data(verifier.utf8))).base64URL }
}

/// What ties an ID token to one sign-in here. It is sealed, so this server knows its own without keeping them, and is
/// remembered when it was used.
enum Nonce {
    private struct Content: Codable {
        let id: UUID
    }

    private static let purpose = "nonce"

    static func text(key: SymmetricKey, at now: Date) throws -> String {
        try Ticket(content: Content(id: UUID()), goodUntil: now.addingTimeInterval(OpenIDAttempt.lifetime))
            .text(for: purpose, key: key)
    }

    /// What is remembered of it; nil for one that isn't ours, or no longer good.
    static func digest(of text: String, key: SymmetricKey, at now: Date) -> [UInt8]? {
        guard Ticket<Content>(text, for: purpose, key: key, at: now) != nil else { return nil }
        return Array(SHA256.hash(data: Data(text.utf8)))
    }
}
