import Crypto
import Domain
import Foundation

/// A page of a board, as it is answered.
struct Leaderboard: JSONRow, Sendable {
    struct Entry: JSONRow, Sendable {
        let standing: StandingRow

        func write(to object: inout JSONObject) throws {
            object.member("rank", standing.rank)
            // Not of who is there under a pseudonym.
            object.member("uid", standing.shown.isNamed ? standing.entryID : nil)
            object.member("isMe", standing.isMine)
            object.member("displayName", standing.shown.displayName)
            object.member("avatarUrl", standing.shown.avatarURL)
            try object.member("value", standing.value)
            try object.member("favoritePatterns", standing.shown.favoritePatterns)
            try object.member("stats", standing.shown.stats)
        }
    }

    struct SeasonState: JSONRow, Sendable {
        let state: Season.State
        let endsAt, finalAt: Instant

        init(_ status: SeasonStatus) {
            state = status.state
            endsAt = status.season.endsAt
            finalAt = status.season.finalAt
        }

        func write(to object: inout JSONObject) {
            object.member("state", state.rawValue)
            object.member("endsAt", endsAt.description)
            object.member("finalAt", finalAt.description)
        }
    }

    struct Mine: JSONRow, Sendable {
        let rank: Int
        /// As others see the viewer here.
        let displayName: String?
        let value: Double
        /// To the next larger value; absent at the top.
        let gapToNext: Double?
        /// Of a hundred people on the board, how many have no more.
        let percentile: Int

        init(_ own: OwnStanding, among total: Int) {
            rank = own.rank
            displayName = own.displayName
            value = own.value
            gapToNext = own.next.map { $0 - own.value }
            percentile = 100 * (total - own.rank + 1) / max(1, total)
        }

        func write(to object: inout JSONObject) throws {
            object.member("rank", rank)
            object.member("displayName", displayName)
            try object.member("value", value)
            try object.member("gapToNext", gapToNext)
            object.member("percentile", percentile)
        }
    }

    let scope: Scope
    let metric: Metric
    let period: String
    /// Absent for all time.
    let season: SeasonState?
    /// The viewer doesn't want to compare themself, so nobody is here, nor are they.
    let isHidden: Bool
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
        self.season = season.map(SeasonState.init)
        isHidden = page.isHidden
        total = page.total
        entries = page.standings.map(Entry.init(standing:))
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

    func write(to object: inout JSONObject) throws {
        object.member("scope", scope.rawValue)
        object.member("metric", metric.rawValue)
        object.member("period", period)
        try object.member("season", season)
        object.member("isHidden", isHidden)
        object.member("total", total)
        try object.member("entries", entries)
        try object.member("me", me)
        object.member("previousCursor", previousCursor)
        object.member("nextCursor", nextCursor)
        object.member("asOf", asOf.description)
    }
}
