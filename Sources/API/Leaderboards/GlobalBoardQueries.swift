import Domain
import Foundation
import PGClient
import Tenancy

private struct NearRow: PGRow {
    /// Above the place that the page is asked for, and not there or below.
    let isAbove: Bool
    let standing: StandingRow

    init(from row: inout PGRowReader) throws {
        isAbove = try row.next()
        standing = try StandingRow(from: &row)
    }
}

private struct CountRow: PGRow {
    let count: Int

    init(from row: inout PGRowReader) throws {
        count = try row.next()
    }
}

extension TenantTransaction {
    /// Everyone who opted in, which may be many: rows by the order of an index, ranks
    /// from counts of people by value.
    func globalStandings(on board: BoardRequest) async throws -> BoardPage {
        let (rows, own, counts) = try await query(
            PGQuery<NearRow>(
                """
                with near as materialized (\(board.near(principal.uid))),
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
                select is_above, (1 + base.people_above + ranked.people_above)::bigint, uid, display_name, avatar_url,
                  near.value::float8, achieved_at, null::text[]
                from near
                  join ranked on ranked.value = near.value
                  cross join base
                order by near.value desc, achieved_at, uid
                """
            ),
            PGQuery<OwnStanding>(
                """
                select (1 + \(board.peopleAbove("mine")))::bigint, mine.value::float8, (
                    select \(board.column)::float8 as next from board.global
                    where \(board.isRanked) and \(board.column) > mine.value
                    order by \(board.column) limit 1
                  )
                from (
                  select \(board.column) as value, \(board.column) / 128 as in_bucket, (\(board.column) / 128 + 1) * 128 as following
                  from board.global
                  where \(board.isRanked) and uid = \(principal.uid)
                ) as mine
                """
            ),
            PGQuery<CountRow>("select (\(board.people))::bigint")
        )
        let page = board.page(
            above: rows.filter(\.isAbove).map(\.standing),
            below: rows.filter { !$0.isAbove }.map(\.standing)
        )
        return BoardPage(
            standings: page.standings,
            continues: page.continues,
            mine: own.first,
            total: counts.first?.count ?? 0
        )
    }
}

// MARK: - Rows

extension BoardRequest {
    fileprivate var column: SQL { "\(identifier: metric.column)" }
    private var reachedAt: SQL { "\(identifier: metric.column + "_at")" }
    fileprivate var isRanked: SQL { "period = \(period.description) and \(column) > 0" }

    /// The rows of the page, and one more in each direction in which it may go on.
    fileprivate func near(_ viewer: UUID) -> SQL {
        switch anchor {
        case .top:
            return top
        case .next(let cursor):
            let place = Place(
                value: "\(Int32(cursor.value))",
                at: "\(cursor.achievedAt)",
                uid: "\(cursor.uid)"
            )
            return cursor.isBackward ? above(place, limit + 1) : below(place, limit + 1)
        case .me:
            let place = Place(
                value: "(select value from mine)",
                at: "(select achieved_at from mine)",
                uid: "(select uid from mine)"
            )
            return """
                with mine as materialized (\(rows(isAbove: false)) and uid = \(viewer))
                (\(above(place, half + 1)))
                union all
                (select * from mine)
                union all
                (\(below(place, limit + 1)))
                union all
                (select * from (\(top)) as top where not exists (select from mine))
                """
        }
    }

    /// A standing's place in the order of the board.
    private struct Place {
        let value, at, uid: SQL
    }

    private func rows(isAbove: Bool) -> SQL {
        """
        select \(isAbove) as is_above, uid, display_name, avatar_url, \(column) as value, \(reachedAt) as achieved_at
        from board.global
        where \(isRanked)
        """
    }

    private var top: SQL {
        "\(rows(isAbove: false)) order by \(column) desc, \(reachedAt), uid limit \(limit + 1)"
    }

    /// Ties and smaller values apart: each is a range of the index.
    private func below(_ place: Place, _ limit: Int) -> SQL {
        """
        select * from (
          (\(rows(isAbove: false)) and \(column) = \(place.value) and (\(reachedAt), uid) > (\(place.at), \(place.uid))
            order by \(reachedAt), uid limit \(limit))
          union all
          (\(rows(isAbove: false)) and \(column) < \(place.value)
            order by \(column) desc, \(reachedAt), uid limit \(limit))
        ) as below
        order by value desc, achieved_at, uid limit \(limit)
        """
    }

    private func above(_ place: Place, _ limit: Int) -> SQL {
        """
        select * from (
          (\(rows(isAbove: true)) and \(column) = \(place.value) and (\(reachedAt), uid) < (\(place.at), \(place.uid))
            order by \(reachedAt) desc, uid desc limit \(limit))
          union all
          (\(rows(isAbove: true)) and \(column) > \(place.value)
            order by \(column), \(reachedAt) desc, uid desc limit \(limit))
        ) as above
        order by value, achieved_at desc, uid desc limit \(limit)
        """
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
