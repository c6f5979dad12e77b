import Synchronization

/// Access tokens whose signature was found good, so that it is checked once and not
/// with each request. What a token says stays to be checked: it may be over by now.
///
/// Keeps those used last, by halves: when the newer half is full, it becomes the
/// older, and what of that isn't used again is forgotten.
final class VerifiedTokens: Sendable {
    private struct Halves {
        var newer: [String: Access] = [:]
        var older: [String: Access] = [:]
    }

    private let half: Int
    private let halves = Mutex(Halves())

    /// - Parameter limit: the most tokens that are kept, at about half a kilobyte each.
    init(limit: Int) {
        half = max(1, limit / 2)
    }

    func access(by token: String) -> Access? {
        halves.withLock { halves in
            if let access = halves.newer[token] { return access }
            guard let access = halves.older[token] else { return nil }
            add(access, for: token, to: &halves)
            return access
        }
    }

    func add(_ access: Access, for token: String) {
        halves.withLock { add(access, for: token, to: &$0) }
    }

    private func add(_ access: Access, for token: String, to halves: inout Halves) {
        if halves.newer.count >= half {
            halves.older = halves.newer
            halves.newer = [:]
        }
        halves.newer[token] = access
    }
}
