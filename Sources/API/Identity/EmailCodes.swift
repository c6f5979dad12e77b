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

    /// Eight signs that can't be taken for one another (Crockford's base 32), in two groups: 40 bits. Longer than
    /// the other, since it opens an account all by itself.
    func resetCode(from seed: UUID) -> String {
        let signs = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
        let code = authenticated("reset code", seed.text).prefix(8).map { signs[Int($0 % 32)] }
        return String(code.prefix(4)) + "-" + String(code.dropFirst(4))
    }

    /// Bound to the one who asked, by the id that they alone have. Lower case and hyphens are for the eye.
    func digest(ofReset code: String, _ id: UUID) -> [UInt8] {
        let signs = code.uppercased().filter { $0.isLetter || $0.isNumber }
        return authenticated("reset digest", "\(id.text) \(signs)")
    }

    /// Bound to the person and the address, so that no row can be taken for another's.
    func digest(of code: String, for address: EmailAddress, of uid: UUID) -> [UInt8] {
        authenticated("digest", "\(uid.text) \(address) \(code)")
    }

    private func authenticated(_ purpose: String, _ text: String) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Data("\(purpose) \(text)".utf8), using: key))
    }
}
