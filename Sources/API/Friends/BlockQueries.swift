import Domain
import Foundation
import PGClient
import Tenancy

extension TenantTransaction {
    func ownBlocks() async throws -> [BlockRoutes.Block] {
        try await query(
            """
            select blocked_uid, blocked_at from app.block
            where uid = \(principal.uid)
            order by blocked_at desc, blocked_uid
            """,
            as: (UUID, Instant).self
        ).map { BlockRoutes.Block(uid: $0.text, since: $1) }
    }

    /// Ends what is between the two, and hides each from the other.
    func block(_ other: UUID) async throws {
        try await execute("select app.block_person(\(other))")
    }

    func unblock(_ other: UUID) async throws {
        try await execute("delete from app.block where uid = \(principal.uid) and blocked_uid = \(other)")
    }
}
