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
    let isHidden: Bool
    /// Nil where there is none to show.
    let placed: Placed?

    init(from row: inout PGRowReader) throws {
        total = try row.next()
        isHidden = try row.next()
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
    /// Few enough to rank all whom the viewer sees, and nobody else.
    func friendsStandings(on board: BoardRequest) async throws -> BoardPage {
        let rows: [PlacedRow] = try await query(
            """
            with standing as materialized (
              select *, rank() over (order by value desc) as rank,
                row_number() over (order by value desc, achieved_at, uid) as position,
                (max(value) over (order by value desc groups between 1 preceding and 1 preceding))::float8 as next
              from (
                select *, \(identifier: board.metric.column) as value,
                  \(identifier: board.metric.column + "_at") as achieved_at
                from board.friends
                where period = \(board.period.description)
              ) as board
              where value > 0
            ), page as (
              select \(board.anchor.offset(of: board)) as "offset"
            )
            select (select count(*) from standing), \(board.isHidden(from: principal)), position, next,
              position > "offset" and position <= "offset" + \(board.limit),
              rank, uid, uid, is_mine, display_name, avatar_url, value::float8, achieved_at, favorite_patterns,
              weekly_xp, weekly_streak, null::integer, null::float8, total_sessions, total_xp, longest_streak
            from page
              left join standing
                on is_mine or (position > "offset" and position <= "offset" + \(board.limit))
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
            mine: placed.first { $0.standing.isMine }.map {
                OwnStanding(
                    rank: $0.standing.rank,
                    value: $0.standing.value,
                    next: $0.next,
                    displayName: $0.standing.displayName
                )
            },
            total: total,
            isHidden: rows.first?.isHidden ?? false
        )
    }
}

extension BoardRequest.Anchor {
    /// How many standings lie above the page. Who is not on the board sees its top.
    fileprivate func offset(of board: BoardRequest) -> SQL {
        switch self {
        case .top:
            "0::bigint"
        case .next(let cursor) where cursor.isBackward:
            """
            greatest(0, (
              select count(*) from standing
              where value > \(cursor.value)
                or (value = \(cursor.value) and (achieved_at, uid) < (\(cursor.achievedAt), \(cursor.entryID)))
            ) - \(board.limit))
            """
        case .next(let cursor):
            """
            (
              select count(*) from standing
              where value > \(cursor.value)
                or (value = \(cursor.value) and (achieved_at, uid) <= (\(cursor.achievedAt), \(cursor.entryID)))
            )
            """
        case .me:
            "greatest(0, coalesce((select position from standing where is_mine), 0) - 1 - \(board.half))"
        }
    }
}
