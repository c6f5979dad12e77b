import Domain
import Foundation
import PGClient
import Tenancy

extension TenantTransaction {
    /// Those that are still good, the newest first.
    func invitations(to organization: UUID, at now: Date) async throws -> [InvitationRoutes.Invitation] {
        try await query(
            """
            select invitation_id, address, role, invited_at, good_until from app.invitation
            where organization_id = \(organization) and good_until > \(Instant(now))
            order by invited_at desc, invitation_id
            """
        )
    }

    func invite(
        _ address: EmailAddress,
        as role: MemberRoutes.GivenRole,
        to organization: UUID,
        invitation: UUID,
        by origin: SQL
    ) async throws {
        try await execute(
            "select app.invite(\(organization), \(invitation), \(address.description), \(role.rawValue), \(origin))"
        )
    }

    /// Whether there was one.
    func revokeInvitation(_ invitation: UUID, to organization: UUID, by origin: SQL) async throws -> Bool {
        try await queryOne(
            "select app.revoke_invitation(\(organization), \(invitation), \(origin))",
            as: Bool.self
        )
    }
}
