import Crypto
import Foundation

/// What a link in a mail, or one page for the next, carries along: sealed, so that nobody reads or makes one,
/// and good for a while. No page takes a cookie's word for who somebody is, so no other site can act in anybody's name.
struct Ticket<Content: Codable & Sendable>: Codable, Sendable {
    let content: Content
    let goodUntil: Date
}

extension Ticket {
    /// - Parameter purpose: which page it is for; it opens no other.
    /// - Returns: nil for what isn't one, or no longer.
    init?(_ text: String, for purpose: String, key: SymmetricKey, at now: Date) {
        guard text.utf8.count < 2048, let data = Data(base64URL: text),
            let box = try? AES.GCM.SealedBox(combined: data),
            let opened = try? AES.GCM.open(box, using: key, authenticating: Data(purpose.utf8)),
            let ticket = try? JSONDecoder().decode(Self.self, from: opened), ticket.goodUntil > now
        else { return nil }
        self = ticket
    }

    func text(for purpose: String, key: SymmetricKey) throws -> String {
        let sealed = try AES.GCM.seal(
            try JSONEncoder().encode(self),
            using: key,
            authenticating: Data(purpose.utf8)
        )
        guard let combined = sealed.combined else { throw Problem.unexpected }
        return combined.base64URL
    }
}

/// Says yes or no to a device on the next page.
struct DeviceTicket: Codable, Sendable {
    static let purpose = "device"

    let uid: UUID
    let requestID: UUID
    let deviceName: String
    /// SHA-256 of what the password was recognised by: with another one, the page before is nobody's any more.
    let password: Data
}

/// Goes to a provider and comes back, as the `state` (RFC 6749 §4.1.1).
struct ProviderTicket: Codable, Sendable {
    static let purpose = "provider"

    let userCode: String
    let attempt: OpenIDAttempt
    /// SHA-256 of what the browser that set out has in a cookie.
    let browser: Data
}

/// What the link in a mail proves: the code that is in it too.
struct EmailTicket: Codable, Sendable {
    static let purpose = "email"

    let uid: UUID
    let address: String
    let code: String
}

struct PasswordTicket: Codable, Sendable {
    static let purpose = "password"

    let resetID: UUID
    let code: String
}
