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
    /// Whether the viewer hid it from themself.
    let isHidden: Bool

    fileprivate init(
        _ scope: Scope,
        of company: OrganizationRoutes.Membership? = nil,
        showsMe: Bool,
        isHidden: Bool
    ) {
        self.scope = scope
        organizationId = company?.organizationId
        name = company?.name
        metrics = scope.metrics
        self.showsMe = showsMe
        self.isHidden = isHidden
    }
}

extension TenantTransaction {
    func ownBoards() async throws -> [Board] {
        async let agreement = queryOne(
            """
            select app.is_on_global_board(u), share_progress and friends_board, app.is_on_company_boards(u),
              hides_global_board, hides_friends_board, hides_company_board
            from app.user u
            where uid = \(principal.uid)
            """,
            as: (Bool, Bool, Bool, Bool, Bool, Bool).self
        )
        async let memberships = ownMemberships()
        let (global, friends, company, hidesGlobal, hidesFriends, hidesCompany) = try await agreement
        return [
            Board(.global, showsMe: global, isHidden: hidesGlobal),
            Board(.friends, showsMe: friends, isHidden: hidesFriends),
        ]
            + (try await memberships).filter(\.leaderboard.enabled).map {
                Board(.company, of: $0, showsMe: company, isHidden: hidesCompany)
            }
    }
}
