import Domain
import PGClient
import Tenancy

/// A board that there is for a viewer.
struct Board: Encodable, Sendable {
    let scope: Scope
    let organizationId: String?
    let name: String?
    let metrics: [Metric]
    /// Whether the viewer agreed to be on it.
    let showsMe: Bool

    fileprivate init(_ scope: Scope, of company: OrganizationRoutes.Membership? = nil, showsMe: Bool) {
        self.scope = scope
        organizationId = company?.organizationId
        name = company?.name
        metrics = scope.metrics
        self.showsMe = showsMe
    }
}

extension TenantTransaction {
    func ownBoards() async throws -> [Board] {
        async let agreement = queryOne(
            """
            select share_progress and global_board, share_progress and friends_board, share_progress and company_board
            from app.user
            where uid = \(principal.uid)
            """,
            as: (Bool, Bool, Bool).self
        )
        async let memberships = ownMemberships()
        let (global, friends, company) = try await agreement
        return [Board(.global, showsMe: global), Board(.friends, showsMe: friends)]
            + (try await memberships).map { Board(.company, of: $0, showsMe: company) }
    }
}
