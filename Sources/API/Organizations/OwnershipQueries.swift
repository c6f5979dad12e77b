import Domain
import Foundation
import PGClient
import Tenancy

extension TenantTransaction {
    /// The one that the person made or is asked by; whom it is for is asked first.
    func ownershipOffer(in organization: UUID) async throws -> OwnershipRoutes.Offer? {
        try await query(
            """
            select uid, offered_by, good_until from app.ownership_offer
            where organization_id = \(organization)
            order by uid = \(principal.uid) desc, offered_at desc limit 1
            """,
            as: (UUID, UUID, Instant).self
        ).first.map { OwnershipRoutes.Offer(uid: $0.text, offeredBy: $1.text, expiresAt: $2) }
    }

    func offerOwnership(of organization: UUID, to uid: UUID, by origin: SQL) async throws {
        try await execute("select app.offer_ownership(\(organization), \(uid), \(origin))")
    }

    /// Whether there was one.
    func withdrawOwnershipOffer(in organization: UUID, by origin: SQL) async throws -> Bool {
        try await queryOne("select app.withdraw_ownership_offer(\(organization), \(origin))", as: Bool.self)
    }

    func acceptOwnership(of organization: UUID, by origin: SQL) async throws {
        try await execute("select app.accept_ownership(\(organization), \(origin))")
    }
}
