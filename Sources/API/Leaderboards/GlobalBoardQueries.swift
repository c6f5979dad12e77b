import Domain
import Foundation
import PGClient
import Tenancy

extension TenantTransaction {
    /// Everyone who opted in, which may be many: rows by the order of an index, ranks
    /// from counts of people by value.
    func globalStandings(on board: BoardRequest) async throws -> BoardPage {
        let rows: [CountedBoardRow] = try await query(
            """
            with mine as materialized (\(board.globalRows.own)),
              near as materialized (\(board.globalRows.near(board))),
              place as materialized (
                select value, value / 128 as in_bucket, (value / 128 + 1) * 128 as following from mine
              ),
              stretch as materialized (
                select max(value) as value, max(value) / 128 as in_bucket, (max(value) / 128 + 1) * 128 as following,
                  min(value) as bottom
                from near
              )
            select false, is_above, 0::bigint, entry_id, near.uid, is_mine, display_name, avatar_url, value::float8, achieved_at,
              null::text[], case when stats_shown then weekly_xp end, case when stats_shown then weekly_streak end,
              null::integer, null::float8, total.total_sessions, total.total_xp, total.longest_streak,
              \(CountedBoardRow.standing)
            from near
              left join board.global_total total on total.uid = near.uid
            union all
            select \(CountedBoardRow.counts), coalesce(sum(people) filter (where level > 0), 0)::bigint,
              \(BoardRequest.peopleAbove("place")), (select value::float8 from mine), (
                select \(board.column)::float8 as next from board.global
                where \(board.isRanked) and \(board.column) > (select value from mine)
                order by \(board.column) limit 1
              ), (select display_name from mine), \(BoardRequest.peopleAbove("stretch")),
              array_agg(bucket::float8) filter (where \(BoardRequest.isOnPage)),
              array_agg(people) filter (where \(BoardRequest.isOnPage)), \(board.isHidden(from: principal))
            from board.global_count
            where \(board.isTallied) and (level > 0 or level = 0 and (
              bucket >= (select bottom from stretch) and bucket < (select following from stretch)
              or bucket > (select value from place) and bucket < (select following from place)))
            """
        )
        return BoardPage(rows, of: board)
    }
}

extension BoardRequest {
    fileprivate var column: SQL { "\(identifier: metric.column)" }
    fileprivate var isRanked: SQL { "period = \(period.description) and \(column) > 0" }
    fileprivate var isTallied: SQL { "period = \(period.description) and metric = \(metric.column)" }

    fileprivate var globalRows: BoardRows {
        BoardRows(
            view: "board.global",
            value: column,
            reachedAt: "\(identifier: metric.column + "_at")",
            isRanked: isRanked,
            others: ", stats_shown, weekly_xp, weekly_streak",
            isWhole: true
        )
    }

    /// Whether a count is of one value, and of one on the page.
    fileprivate static let isOnPage: SQL =
        "level <> 1 and bucket between (select bottom from stretch) and (select value from stretch)"

    /// How many people have more than the value of a place: of the buckets above it by their sums; of its own, and of
    /// what isn't summed up yet, by each value. The bounds are columns of `place`: computed in a condition on a view, they
    /// would lose its index.
    fileprivate static func peopleAbove(_ place: SQL) -> SQL {
        """
        coalesce(sum(people) filter (where
          level = 1 and bucket > (select in_bucket from \(place))
          or level = 0 and bucket > (select value from \(place)) and bucket < (select following from \(place))
          or level = 2 and bucket > (select value from \(place))), 0)::bigint
        """
    }
}
