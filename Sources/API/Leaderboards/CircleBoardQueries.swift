import Domain
import Foundation
import PGClient
import Tenancy

/// How many standings there are, and one of them with where it is in their order.
private struct PlacedRow: PGRow {
    struct Placed: Sendable {
        let position: Int
        let next: Double?
        let isOnPage: Bool
        let standing: StandingRow
    }

    let total: Int
    /// Nil where there is none to show.
    let placed: Placed?

    init(from row: inout PGRowReader) throws {
        total = try row.next()
        let (position, next, isOnPage) = (
            try row.next() as Int?, try row.next() as Double?, try row.next() as Bool?
        )
        let standing = try StandingRow(ifPresentIn: &row)
        placed =
            if let position, let isOnPage, let standing {
                Placed(position: position, next: next, isOnPage: isOnPage, standing: standing)
            } else {
                nil
            }
    }
}

extension TenantTransaction {
    /// Friends, or a company: few enough to rank those whom the viewer sees, and nobody else.
    func circleStandings(on board: BoardRequest) async throws -> BoardPage {
        let rows: [PlacedRow] = try await query(
            """
            with standing as materialized (
              select uid, display_name, avatar_url, value::float8 as value, achieved_at, favorite_patterns,
                rank() over (order by value desc) as rank,
                row_number() over (order by value desc, achieved_at, uid) as position,
                (max(value) over (order by value desc groups between 1 preceding and 1 preceding))::float8 as next
              from (\(board.circle(of: principal))) as board
              where value > 0
            ), page as (
              select \(board.anchor.offset(of: board, uid: principal.uid)) as "offset"
            )
            select (select count(*) from standing), position, next, position > "offset" and position <= "offset" + \(board.limit),
              rank, uid, display_name, avatar_url, value, achieved_at, favorite_patterns
            from page
              left join standing
                on uid = \(principal.uid) or (position > "offset" and position <= "offset" + \(board.limit))
            order by position
            """
        )
        let placed = rows.compactMap(\.placed)
        let page = placed.filter(\.isOnPage)
        let total = rows.first?.total ?? 0
        return BoardPage(
            standings: page.map(\.standing),
            continues: (
                page.first.map { $0.position > 1 } ?? false, page.last.map { $0.position < total } ?? false
            ),
            mine: placed.first { $0.standing.uid == principal.uid }.map {
                OwnStanding(rank: $0.standing.rank, value: $0.standing.value, next: $0.next)
            },
            total: total
        )
    }
}

extension BoardRequest {
    /// The scope's view with the metric's column. What a view doesn't have, this can't ask for.
    fileprivate func circle(of principal: Principal) -> SQL {
        let columns: SQL = """
            uid, display_name, avatar_url, \(identifier: metric.column) as value,
              \(identifier: metric.column + "_at") as achieved_at
            """
        return if let organizationID = principal.organizationID {
            """
            select \(columns), null::text[] as favorite_patterns from board.company
            where organization_id = \(organizationID) and period = \(period.description)
            """
        } else {
            "select \(columns), favorite_patterns from board.friends where period = \(period.description)"
        }
    }
}

extension BoardRequest.Anchor {
    /// How many standings lie above the page. Who is not on the board sees its top.
    fileprivate func offset(of board: BoardRequest, uid: UUID) -> SQL {
        switch self {
        case .top:
            "0::bigint"
        case .next(let cursor) where cursor.isBackward:
            """
            greatest(0, (
              select count(*) from standing
              where value > \(cursor.value)
                or (value = \(cursor.value) and (achieved_at, uid) < (\(cursor.achievedAt), \(cursor.uid)))
            ) - \(board.limit))
            """
        case .next(let cursor):
            """
            (
              select count(*) from standing
              where value > \(cursor.value)
                or (value = \(cursor.value) and (achieved_at, uid) <= (\(cursor.achievedAt), \(cursor.uid)))
            )
            """
        case .me:
            "greatest(0, coalesce((select position from standing where uid = \(uid)), 0) - 1 - \(board.half))"
        }
    }
}
