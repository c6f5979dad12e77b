import Domain
import Foundation
import Hummingbird
import PGClient
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
            try await tx.queryOne("select app.befriend(\(other))", as: String.self)
        }
        return try JSON.response(State(state: state))
    }

    /// `DELETE /v1/friends/{uid}`: declines, withdraws or ends. Nobody is told.
    @Sendable func unfriend(_ request: Request, in context: MemberContext) async throws -> Response {
        let other = try context.parameters.id("uid")
        try await database.write(as: context.principal) { tx in
            _ = try await tx.execute(
                """
                delete from app.friendship
                where uid = least(\(other), \(tx.principal.uid)) and friend_uid = greatest(\(other), \(tx.principal.uid))
                """
            )
        }
        return Response(status: .noContent)
    }
}

extension TenantTransaction {
    func ownFriendships() async throws -> [FriendRoutes.Friendship] {
        let me = principal.uid
        return try await query(
            """
            select case when uid = \(me) then friend_uid else uid end,
              case when accepted_at is not null then 'friends' when asked_by = \(me) then 'requested' else 'received' end,
              coalesce(accepted_at, asked_at)
            from app.friendship
            where uid = \(me) or friend_uid = \(me)
            order by 3, 1
            """,
            as: (UUID, String, Instant).self
        ).map { FriendRoutes.Friendship(uid: $0.text, state: $1, since: $2) }
    }
}
