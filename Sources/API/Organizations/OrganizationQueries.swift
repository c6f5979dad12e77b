import Foundation
import PGClient
import Tenancy

extension TenantTransaction {
    func ownMemberships() async throws -> [OrganizationRoutes.Membership] {
        try await query(
            """
            select o.organization_id, o.name, m.role
            from app.member m
              join app.organization o on o.organization_id = m.organization_id
            where m.uid = \(principal.uid)
            order by o.name, o.organization_id
            """,
            as: (UUID, String, String).self
        ).map { OrganizationRoutes.Membership(organizationId: $0.text, name: $1, role: $2) }
    }

    func joinOrganization(_ id: UUID) async throws {
        try await execute("select app.join_organization(\(id))")
    }

    /// Whether there was a membership to end.
    func leaveOrganization(_ id: UUID) async throws -> Bool {
        try await execute("delete from app.member where organization_id = \(id) and uid = \(principal.uid)")
            == 1
    }
}
