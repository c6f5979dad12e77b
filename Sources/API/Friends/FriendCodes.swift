import Crypto
import Domain
import Foundation

/// Makes invitation codes and recognises them. The database holds seeds and digests,
/// from which nobody gets to a code without this key.
struct FriendCodes: Sendable {
    let key: SymmetricKey

    func code(from seed: UUID) -> FriendCode {
        let bytes = authenticated("code", seed.text).prefix(8)
        return FriendCode(secret: bytes.reduce(0) { $0 << 8 | UInt64($1) })
    }

    func digest(of code: FriendCode) -> [UInt8] {
        authenticated("digest", code.description)
    }

    private func authenticated(_ purpose: String, _ text: String) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Data("\(purpose) \(text)".utf8), using: key))
    }
}
