import Crypto
import Domain
import Foundation

/// Makes the codes that are mailed to people and recognises them. The database holds seeds and
/// digests, from which nobody gets to a code without this key.
struct EmailCodes: Sendable {
    /// Seconds; at most ten minutes, as OWASP ASVS 6.5.5 has it.
    static let lifetime: TimeInterval = 10 * 60

    let key: SymmetricKey

    /// Six digits.
    func code(from seed: UUID) -> String {
        let number = authenticated("code", seed.text).prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let digits = String(number % 1_000_000)
        return String(repeating: "0", count: 6 - digits.count) + digits
    }

    /// Bound to the person and the address, so that no row can be taken for another's.
    func digest(of code: String, for address: EmailAddress, of uid: UUID) -> [UInt8] {
        authenticated("digest", "\(uid.text) \(address) \(code)")
    }

    private func authenticated(_ purpose: String, _ text: String) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Data("\(purpose) \(text)".utf8), using: key))
    }
}
