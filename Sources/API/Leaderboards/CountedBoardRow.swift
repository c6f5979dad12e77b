import Domain
import PGClient

/// A row of a page whose ranks come from counts, or, once, what is said of all of the page.
enum CountedBoardRow: PGRow {
    case standing(NearRow)
    case counts(BoardCounts)

    /// What is selected of a row of the page, after what ``NearRow`` reads: the types of ``BoardCounts``.
    static let standing: SQL = """
        null::bigint, null::bigint, null::float8, null::float8, null::text, null::bigint, null::float8[], null::bigint[],
        null::boolean
        """
    /// What is selected before what ``BoardCounts`` reads.
    static let counts = SQL(
        stringLiteral: (["true"] + Array(repeating: "null", count: NearRow.columns)).joined(separator: ", ")
    )

    init(from row: inout PGRowReader) throws {
        if try row.next() {
            row.skip(NearRow.columns)
            self = .counts(try BoardCounts(from: &row))
        } else {
            self = .standing(try NearRow(from: &row))
            row.skip(BoardCounts.columns)
        }
    }
}

struct BoardCounts: PGRow {
    static let columns = 9

    /// How many people are on the board.
    let total: Int
    /// Nil for a viewer who is not on the board.
    let mine: OwnStanding?
    /// Those of the page.
    let ranks: RankCounts
    let isHidden: Bool

    init(from row: inout PGRowReader) throws {
        total = try row.next()
        let peopleAbove: Int = try row.next()
        let (value, next) = (try row.next() as Double?, try row.next() as Double?)
        let displayName = try row.next() as String?
        mine = value.map {
            OwnStanding(rank: peopleAbove + 1, value: $0, next: next, displayName: displayName)
        }
        ranks = RankCounts(
            peopleAbove: try row.next(),
            values: try row.next() ?? [],
            people: try row.next() ?? []
        )
        isHidden = try row.next()
    }
}

extension BoardPage {
    init(_ rows: [CountedBoardRow], of board: BoardRequest) {
        var (near, counts): ([NearRow], BoardCounts?) = ([], nil)
        for row in rows {
            switch row {
            case .standing(let row): near.append(row)
            case .counts(let row): counts = row
            }
        }
        let page = board.page(near)
        self.init(
            standings: page.standings.map { row in
                var row = row
                row.rank = counts?.ranks.rank(of: row.value) ?? row.rank
                return row
            },
            continues: page.continues,
            mine: counts?.mine,
            total: counts?.total ?? 0,
            isHidden: counts?.isHidden ?? false
        )
    }
}
