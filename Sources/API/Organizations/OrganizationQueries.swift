import Domain
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

    /// One that is bound, and that the person belongs to.
    func organization(_ id: UUID) async throws -> OrganizationRoutes.Organization {
        let rows = try await query(
            """
            select o.name, m.role, app.own_permissions(o.organization_id), o.leaderboard_enabled, o.show_real_names,
              o.domain_restricted, o.automatic_joining, o.who_may_invite, o.max_sign_in_age_hours,
              o.audit_retention_days, o.created_at, o.suspended_at is not null, o.deletion_due_at, exists (
                select from app.domain_claim d where d.organization_id = o.organization_id and d.proved_at is not null
              )
            from app.organization o
              join app.member m on m.organization_id = o.organization_id and m.uid = \(principal.uid)
            where o.organization_id = \(id)
            """,
            as: (
                String, String, [String], Bool, Bool, Bool, Bool, String, Int32?, Int32?, Instant, Bool,
                Instant?, Bool
            ).self
        )
        guard
            let (
                name, role, permissions, enabled, showsRealNames, restricted, automatic, whoMayInvite,
                signInAge, retention, createdAt, suspended, deletionDueAt, proved
            ) = rows.first
        else { throw Problem.notFound }
        return OrganizationRoutes.Organization(
            organizationId: id.text,
            name: name,
            role: role,
            permissions: permissions,
            leaderboard: .init(enabled: enabled, showRealNames: showsRealNames),
            domainRestricted: restricted,
            automaticJoining: automatic,
            whoMayInvite: whoMayInvite,
            maxSignInAgeHours: signInAge.map(Int.init),
            auditRetentionDays: retention.map(Int.init),
            createdAt: createdAt,
            suspended: suspended,
            deletionDueAt: deletionDueAt,
            proved: proved,
            ownershipOffer: try await ownershipOffer(in: id)
        )
    }

    func foundOrganization(_ name: OrganizationName, by origin: SQL) async throws -> UUID {
        try await queryOne("select app.found_organization(\(name.text), \(origin))", as: UUID.self)
    }

    func changeOrganization(_ id: UUID, _ change: OrganizationChange, by origin: SQL) async throws {
        let changes = PGJSON(try JSONOutput.bytes(of: change.settings))
        try await execute("select app.change_organization(\(id), \(changes), \(origin))")
    }
}
