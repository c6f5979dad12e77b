import Foundation
import PGClient
import Tenancy

extension TenantTransaction {
    func beginFamily(_ token: RefreshToken, expiresAt: Date) async throws {
        try await execute(
            """
            insert into app.refresh_token (uid, family, current_hash, expires_at)
            values (\(token.uid), \(token.family), \(token.hash), \(expiresAt))
            """
        )
    }

    /// Whether `presented` was good: it is the current token, or the one before,
    /// whose answer may have been lost on the way.
    func rotate(
        _ presented: RefreshToken,
        to successor: RefreshToken,
        now: Date,
        lifetime: TimeInterval
    ) async throws -> Bool {
        try await execute(
            """
            update app.refresh_token
            set previous_hash = \(presented.hash), current_hash = \(successor.hash),
              expires_at = \(now.addingTimeInterval(lifetime))
            where uid = \(presented.uid) and family = \(presented.family)
              and \(presented.hash) in (current_hash, previous_hash)
              and expires_at > \(now)
            """
        ) == 1
    }

    func endFamily(_ family: UUID) async throws {
        try await execute("delete from app.refresh_token where uid = \(principal.uid) and family = \(family)")
    }
}
