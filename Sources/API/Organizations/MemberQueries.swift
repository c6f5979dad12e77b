import Foundation
import PGClient
import Tenancy

extension TenantTransaction {
    /// - Throws: `BM404` where the person is no member, `BM403` where their role doesn't allow it.
    func requirePermission(_ permission: String, in organization: UUID) async throws {
        try await execute("select app.require_permission(\(organization), \(permission))")
    }

    /// Who joined first comes first, and one more than a page takes, if there are more.
    func members(
        of organization: UUID,
        uid: UUID? = nil,
        after cursor: MemberCursor?,
        limit: Int
    ) async throws -> [MemberRoutes.Member] {
        // A page ends at a millisecond, which the database divides further.
        try await query(
            """
            select uid, display_name, avatar_url, role, joined_at
            from board.member
            where organization_id = \(organization)
              and (\(uid)::uuid is null or uid = \(uid))
              and (\(cursor == nil) or (date_trunc('milliseconds', joined_at), uid) > (\(cursor?.joinedAt), \(cursor?.uid)))
            order by date_trunc('milliseconds', joined_at), uid
            limit \(limit + 1)
            """
        )
    }

    func changeRole(
        of uid: UUID,
        in organization: UUID,
        to role: MemberRoutes.GivenRole,
        by origin: SQL
    ) async throws {
        try await execute("select app.change_role(\(organization), \(uid), \(role.rawValue), \(origin))")
    }
}
