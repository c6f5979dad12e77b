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
        /// Of friends and of those who asked; who was asked has not said yet that they want to be known.
        let displayName: String?
        let avatarUrl: String?
    }

    struct List: Encodable, Sendable {
        let friends: [Friendship]
    }

    /// How this person and another stand now: `requested` or `friends`.
    struct Standing: Encodable, Sendable {
        let uid: String
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
        return try JSON.response(Standing(uid: other.text, state: state))
    }

    /// `DELETE /v1/friends/{uid}`: declines, withdraws or ends. Nobody is told:
    /// a request that was declined goes on waiting for the one who asked, and so does one by who was removed.
    @Sendable func unfriend(_ request: Request, in context: MemberContext) async throws -> Response {
        let other = try context.parameters.id("uid")
        try await database.write(as: context.principal) { tx in
            try await tx.unfriend(other)
        }
        return Response(status: .noContent)
    }
}
