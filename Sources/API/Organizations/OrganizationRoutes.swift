import Domain
import Foundation
import HTTPTypes
import Hummingbird
import PGClient
import Tenancy

/// `/v1/organizations`: the companies that a person chose to be seen by, or founded.
struct OrganizationRoutes: Sendable {
    let database: TenantDatabase
    let limits: Limits
    let now: @Sendable () -> Date

    struct Membership: Encodable, Sendable {
        let organizationId: String
        let name: String
        let role: String
        /// Whether the person wants to be seen there. The company's directory puts people in who haven't said so yet.
        let agreed: Bool
        let leaderboard: Board
    }

    /// What the company has decided about its board.
    struct Board: Encodable, Sendable {
        let enabled: Bool
        let showRealNames: Bool
    }

    struct List: Encodable, Sendable {
        let organizations: [Membership]
    }

    /// One company, as a member of it sees it.
    struct Organization: Encodable, Sendable {
        let organizationId: String
        let name: String
        let role: String
        /// What that role may do here.
        let permissions: [String]
        let leaderboard: Board
        /// Whether only addresses in its domains are invited.
        let domainRestricted: Bool
        /// Whether an address in one of its domains is enough to join.
        let automaticJoining: Bool
        let auditRetentionDays: Int
        let createdAt: Instant
        /// Whether the operator has it closed.
        let suspended: Bool
        /// When it is deleted, where that was asked for; it is closed until then.
        let deletionDueAt: Instant?
        /// Whether it holds a domain. Until then nobody can be asked into it.
        let proved: Bool
        /// Set where the viewer offered the company to somebody, or is offered it.
        let ownershipOffer: OwnershipRoutes.Offer?
    }

    private struct Wish: Decodable {
        let name: OrganizationName
    }

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.group("organizations")
            .get(use: memberships)
            .post(use: found)
            .get(":organization", use: organization)
            .patch(":organization", use: changeSettings)
    }

    /// `GET /v1/organizations`: those that the person belongs to.
    @Sendable func memberships(_ request: Request, in context: MemberContext) async throws -> Response {
        let memberships = try await database.read(as: context.principal) { tx in
            try await tx.ownMemberships()
        }
        return try JSON.response(List(organizations: memberships))
    }

    /// `POST /v1/organizations`: one of the person's own.
    @Sendable func found(_ request: Request, in context: MemberContext) async throws -> Response {
        let name = try await JSON.decode(Wish.self, from: request).name
        try await limits.take(
            .foundOrganization,
            from: context.origin.source,
            account: context.principal.uid.text
        )
        let organization = try await database.write(as: context.principal) { tx in
            let id = try await tx.foundOrganization(name, by: context.origin.address(at: now()))
            return try await tx.organization(id)
        }
        return try JSON.response(organization, status: .created)
    }

    /// `GET /v1/organizations/{organization}`
    @Sendable func organization(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let organization = try await database.read(as: context.principal.member(of: id)) { tx in
            try await tx.organization(id)
        }
        return try JSON.response(organization)
    }

    /// `PATCH /v1/organizations/{organization}`: its name, how long its record is kept, who gets in,
    /// whether it has a board and with which names. The board is so for everyone from this answer on.
    @Sendable func changeSettings(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let change = try await JSON.decode(OrganizationChange.self, from: request)
        let organization = try await database.write(as: context.principal.member(of: id)) { tx in
            try await tx.changeOrganization(id, change, by: context.origin.address(at: now()))
            return try await tx.organization(id)
        }
        return try JSON.response(organization)
    }
}

/// What a `PATCH` of an organization changes: nil where it says nothing, off where it says null.
struct OrganizationChange: Decodable, Sendable {
    struct Board: Decodable, Sendable {
        let enabled, showRealNames: Bool?

        init(enabled: Bool?, showRealNames: Bool?) {
            self.enabled = enabled
            self.showRealNames = showRealNames
        }

        init(from decoder: any Decoder) throws {
            let members = try Members(decoder, known: ["enabled", "showRealNames"])
            enabled = try members.flag("enabled")
            showRealNames = try members.flag("showRealNames")
        }
    }

    private static let standardRetention = 365

    let name: OrganizationName?
    let leaderboard: Board?
    let auditRetentionDays: Int?
    let domainRestricted, automaticJoining: Bool?

    init(leaderboard: Board?) {
        name = nil
        auditRetentionDays = nil
        domainRestricted = nil
        automaticJoining = nil
        self.leaderboard = leaderboard
    }

    init(from decoder: any Decoder) throws {
        let members = try Members(
            decoder,
            known: ["name", "leaderboard", "auditRetentionDays", "domainRestricted", "automaticJoining"]
        )
        name = try members.value("name")
        leaderboard = try members.value("leaderboard")
        auditRetentionDays = try members.value("auditRetentionDays", orWhenNull: Self.standardRetention)
        domainRestricted = try members.value("domainRestricted", orWhenNull: true)
        automaticJoining = try members.flag("automaticJoining")
    }
}

extension Origin {
    /// For the record of a company: the address, of those who act for the company.
    func address(at now: Date) -> SQL {
        "row(\(UUID(uuidString: requestID)), \(source.limited), \(Instant(now)))::app.origin"
    }

    /// The network alone, of those who act for themselves, from wherever they live.
    func network(at now: Date) -> SQL {
        "row(\(UUID(uuidString: requestID)), \(source.coarse), \(Instant(now)))::app.origin"
    }
}

extension Parameters {
    /// An id in the path; one that isn't an id is one that doesn't exist.
    func id(_ name: String) throws -> UUID {
        guard let id = get(name).flatMap(UUID.init(uuidString:)) else { throw Problem.notFound }
        return id
    }
}
