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
    }

    struct Mine: Encodable, Sendable {
        let rank: Int
        let value: Double
    }

    let scope: Scope
    let metric: Metric
    let period: String
    let total: Int
    let entries: [Entry]
    /// Absent for a viewer who is not on this board.
    let me: Mine?
    let nextCursor: String?
    let asOf: Instant

    init(_ page: BoardPage, of board: BoardRequest, cursorKey: SymmetricKey, asOf: Instant) throws {
        scope = board.scope
        metric = board.metric
        period = board.period.description
        total = page.total
        entries = page.standings.map { row in
            Entry(
                rank: row.rank,
                uid: row.uid.text,
                displayName: row.displayName,
                avatarUrl: row.avatarURL,
                value: row.value,
                favoritePatterns: row.favoritePatterns
            )
        }
        me = page.mine.map { Mine(rank: $0.rank, value: $0.value) }
        nextCursor = try page.standings.last.flatMap { last in
            guard last.position < page.visible else { return nil }
            return try BoardCursor(value: last.value, achievedAt: last.achievedAt, uid: last.uid)
                .text(on: board.name, key: cursorKey)
        }
        self.asOf = asOf
    }
}
