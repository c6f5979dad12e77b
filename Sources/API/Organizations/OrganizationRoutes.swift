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
    }

    struct List: Encodable, Sendable {
        let organizations: [Membership]
    }

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.group("organizations")
            .get(use: memberships)
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

    /// `PUT /v1/organizations/{organization}/membership`: joins, by an address in
    /// one of its domains. Where there is none, the organization doesn't exist.
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

extension Parameters {
    /// An id in the path; one that isn't an id is one that doesn't exist.
    func id(_ name: String) throws -> UUID {
        guard let id = get(name).flatMap(UUID.init(uuidString:)) else { throw Problem.notFound }
        return id
    }
}
