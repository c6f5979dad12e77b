import Domain
import Foundation
import PGClient
import Tenancy

/// The rows of a board in their order, which is that of an index: the largest value first,
/// ties by who got there first, then by whom others see.
struct BoardRows: Sendable {
    /// The scope's view, and its columns of the metric. What a view doesn't have, this can't ask for.
    let view, value, reachedAt: SQL
    /// Which of the view's rows are of this board.
    let isRanked: SQL
    /// What else of the view's columns is needed.
    let others: SQL
    /// Whether values are whole numbers: compared as something else, they would lose the index.
    let isWhole: Bool

    /// The viewer's own row, if there is one.
    var own: SQL { "\(rows(isAbove: false)) and is_mine" }

    /// The rows of the page, and one more in each direction in which it may go on.
    func near(_ board: BoardRequest) -> SQL {
        switch board.anchor {
        case .top:
            return top(board.limit + 1)
        case .next(let cursor):
            let place = Place(
                value: isWhole ? "\(Int32(cursor.value))" : "\(cursor.value)",
                at: "\(cursor.achievedAt)",
                entryID: "\(cursor.entryID)"
            )
            return cursor.isBackward ? above(place, board.limit + 1) : below(place, board.limit + 1)
        case .me:
            let place = Place(
                value: "(select value from mine)",
                at: "(select achieved_at from mine)",
                entryID: "(select entry_id from mine)"
            )
            return """
                with mine as materialized (\(own))
                (\(above(place, board.half + 1)))
                union all
                (select * from mine)
                union all
                (\(below(place, board.limit + 1)))
                """
        }
    }

    /// A standing's place in the order of the board.
    private struct Place {
        let value, at, entryID: SQL
    }

    private func rows(isAbove: Bool) -> SQL {
        """
        select \(isAbove) as is_above, entry_id, uid, is_mine, display_name, avatar_url, \(value) as value,
          \(reachedAt) as achieved_at\(others)
        from \(view)
        where \(isRanked)
        """
    }

    private func top(_ limit: Int) -> SQL {
        "\(rows(isAbove: false)) order by \(value) desc, \(reachedAt), entry_id limit \(limit)"
    }

    /// Ties and smaller values apart: each is a range of the index.
    private func below(_ place: Place, _ limit: Int) -> SQL {
        """
        select * from (
          (\(rows(isAbove: false)) and \(value) = \(place.value)
            and (\(reachedAt), entry_id) > (\(place.at), \(place.entryID))
            order by \(reachedAt), entry_id limit \(limit))
          union all
          (\(rows(isAbove: false)) and \(value) < \(place.value)
            order by \(value) desc, \(reachedAt), entry_id limit \(limit))
        ) as below
        order by value desc, achieved_at, entry_id limit \(limit)
        """
    }

    private func above(_ place: Place, _ limit: Int) -> SQL {
        """
        select * from (
          (\(rows(isAbove: true)) and \(value) = \(place.value)
            and (\(reachedAt), entry_id) < (\(place.at), \(place.entryID))
            order by \(reachedAt) desc, entry_id desc limit \(limit))
          union all
          (\(rows(isAbove: true)) and \(value) > \(place.value)
            order by \(value), \(reachedAt) desc, entry_id desc limit \(limit))
        ) as above
        order by value, achieved_at desc, entry_id desc limit \(limit)
        """
    }
}

/// A row of a page, and on which side it is of the place that the page is asked for.
struct NearRow: Sendable {
    /// Above that place, and not there or below.
    let isAbove: Bool
    let standing: StandingRow
}

/// Where the viewer is on a board that is counted, if they are, and whether they want to see it.
struct OwnPlace: PGRow {
    let isHidden: Bool
    let value: Double?
    let displayName: String?

    static func query(of rows: BoardRows, on board: BoardRequest, for viewer: Principal) -> PGQuery<OwnPlace>
    {
        PGQuery(
            """
            select \(board.isHidden(from: viewer)), mine.value::float8, mine.display_name
            from (select) as viewer left join (\(rows.own)) as mine on true
            """
        )
    }

    init(from row: inout PGRowReader) throws {
        isHidden = try row.next()
        value = try row.next()
        displayName = try row.next()
    }
}
