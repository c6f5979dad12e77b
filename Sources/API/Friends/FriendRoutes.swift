import Domain
import Foundation
import Hummingbird
import Tenancy

/// `/v1/friends`: pairs of people who both said yes.
struct FriendRoutes: Sendable {
    let database: TenantDatabase

    struct Friendship: Encodable, Sendable {
        let uid: String
        /// `friends`, `requested` by this person, or `received` from the other.
        let state: String
        let since: Instant
    }

    struct List: Encodable, Sendable {
        let friends: [Friendship]
    }

    private struct State: Encodable {
        let state: String
    }

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.group("friends")
            .get(use: friendships)
            .put(":uid", use: befriend)
            .delete(":uid", use: unfriend)
    }

    /// `GET /v1/friends`
    @Sendable func friendships(_ request: Request, in context: MemberContext) async throws -> Response {
        let friendships = try await database.read(as: context.principal) { tx in
            try await tx.ownFriendships()
        }
        return try JSON.response(List(friends: friendships))
    }

    /// `PUT /v1/friends/{uid}`: asks, or accepts where the other asked before.
    @Sendable func befriend(_ request: Request, in context: MemberContext) async throws -> Response {
        let other = try context.parameters.id("uid")
        let state = try await database.write(as: context.principal) { tx in
            try await tx.befriend(other)
        }
        return try JSON.response(State(state: state))
    }

    /// `DELETE /v1/friends/{uid}`: declines, withdraws or ends. Nobody is told.
    @Sendable func unfriend(_ request: Request, in context: MemberContext) async throws -> Response {
        let other = try context.parameters.id("uid")
        try await database.write(as: context.principal) { tx in
            try await tx.unfriend(other)
        }
        return Response(status: .noContent)
    }
}
