import Domain
import Foundation
import PGClient
import Tenancy

/// A board that there is for a viewer.
struct Board: Encodable, Sendable {
    let scope: Scope
    let organizationId: String?
    let name: String?
    let metrics: [Metric]
    /// Whether the viewer agreed to be on it, and with a company's to be its member.
    let showsMe: Bool
    /// Whether the viewer hid it from themself.
    let isHidden: Bool

    fileprivate init(
        _ scope: Scope,
        of company: (id: UUID, name: String)? = nil,
        showsMe: Bool,
        isHidden: Bool
    ) {
        self.scope = scope
        organizationId = company?.id.text
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
        // Whoever a directory put into a company has not agreed to anything yet; its guests have no board.
        async let companies = query(
            """
            select o.organization_id, o.name, m.agreed_at is not null
            from app.member m
              join app.organization o on o.organization_id = m.organization_id
            where m.uid = \(principal.uid) and o.leaderboard_enabled and o.suspended_at is null
              and o.deletion_due_at is null and not app.is_guest_of(o.organization_id)
            order by o.name, o.organization_id
            """,
            as: (UUID, String, Bool).self
        )
        let (global, friends, company, hidesGlobal, hidesFriends, hidesCompany) = try await agreement
        return [
            Board(.global, showsMe: global, isHidden: hidesGlobal),
            Board(.friends, showsMe: friends, isHidden: hidesFriends),
        ]
            + (try await companies).map { id, name, agreed in
                Board(.company, of: (id, name), showsMe: company && agreed, isHidden: hidesCompany)
            }
    }
}
