import Foundation
import Hummingbird
import Tenancy

/// `/v1/organizations`: the companies that a person chose to be seen by.
struct OrganizationRoutes: Sendable {
    let database: TenantDatabase

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

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.group("organizations")
            .get(use: memberships)
            .patch(":organization", use: changeSettings)
            .put(":organization/membership", use: join)
            .delete(":organization/membership", use: leave)
    }

    /// `GET /v1/organizations`: those that the person belongs to.
    @Sendable func memberships(_ request: Request, in context: MemberContext) async throws -> Response {
        let memberships = try await database.read(as: context.principal) { tx in
            try await tx.ownMemberships()
        }
        return try JSON.response(List(organizations: memberships))
    }

    /// `PATCH /v1/organizations/{organization}`: whether the company has a board, and with
    /// which names. For its owners and admins; it is so for everyone from this answer on.
    @Sendable func changeSettings(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let change = try await JSON.decode(OrganizationChange.self, from: request)
        let memberships = try await database.write(as: context.principal) { tx in
            let changed = try await tx.changeOrganization(id, change)
            let memberships = try await tx.ownMemberships()
            if !changed, memberships.contains(where: { $0.organizationId == id.text }) {
                throw Problem.notYours
            }
            return memberships
        }
        guard let membership = memberships.first(where: { $0.organizationId == id.text }) else {
            throw Problem.notFound
        }
        return try JSON.response(membership)
    }

    /// `PUT /v1/organizations/{organization}/membership`: joins, by an address in
    /// one of its domains; or agrees to be seen, where the directory has put the person in. Where there is none, the organization doesn't exist.
    @Sendable func join(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let memberships = try await database.write(as: context.principal) { tx in
            try await tx.joinOrganization(id)
            return try await tx.ownMemberships()
        }
        return try JSON.response(List(organizations: memberships))
    }

    /// `DELETE /v1/organizations/{organization}/membership`: leaves, at once and
    /// from every board of it.
    @Sendable func leave(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let left = try await database.write(as: context.principal) { tx in
            try await tx.leaveOrganization(id)
        }
        guard left else { throw Problem.notFound }
        return Response(status: .noContent)
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

    let leaderboard: Board?

    init(leaderboard: Board?) {
        self.leaderboard = leaderboard
    }

    init(from decoder: any Decoder) throws {
        leaderboard = try Members(decoder, known: ["leaderboard"]).value("leaderboard")
    }
}

extension Problem {
    static let notYours = Problem(
        .forbidden,
        "not_an_admin",
        "Only an owner or an admin of the organization can do that"
    )
}

extension Parameters {
    /// An id in the path; one that isn't an id is one that doesn't exist.
    func id(_ name: String) throws -> UUID {
        guard let id = get(name).flatMap(UUID.init(uuidString:)) else { throw Problem.notFound }
        return id
    }
}
