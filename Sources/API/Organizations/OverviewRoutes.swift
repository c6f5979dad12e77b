import Domain
import Foundation
import HTTPTypes
import Hummingbird
import PGClient
import Tenancy

/// `/v1/organizations/{organization}/overview`: how a company stands, and what to do next.
struct OverviewRoutes: Sendable {
    let database: TenantDatabase
    let now: @Sendable () -> Date

    struct Overview: Encodable, Sendable {
        struct Seats: Encodable, Sendable {
            let total, owner, admin, analyst, member: Int64
        }

        struct Domains: Encodable, Sendable {
            let proved, lost, pending: Int64
        }

        /// What the one who answers for a company would do first.
        enum Action: String, Encodable, Sendable {
            case restoreRecord, claimDomain, proveDomain, invite, enableLeaderboard
        }

        let seats: Seats
        let invitations: Int64
        /// How many of those who show the company their practice have practised this week, at least: in steps of
        /// five, and nothing under five.
        let activeThisWeek: Int32?
        let domains: Domains
        let nextAction: Action?
    }

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.get("organizations/:organization/overview", use: overview)
    }

    /// `GET /v1/organizations/{organization}/overview`
    @Sendable func overview(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let now = now()
        let overview = try await database.read(as: context.principal.member(of: id)) { tx in
            let organization = try await tx.organization(id)
            return try await tx.overview(
                of: organization,
                id,
                week: Week(of: LocalDay(of: Instant(now), in: .utc)),
                at: now
            )
        }
        return try JSON.response(overview)
    }
}

extension OverviewRoutes.Overview {
    /// What stands in the way comes first, then what is worth having.
    static func nextAction(
        of organization: OrganizationRoutes.Organization,
        _ domains: Domains,
        isAlone: Bool
    ) -> Action? {
        if organization.suspended || organization.deletionDueAt != nil { return nil }
        if domains.lost > 0 { return .restoreRecord }
        if domains.proved == 0 { return domains.pending > 0 ? .proveDomain : .claimDomain }
        if isAlone { return .invite }
        return organization.leaderboard.enabled ? nil : .enableLeaderboard
    }
}

extension TenantTransaction {
    /// - Throws: `BM403` where the person's role doesn't allow it.
    func overview(
        of organization: OrganizationRoutes.Organization,
        _ id: UUID,
        week: Week,
        at now: Date
    ) async throws -> OverviewRoutes.Overview {
        let (owners, admins, analysts, members, invitations, active, proved, lost, pending) =
            try await queryOne(
                """
                select owners, admins, analysts, members, invitations, active, proved, lost, pending
                from app.organization_overview(\(id), \(week.description), \(Instant(now)))
                """,
                as: (Int64, Int64, Int64, Int64, Int64, Int32?, Int64, Int64, Int64).self
            )
        let total = owners + admins + analysts + members
        let domains = OverviewRoutes.Overview.Domains(proved: proved, lost: lost, pending: pending)
        return OverviewRoutes.Overview(
            seats: .init(total: total, owner: owners, admin: admins, analyst: analysts, member: members),
            invitations: invitations,
            activeThisWeek: active,
            domains: domains,
            nextAction: OverviewRoutes.Overview.nextAction(
                of: organization,
                domains,
                isAlone: total == 1 && invitations == 0
            )
        )
    }
}
