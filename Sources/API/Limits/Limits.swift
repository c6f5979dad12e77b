import Crypto
import Domain
import Foundation
import HTTPTypes
import PGClient

/// Counts, in the database and so for all servers together, how often something was done.
struct Limits: Sendable {
    /// How many rows go at once when what is over is forgotten.
    private static let most = 10_000

    let pool: PGPool
    /// Makes subjects of addresses and accounts, which nobody can read from the table.
    let key: SymmetricKey
    let now: @Sendable () -> Date

    /// Takes one of each quota that the action has, in one statement. It is a transaction of its own: what was
    /// tried is counted also where the trying fails.
    ///
    /// - Parameter account: whose account it is about, in any form that is always the same. Nobody but its
    ///   owner may be able to name it, or others could spend the owner's quota.
    /// - Throws: the problem `too_many_requests`, with the time to wait.
    func take(_ action: LimitedAction, from source: SourceAddress, account: String? = nil) async throws {
        var policies: [(policy: RateLimitPolicy, subject: [UInt8])] = []
        if let quota = action.perAddress {
            policies.append(
                (.init("\(action.name)-address", quota), subject(action, "address", source.limited))
            )
        }
        if let quota = action.perAccount, let account {
            policies.append((.init("\(action.name)-account", quota), subject(action, "account", account)))
        }
        let (refused, retryAfter) = try await pool.transaction { [policies] tx in
            try await tx.queryOne(
                """
                select refused, retry_after from app.take(
                  \(policies.map(\.subject)), \(policies.map { Int32($0.policy.quota.count) }),
                  \(policies.map { Int32($0.policy.quota.window) }), \(now()))
                """,
                as: (Int?, Int?).self
            )
        }
        if let refused, let retryAfter {
            throw Problem.tooManyRequests(policies[refused - 1].policy, retryAfter: retryAfter)
        }
    }

    /// Removes what says no more than its absence would, so that the table holds those alone who came lately.
    func forget() async throws {
        var forgotten = Self.most
        while forgotten == Self.most {
            forgotten = try await pool.transaction { tx in
                try await tx.queryOne(
                    "select app.forget_rate_limits(\(now()), \(Int32(Self.most)))",
                    as: Int.self
                )
            }
        }
    }

    private func subject(_ action: LimitedAction, _ partition: String, _ name: String) -> [UInt8] {
        let text = "\(action.name) \(partition) \(name)"
        return Array(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: key).prefix(16))
    }
}

/// A quota, as the header fields name it (draft-ietf-httpapi-ratelimit-headers-11).
struct RateLimitPolicy: Hashable, Sendable {
    let name: String
    let quota: Quota

    init(_ name: String, _ quota: Quota) {
        self.name = name
        self.quota = quota
    }

    /// The value of `RateLimit-Policy`.
    var policy: String { "\"\(name)\";q=\(quota.count);w=\(quota.window)" }

    /// The value of `RateLimit`, when there is nothing left.
    func spent(retryAfter: Int) -> String { "\"\(name)\";r=0;t=\(retryAfter)" }
}

extension Problem {
    static func tooManyRequests(_ policy: RateLimitPolicy, retryAfter: Int) -> Problem {
        var problem = Problem(
            .tooManyRequests,
            "too_many_requests",
            "That was too often for now",
            detail: "at most \(policy.quota.count) within \(policy.quota.window) seconds",
            retryAfter: retryAfter
        )
        problem.rateLimit = policy
        return problem
    }
}
