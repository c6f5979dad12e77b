import Domain
import Foundation
import PGClient
import Tenancy

extension TenantTransaction {
    /// Colleagues whom the viewer sees, and nobody else: rows in their order, which for minutes is that of an index,
    /// and ranks by counting those who have more. Only of the largest value on a page somebody may be before it, so of
    /// the others those on it are all that there are above one of them.
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
        let answer: [CountedBoardRow] = try await query(
            """
            with mine as materialized (\(rows.own)),
              near as materialized (\(rows.near(board))),
              top as materialized (select max(value) as value from near)
            select false, is_above, 0::bigint, entry_id, uid, is_mine, display_name, avatar_url, value::float8, achieved_at,
              null::text[], null::integer, null::integer, weekly_minutes, weekly_consistency, null::integer, null::integer,
              null::integer, \(CountedBoardRow.standing)
            from near
            union all
            select \(CountedBoardRow.counts), count(*), count(*) filter (where \(value) > (select value from mine)),
              (select value::float8 from mine), (min(\(value)) filter (where \(value) > (select value from mine)))::float8,
              (select display_name from mine), count(*) filter (where \(value) > (select value from top)),
              array_remove((select value::float8 from top) || (
                select array_agg(value::float8) from near where value < (select value from top)
              ), null),
              count(*) filter (where \(value) = (select value from top)) || (
                select array_agg(1::bigint) from near where value < (select value from top)
              ),
              \(board.isHidden(from: principal))
            from board.company
            where \(isRanked)
            """
        )
        return BoardPage(answer, of: board)
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
