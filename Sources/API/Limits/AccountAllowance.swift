import Domain
import Foundation
import Synchronization

/// How much one account may ask of this process, whatever it asks for. Counted in memory, since a count
/// in the database would make a write of each read, and would have two devices of one person wait
/// for each other; this one refuses before a connection is taken. With several processes an account has as
/// many times as much.
///
/// Keeps those who asked last, by halves, like ``VerifiedTokens``: who is forgotten begins anew.
final class AccountAllowance: Sendable {
    private struct Halves {
        var newer: [String: Double] = [:]
        var older: [String: Double] = [:]
    }

    private let half: Int
    private let halves = Mutex(Halves())

    /// - Parameter limit: the most accounts that are kept, at about a hundred bytes each.
    init(limit: Int) {
        half = max(1, limit / 2)
    }

    /// - Throws: the problem `too_many_requests`, with the time to wait.
    func take(_ account: String, at now: Date, policy: RateLimitPolicy = .everything) throws {
        let now = now.timeIntervalSinceReferenceDate
        let taken = halves.withLock { halves in
            let freeAt = halves.newer[account] ?? halves.older[account] ?? now
            let taken = policy.quota.take(freeAt: freeAt, at: now)
            if case .success(let next) = taken {
                if halves.newer[account] == nil, halves.newer.count >= half {
                    halves.older = halves.newer
                    halves.newer = [:]
                }
                halves.newer[account] = next
            }
            return taken
        }
        if case .failure(let spent) = taken {
            throw Problem.tooManyRequests(policy, retryAfter: spent.retryAfter)
        }
    }
}
