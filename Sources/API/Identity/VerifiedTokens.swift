import Crypto
import Synchronization

/// Access tokens whose signature was found good, so that it is checked once and not
/// with each request. What a token says stays to be checked: it may be over by now.
///
/// It knows tokens by their SHA-256, so that the memory holds nothing that a request could be made with, and of each
/// 0.8 kB less.
///
/// Keeps those used last, by halves: when the newer half is full, it becomes the
/// older, and what of that isn't used again is forgotten.
final class VerifiedTokens: Sendable {
    private struct Halves {
        var newer: [SHA256Digest: Access] = [:]
        var older: [SHA256Digest: Access] = [:]
    }

    private let half: Int
    private let halves = Mutex(Halves())

    /// - Parameter limit: the most tokens that are kept, at up to a quarter of a kilobyte each.
    init(limit: Int) {
        half = max(1, limit / 2)
    }

    func access(by token: String) -> Access? {
        let digest = Self.digest(of: token)
        return halves.withLock { halves in
            if let access = halves.newer[digest] { return access }
            guard let access = halves.older[digest] else { return nil }
            add(access, for: digest, to: &halves)
            return access
        }
    }

    func add(_ access: Access, for token: String) {
        let digest = Self.digest(of: token)
        halves.withLock { add(access, for: digest, to: &$0) }
    }

    private func add(_ access: Access, for digest: SHA256Digest, to halves: inout Halves) {
        if halves.newer.count >= half {
            halves.older = halves.newer
            halves.newer = [:]
        }
        halves.newer[digest] = access
    }

    private static func digest(of token: String) -> SHA256Digest {
        var token = token
        return token.withUTF8 { bytes in
            var hash = SHA256()
            hash.update(bufferPointer: UnsafeRawBufferPointer(bytes))
            return hash.finalize()
        }
    }
}
