import Domain
import Foundation
import PGClient
import Tenancy

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

    /// Says yes to the other: `requested` by the first of the two, `friends` by the second.
    func befriend(_ other: UUID) async throws -> String {
        try await queryOne("select app.befriend(\(other))", as: String.self)
    }

    func unfriend(_ other: UUID) async throws {
        try await execute(
            """
            delete from app.friendship
            where uid = least(\(other), \(principal.uid)) and friend_uid = greatest(\(other), \(principal.uid))
            """
        )
    }
}
