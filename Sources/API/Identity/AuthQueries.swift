import Foundation
import PGClient
import Tenancy

/// What came of a refresh token that was good.
struct Rotation: Sendable {
    /// How long after the first time an answer that was lost is asked for again.
    fileprivate static let grace: TimeInterval = 10

    let endsAt: Date
    /// Whether the answer had been given before, and not just now: it was lost, or somebody has a copy.
    let isLateRepeat: Bool
}

extension TenantTransaction {
    /// - Parameter endsAt: when the sign-in is over, however often it is continued.
    func beginFamily(_ token: RefreshToken, at now: Date, expiresAt: Date, endsAt: Date) async throws {
        try await execute(
            """
            insert into app.refresh_token (uid, family, current_hash, began_at, expires_at, ends_at)
            values (\(token.uid), \(token.family), \(token.hash), \(now), \(expiresAt), \(endsAt))
            """
        )
    }

    /// Nil unless `presented` was good: it is the current token, or the one before,
    /// whose answer may have been lost on the way.
    func rotate(_ presented: RefreshToken, to successor: RefreshToken, now: Date) async throws -> Rotation? {
        let rotated = try await query(
            """
            update app.refresh_token
            set previous_hash = \(presented.hash), current_hash = \(successor.hash),
              expires_at = least(\(now.addingTimeInterval(RefreshToken.lifetime)), ends_at),
              rotated_at = case when current_hash = \(presented.hash) then \(now) else rotated_at end
            where uid = \(presented.uid) and family = \(presented.family)
              and \(presented.hash) in (current_hash, previous_hash)
              and expires_at > \(now)
            returning ends_at, coalesce(rotated_at, \(now))
            """,
            as: (Date, Date).self
        ).first
        return rotated.map { endsAt, rotatedAt in
            Rotation(endsAt: endsAt, isLateRepeat: now.timeIntervalSince(rotatedAt) > Rotation.grace)
        }
    }

    /// Whether it was still good.
    func endFamily(_ family: UUID, at now: Date) async throws -> Bool {
        try await query(
            """
            delete from app.refresh_token where uid = \(principal.uid) and family = \(family)
            returning expires_at > \(now)
            """,
            as: (Bool).self
        ).first ?? false
    }

    /// Whoever acts as this person does so no more, programs and devices that were just let in included.
    func endSignIns(except signIn: UUID? = nil) async throws {
        try await execute(
            "delete from app.refresh_token where uid = \(principal.uid) and family is distinct from \(signIn)"
        )
        try await execute("delete from app.access_token where uid = \(principal.uid)")
        try await execute("select app.forget_device_approvals()")
    }
}
