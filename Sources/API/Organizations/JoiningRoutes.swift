import Domain
import Foundation
import HTTPTypes
import Hummingbird
import PGClient
import Tenancy

/// Which companies a person could join, what each would see of them, and the way in and out.
struct JoiningRoutes: Sendable {
    let database: TenantDatabase
    let now: @Sendable () -> Date

    /// A company in whose domain the person has an address, or that has invited one of theirs.
    struct Suggestion: Encodable, Sendable {
        struct Invitation: Encodable, Sendable {
            let role: String
            let expiresAt: Instant
        }

        let organizationId: String
        let name: String
        /// Nil where an invitation alone is the reason.
        let domain: String?
        let invitation: Invitation?
        /// Whether the person can join by themself. If not, somebody has to invite them.
        let canJoin: Bool
    }

    private struct List: Encodable {
        let suggestions: [Suggestion]
    }

    /// What a company will see, and the word for it that who agrees gives back.
    struct Preview: Encodable, Sendable {
        let preview: JSONValue
        let agreement: String
    }

    private struct Agreement: Decodable {
        let agreement: String
    }

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.group("organizations")
            .get("suggestions", use: suggestions)
            .get(":organization/preview", use: preview)
            .put(":organization/membership", use: join)
            .delete(":organization/membership", use: leave)
    }

    /// `GET /v1/organizations/suggestions`: those that the person doesn't belong to yet.
    @Sendable func suggestions(_ request: Request, in context: MemberContext) async throws -> Response {
        let suggestions = try await database.read(as: context.principal) { tx in
            try await tx.suggestions(at: now())
        }
        return try JSON.response(List(suggestions: suggestions))
    }

    /// `GET /v1/organizations/{organization}/preview`: what the company will see of the person, as they
    /// share now. Where they can't join, the company doesn't exist.
    @Sendable func preview(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let preview = try await database.read(as: context.principal) { tx in
            try await tx.joiningPreview(of: id, at: now())
        }
        return try JSON.response(preview)
    }

    /// `PUT /v1/organizations/{organization}/membership`: joins, by an invitation or an address in one of its
    /// domains, and agrees to what the preview has shown.
    @Sendable func join(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let agreement = try await JSON.decode(Agreement.self, from: request).agreement
        let memberships = try await database.write(as: context.principal) { tx in
            try await tx.joinOrganization(id, agreeing: agreement, by: context.origin.network(at: now()))
            return try await tx.ownMemberships()
        }
        return try JSON.response(OrganizationRoutes.List(organizations: memberships))
    }

    /// `DELETE /v1/organizations/{organization}/membership`: leaves, at once and
    /// from every board of it.
    @Sendable func leave(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let left = try await database.write(as: context.principal) { tx in
            try await tx.endMembership(
                of: context.principal.uid,
                in: id,
                by: context.origin.network(at: now())
            )
        }
        guard left else { throw Problem.notFound }
        return Response(status: .noContent)
    }
}
