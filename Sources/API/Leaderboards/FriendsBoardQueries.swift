import Domain
import PGClient
import Tenancy

private struct FriendRow: PGRow {
    let standing: StandingRow

    init(from row: inout PGRowReader) throws {
        let favoritePatterns = try row.next() as [String]?
        standing = try StandingRow(from: &row, favoritePatterns: favoritePatterns) {
            try StandingStats(from: &$0).orNone
        }
    }
}

extension TenantTransaction {
    /// Few enough to rank all whom the viewer sees, and nobody else. That is done here: for Postgres, it is more than to
    /// find them.
    func friendsStandings(on board: BoardRequest) async throws -> BoardPage {
        let value: SQL = "\(identifier: board.metric.column)"
        let (hidden, rows) = try await query(
            PGQuery<HiddenBoard>("select \(board.isHidden(from: principal))"),
            PGQuery<FriendRow>(
                """
                select favorite_patterns, \(StandingRow.columns), weekly_xp, weekly_streak, total_sessions, total_xp,
                  longest_streak
                from (
                  select *, \(value) as value, \(identifier: board.metric.column + "_at") as achieved_at
                  from board.friends
                  where period = \(board.period.description) and \(value) > 0
                ) as board
                """
            )
        )
        guard hidden.first?.isHidden == false else { return BoardPage(isHidden: true) }
        let standings = rows.map(\.standing).ranked()
        let own = standings.firstIndex(where: \.isMine)
        let page = board.page(of: standings, own: own)
        return BoardPage(
            standings: Array(standings[page]),
            continues: (page.lowerBound > 0, page.upperBound < standings.count),
            mine: own.map { own in
                OwnStanding(
                    rank: standings[own].rank,
                    value: standings[own].value,
                    next: standings[..<own].last { $0.value > standings[own].value }?.value,
                    displayName: standings[own].shown.displayName
                )
            },
            total: standings.count,
            isHidden: false
        )
    }
}

private struct HiddenBoard: PGRow {
    let isHidden: Bool

    init(from row: inout PGRowReader) throws {
        isHidden = try row.next()
    }
}

extension BoardRequest {
    /// Which of all standings in their order are on the page. Who is not on the board sees its top.
    fileprivate func page(of standings: [StandingRow], own: Int?) -> Range<Int> {
        let start: Int
        switch anchor {
        case .top: start = 0
        case .me: start = (own ?? 0) - half
        case .next(let cursor) where cursor.isBackward:
            let end = standings.count { $0.isAbove(cursor) }
            return max(0, end - limit)..<end
        case .next(let cursor): start = standings.count { !$0.isBelow(cursor) }
        }
        let first = min(max(0, start), standings.count)
        return first..<min(first + limit, standings.count)
    }
}
