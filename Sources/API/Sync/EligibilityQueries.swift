import Domain
import PGClient
import Tenancy

extension TenantTransaction {
    func isSyncEnabled() async throws -> Bool {
        try await queryOne(
            "select eligible_at is not null from app.game_state where uid = \(principal.uid)",
            as: Bool.self
        )
    }

    /// Whether sync is enabled now: by `passedAt`, when the export that passed the
    /// gate was taken, or since before, which this doesn't move.
    func enableSync(_ passedAt: Instant?) async throws -> Bool {
        try await queryOne(
            """
            update app.game_state set eligible_at = coalesce(eligible_at, \(passedAt))
            where uid = \(principal.uid)
            returning eligible_at is not null
            """,
            as: Bool.self
        )
    }
}
