import Domain
import Foundation
import PGClient
import Tenancy

extension TenantTransaction {
    func ownFriendships() async throws -> [FriendRoutes.Friendship] {
        try await query(
            "select uid, state, since, display_name, avatar_url from board.friend order by since, uid",
            as: (UUID, String, Instant, String?, String?).self
        ).map {
            FriendRoutes.Friendship(uid: $0.text, state: $1, since: $2, displayName: $3, avatarUrl: $4)
        }
    }

    /// Says yes to the other: `requested` by the first of the two, `friends` by the second.
    func befriend(_ other: UUID) async throws -> String {
        try await queryOne("select app.befriend(\(other))", as: String.self)
    }

    func unfriend(_ other: UUID) async throws {
        try await execute("select app.unfriend(\(other))")
    }
}
