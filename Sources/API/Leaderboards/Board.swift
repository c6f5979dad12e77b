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
    /// Whether the viewer agreed to be on it.
    let showsMe: Bool

    fileprivate init(_ scope: Scope, of company: CompanyRow? = nil, showsMe: Bool) {
        self.scope = scope
        organizationId = company?.id.text
        name = company?.name
        metrics = scope.metrics
        self.showsMe = showsMe
    }
}

private struct AgreementRow: PGRow {
    let global, friends, company: Bool

    init(from row: inout PGRowReader) throws {
        global = try row.next()
        friends = try row.next()
        company = try row.next()
    }
}

private struct CompanyRow: PGRow {
    let id: UUID
    let name: String

    init(from row: inout PGRowReader) throws {
        id = try row.next()
        name = try row.next()
    }
}

extension TenantTransaction {
    func ownBoards() async throws -> [Board] {
        let (agreements, companies) = try await query(
            PGQuery<AgreementRow>(
                """
                select share_progress and global_board, share_progress and friends_board, share_progress and company_board
                from app.user
                where uid = \(principal.uid)
                """
            ),
            PGQuery<CompanyRow>(
                """
                select o.organization_id, o.name
                from app.member m
                  join app.organization o on o.organization_id = m.organization_id
                where m.uid = \(principal.uid)
                order by o.name, o.organization_id
                """
            )
        )
        guard let agreed = agreements.first else { throw Problem.unauthorized }
        return [Board(.global, showsMe: agreed.global), Board(.friends, showsMe: agreed.friends)]
            + companies.map { Board(.company, of: $0, showsMe: agreed.company) }
    }
}
