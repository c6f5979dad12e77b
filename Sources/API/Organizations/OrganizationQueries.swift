import Foundation
import PGClient
import Tenancy

extension TenantTransaction {
    func ownMemberships() async throws -> [OrganizationRoutes.Membership] {
        try await query(
            """
            select o.organization_id, o.name, m.role, m.agreed_at is not null, o.leaderboard_enabled, o.show_real_names
            from app.member m
              join app.organization o on o.organization_id = m.organization_id
            where m.uid = \(principal.uid)
            order by o.name, o.organization_id
            """,
            as: (UUID, String, String, Bool, Bool, Bool).self
        ).map { id, name, role, agreed, enabled, showsRealNames in
            OrganizationRoutes.Membership(
                organizationId: id.text,
                name: name,
                role: role,
                agreed: agreed,
                leaderboard: .init(enabled: enabled, showRealNames: showsRealNames)
            )
        }
    }

    /// Whether it is one whose settings the person may change.
    func changeOrganization(_ id: UUID, _ change: OrganizationChange) async throws -> Bool {
        try await execute(
            """
            update app.organization set
              leaderboard_enabled = coalesce(\(change.leaderboard?.enabled), leaderboard_enabled),
              show_real_names = coalesce(\(change.leaderboard?.showRealNames), show_real_names)
            where organization_id = \(id)
            """
        ) == 1
    }

    func joinOrganization(_ id: UUID) async throws {
        // Whom the directory has put in agrees by this, and needs no door.
        let agreed = try await execute(
            """
            update app.member set agreed_at = coalesce(agreed_at, now())
            where organization_id = \(id) and uid = \(principal.uid)
            """
        )
        if agreed == 0 { try await execute("select app.join_organization(\(id))") }
    }

    /// Whether there was a membership to end.
    func leaveOrganization(_ id: UUID) async throws -> Bool {
        try await execute("delete from app.member where organization_id = \(id) and uid = \(principal.uid)")
            == 1
    }
}
