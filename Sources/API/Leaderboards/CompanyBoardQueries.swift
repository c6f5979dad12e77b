import Domain
import Foundation
import PGClient
import Tenancy

private struct CompanyRow: PGRow {
    let near: NearRow

    init(from row: inout PGRowReader) throws {
        near = NearRow(
            isAbove: try row.next(),
            standing: try StandingRow(from: &row) { row in
                StandingStats(weeklyMinutes: try row.next(), weeklyConsistency: try row.next()).orNone
            }
        )
    }
}

extension TenantTransaction {
    /// Colleagues whom the viewer sees, and nobody else: rows in their order, which for minutes is that of an index,
    /// and ranks by counting those who have more.
    func companyStandings(on board: BoardRequest) async throws -> BoardPage {
        guard let organizationID = principal.organizationID else { throw Problem.notFound }
        let value: SQL = "\(identifier: board.metric.column)"
        let team = try await teamUIDs(of: board)
        let isRanked: SQL = """
            organization_id = \(organizationID) and period = \(board.period.description) and \(value) > 0
              and (\(team)::uuid[] is null or uid = any (\(team)))
            """
        let rows = BoardRows(
            view: "board.company",
            value: value,
            reachedAt: "\(identifier: board.metric.column + "_at")",
            isRanked: isRanked,
            others: ", weekly_minutes, weekly_consistency",
            isWhole: board.metric != .weeklyConsistency
        )
        let (own, near) = try await query(
            OwnPlace.query(of: rows, on: board, for: principal),
            PGQuery<CompanyRow>(
                """
                with mine as materialized (\(rows.own))
                select is_above, \(StandingRow.columns), weekly_minutes, weekly_consistency
                from (\(rows.near(board))) as near
                """
            )
        )
        guard let own = own.first, !own.isHidden else { return BoardPage(isHidden: true) }
        if case .me = board.anchor, own.value == nil { return BoardPage(isHidden: false) }
        let page = board.page(near.map(\.near))
        return BoardPage(
            page,
            own: own,
            counts: try await companyCounts(of: page, own: own.value, among: rows)
        )
    }

    /// Only of the largest value on a page may somebody be before it: of the others, those on it are all that there
    /// are above one of them.
    private func companyCounts(
        of page: PageRows,
        own: Double?,
        among rows: BoardRows
    ) async throws -> BoardCounts {
        let top = page.standings.first?.value
        let (total, aboveOwn, next, aboveTop, withTop) = try await queryOne(
            """
            select count(*), count(*) filter (where \(rows.value) > \(own)),
              (min(\(rows.value)) filter (where \(rows.value) > \(own)))::float8,
              count(*) filter (where \(rows.value) > \(top)), count(*) filter (where \(rows.value) = \(top))
            from \(rows.view)
            where \(rows.isRanked)
            """,
            as: (Int, Int, Double?, Int, Int).self
        )
        let below = page.standings.map(\.value).filter { $0 != top }
        return BoardCounts(
            total: total,
            aboveOwn: aboveOwn,
            next: next,
            ranks: RankCounts(
                peopleAbove: aboveTop,
                values: [top].compactMap(\.self) + below,
                people: [withTop] + below.map { _ in 1 }
            )
        )
    }

    /// Nil for the whole company. Asked for by itself: a condition of a board that nobody is on would not be looked at.
    ///
    /// - Throws: `team_not_on_board` where it is too small to be a board, or there is none.
    private func teamUIDs(of board: BoardRequest) async throws -> [UUID]? {
        guard let team = board.teamID else { return nil }
        return try await queryOne(
            "select app.team_on_board(\(board.period.description), \(team))",
            as: [UUID].self
        )
    }
}
