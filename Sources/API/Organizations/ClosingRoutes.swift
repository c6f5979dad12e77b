import Domain
import Foundation
import HTTPTypes
import Hummingbird
import Tenancy

/// `/v1/organizations/{organization}/deletion`: an owner ends a company, and has seven days to think better of it.
struct ClosingRoutes: Sendable {
    let database: TenantDatabase
    let now: @Sendable () -> Date

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.group("organizations/:organization/deletion")
            .put(use: askDeletion)
            .delete(use: cancelDeletion)
    }

    /// `PUT /v1/organizations/{organization}/deletion`: closed from this answer on, and gone after seven days.
    @Sendable func askDeletion(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let organization = try await database.write(as: context.principal.member(of: id)) { tx in
            try await tx.askDeletion(of: id, by: context.origin.address(at: now()))
            return try await tx.organization(id)
        }
        return try JSON.response(organization)
    }

    /// `DELETE /v1/organizations/{organization}/deletion`: open again, as it was.
    @Sendable func cancelDeletion(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let organization = try await database.write(as: context.principal.member(of: id)) { tx in
            guard try await tx.cancelDeletion(of: id, by: context.origin.address(at: now())) else {
                throw Problem.notFound
            }
            return try await tx.organization(id)
        }
        return try JSON.response(organization)
    }
}
