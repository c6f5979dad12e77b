import Domain
import Foundation
import PGClient
import Tenancy

private struct CountRow: PGRow {
    let count: Int
    let isHidden: Bool

    init(from row: inout PGRowReader) throws {
        count = try row.next()
        isHidden = try row.next()
    }
}

extension TenantTransaction {
    /// Everyone who opted in, which may be many: rows by the order of an index, ranks
    /// from counts of people by value.
    func globalStandings(on board: BoardRequest) async throws -> BoardPage {
        let (rows, own, counts) = try await query(
            PGQuery<NearRow>(
                """
                with near as materialized (\(board.globalRows.near(board))),
                  edge as (
                    select max(value) as value, min(value) as bottom, max(value) / 128 as in_bucket,
                      (max(value) / 128 + 1) * 128 as following
                    from near
                  ),
                  counted as (
                    select bucket as value, people
                    from board.global_count
                      cross join edge
                    where \(board.isTallied) and level in (0, 2) and bucket between bottom and edge.value
                  ),
                  ranked as (
                    select value, sum(sum(people)) over (order by value desc) - sum(people) as people_above
                    from counted group by value
                  ),
                  base as materialized (select \(board.peopleAbove("edge")) as people_above from edge)
                select is_above, (1 + base.people_above + ranked.people_above)::bigint, entry_id, near.uid, is_mine, display_name,
                  avatar_url, near.value::float8, achieved_at, null::text[],
                  case when stats_shown then weekly_xp end, case when stats_shown then weekly_streak end,
                  null::integer, null::float8, total.total_sessions, total.total_xp, total.longest_streak
                from near
                  join ranked on ranked.value = near.value
                  cross join base
                  left join board.global_total total on total.uid = near.uid
                order by near.value desc, achieved_at, entry_id
                """
            ),
            PGQuery<OwnStanding>(
                """
                select (1 + \(board.peopleAbove("mine")))::bigint, mine.value::float8, (
                    select \(board.column)::float8 as next from board.global
                    where \(board.isRanked) and \(board.column) > mine.value
                    order by \(board.column) limit 1
                  ), mine.display_name
                from (
                  select display_name, \(board.column) as value, \(board.column) / 128 as in_bucket, (\(board.column) / 128 + 1) * 128 as following
                  from board.global
                  where \(board.isRanked) and is_mine
                ) as mine
                """
            ),
            PGQuery<CountRow>("select (\(board.people))::bigint, \(board.isHidden(from: principal))")
        )
        let page = board.page(
            above: rows.filter(\.isAbove).map(\.standing),
            below: rows.filter { !$0.isAbove }.map(\.standing)
        )
        return BoardPage(
            standings: page.standings,
            continues: page.continues,
            mine: own.first,
            total: counts.first?.count ?? 0,
            isHidden: counts.first?.isHidden ?? false
        )
    }
}

// MARK: - Rows

extension BoardRequest {
    fileprivate var column: SQL { "\(identifier: metric.column)" }
    fileprivate var isRanked: SQL { "period = \(period.description) and \(column) > 0" }

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
}

// MARK: - Counts

extension BoardRequest {
    fileprivate var isTallied: SQL { "period = \(period.description) and metric = \(metric.column)" }

    /// How many people have more than a value, which `place` has, beside the `bucket` it is
    /// in and where the `following` one begins. As columns: computed in a condition on a
    /// view, they would lose its index.
    fileprivate func peopleAbove(_ place: SQL) -> SQL {
        """
        coalesce((select sum(people) from board.global_count where \(isTallied) and level = 1 and bucket > \(place).in_bucket), 0)
          + coalesce((select sum(people) from board.global_count where \(isTallied) and level = 0
            and bucket > \(place).value and bucket < \(place).following), 0)
          + coalesce((select sum(people) from board.global_count where \(isTallied) and level = 2
            and bucket > \(place).value), 0)
        """
    }

    /// How many people there are.
    fileprivate var people: SQL {
        "coalesce((select sum(people) from board.global_count where \(isTallied) and level in (1, 2)), 0)"
    }
}
