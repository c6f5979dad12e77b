import Crypto
import Domain
import Foundation

/// A page of a board, as it is answered.
struct Leaderboard: Encodable, Sendable {
    struct Entry: Encodable, Sendable {
        let rank: Int
        let uid: String
        let displayName: String?
        let avatarUrl: String?
        let value: Double
        let favoritePatterns: [String]?

        init(_ row: StandingRow) {
            rank = row.rank
            uid = row.uid.text
            displayName = row.displayName
            avatarUrl = row.avatarURL
            value = row.value
            favoritePatterns = row.favoritePatterns
        }
    }

    struct SeasonState: Encodable, Sendable {
        let state: Season.State
        let endsAt, finalAt: Instant

        init(_ status: SeasonStatus) {
            state = status.state
            endsAt = status.season.endsAt
            finalAt = status.season.finalAt
        }
    }

    struct Mine: Encodable, Sendable {
        let rank: Int
        let value: Double
        /// To the next larger value; absent at the top.
        let gapToNext: Double?
        /// Of a hundred people on the board, how many have no more.
        let percentile: Int

        init(_ own: OwnStanding, among total: Int) {
            rank = own.rank
            value = own.value
            gapToNext = own.next.map { $0 - own.value }
            percentile = 100 * (total - own.rank + 1) / max(1, total)
        }
    }

    let scope: Scope
    let metric: Metric
    let period: String
    /// Absent for all time.
    let season: SeasonState?
    let total: Int
    let entries: [Entry]
    /// Absent for a viewer who is not on this board.
    let me: Mine?
    let previousCursor, nextCursor: String?
    let asOf: Instant

    init(
        _ page: BoardPage,
        of board: BoardRequest,
        in season: SeasonStatus?,
        cursorKey: SymmetricKey,
        asOf: Instant
    ) throws {
        scope = board.scope
        metric = board.metric
        period = board.period.description
        total = page.total
        self.season = season.map(SeasonState.init)
        entries = page.standings.map(Entry.init)
        me = page.mine.map { Mine($0, among: page.total) }
        func cursor(beside row: StandingRow?, isBackward: Bool) throws -> String? {
            try row.flatMap {
                try BoardCursor($0, isBackward: isBackward).text(on: board.name, key: cursorKey)
            }
        }
        previousCursor = try cursor(
            beside: page.continues.above ? page.standings.first : nil,
            isBackward: true
        )
        nextCursor = try cursor(beside: page.continues.below ? page.standings.last : nil, isBackward: false)
        self.asOf = asOf
    }
}
