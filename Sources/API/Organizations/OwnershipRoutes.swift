import Domain
import Foundation
import HTTPTypes
import Hummingbird
import Tenancy

/// `/v1/organizations/{organization}/ownership`: a company is handed over by an offer and a yes.
struct OwnershipRoutes: Sendable {
    let database: TenantDatabase
    let now: @Sendable () -> Date

    struct Offer: Encodable, Sendable {
        let uid: String
        let offeredBy: String
        let expiresAt: Instant
    }

    private struct Wish: Decodable {
        let uid: UUID
    }

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.group("organizations/:organization/ownership")
            .put(use: offerOwnership)
            .delete(use: withdrawOffer)
            .post("accept", use: acceptOwnership)
    }

    /// `PUT /v1/organizations/{organization}/ownership`: asks a member to be the owner, for seven days.
    @Sendable func offerOwnership(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let uid = try await JSON.decode(Wish.self, from: request).uid
        let organization = try await database.write(as: context.principal.member(of: id)) { tx in
            try await tx.offerOwnership(of: id, to: uid, by: context.origin.address(at: now()))
            return try await tx.organization(id)
        }
        return try JSON.response(organization)
    }

    /// `DELETE /v1/organizations/{organization}/ownership`: a no by the one who was asked, or the offer's end.
    @Sendable func withdrawOffer(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let ended = try await database.write(as: context.principal) { tx in
            try await tx.withdrawOwnershipOffer(in: id, by: context.origin.network(at: now()))
        }
        guard ended else { throw Problem.notFound }
        return Response(status: .noContent)
    }

    /// `POST /v1/organizations/{organization}/ownership/accept`: the company is theirs, and who offered it is
    /// an admin.
    @Sendable func acceptOwnership(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let organization = try await database.write(as: context.principal.member(of: id)) { tx in
            try await tx.acceptOwnership(of: id, by: context.origin.address(at: now()))
            return try await tx.organization(id)
        }
        return try JSON.response(organization)
    }
}
