import Domain
import Foundation
import PGClient
import Tenancy

/// Some standings in a row, the viewer's own, and how many there are: all of one snapshot.
struct BoardPage: Sendable {
    let standings: [StandingRow]
    /// Whether there is more above the page, and below it.
    let continues: (above: Bool, below: Bool)
    let mine: OwnStanding?
    /// Everyone who is ranked. On the global board that is more than the viewer can see:
    /// those whom a block hides have their ranks still.
    let total: Int
    let isHidden: Bool

    /// - Parameter isHidden: the viewer doesn't want to compare themself, so there is nothing.
    init(
        standings: [StandingRow],
        continues: (above: Bool, below: Bool),
        mine: OwnStanding?,
        total: Int,
        isHidden: Bool
    ) {
        self.standings = isHidden ? [] : standings
        self.continues = isHidden ? (false, false) : continues
        self.mine = isHidden ? nil : mine
        self.total = isHidden ? 0 : total
        self.isHidden = isHidden
    }

    /// Of a board that the viewer isn't on or doesn't want to see.
    init(isHidden: Bool) {
        self.init(standings: [], continues: (false, false), mine: nil, total: 0, isHidden: isHidden)
    }
}

/// The rows of a page in their order.
struct PageRows: Sendable {
    let standings: [StandingRow]
    /// Whether there is more above them, and below.
    let continues: (above: Bool, below: Bool)

    var isWholeBoard: Bool { !continues.above && !continues.below }

    /// The smallest value above the viewer's own, if the page has both.
    var nextAboveOwn: Double? {
        standings.firstIndex(where: \.isMine).flatMap { own in
            standings[..<own].last { $0.value > standings[own].value }?.value
        }
    }

    /// Whether there is no smallest value above the viewer's own but ``nextAboveOwn``.
    var knowsNext: Bool {
        nextAboveOwn != nil || (!continues.above && standings.contains(where: \.isMine))
    }
}

struct StandingRow: Sendable {
    var rank: Int
    /// As whom others know the row: the uid, or what stands for it.
    let entryID: UUID
    let isMine: Bool
    let value: Double
    let achievedAt: Instant
    let shown: Shown

    /// What else others see of it. By reference: rows are ordered, cut and numbered before they are written, and copying
    /// all of this each time took as long as writing it.
    final class Shown: Sendable {
        /// Whether the row's id is the uid. It isn't of who is there under a pseudonym.
        let isNamed: Bool
        let displayName, avatarURL: String?
        /// On the friends board, of those who share details.
        let favoritePatterns: [String]?
        let stats: StandingStats?

        init(
            isNamed: Bool,
            displayName: String?,
            avatarURL: String?,
            favoritePatterns: [String]?,
            stats: StandingStats?
        ) {
            self.isNamed = isNamed
            self.displayName = displayName
            self.avatarURL = avatarURL
            self.favoritePatterns = favoritePatterns
            self.stats = stats
        }
    }

    /// What ``init(from:)`` reads of a view's row.
    static let columns: SQL =
        "is_mine, value::float8, achieved_at, entry_id, uid is not null, display_name, avatar_url"

    /// Reads ``columns``, and then by `stats` what only some boards have.
    init(
        from row: inout PGRowReader,
        rank: Int = 0,
        favoritePatterns: [String]? = nil,
        stats: (inout PGRowReader) throws -> StandingStats? = { _ in nil }
    ) throws {
        self.rank = rank
        isMine = try row.next()
        value = try row.next()
        achievedAt = try row.next()
        entryID = try row.next()
        shown = Shown(
            isNamed: try row.next(),
            displayName: try row.next(),
            avatarURL: try row.next(),
            favoritePatterns: favoritePatterns,
            stats: try stats(&row)
        )
    }
}

extension StandingRow {
    /// The order of every board: the larger value, then who got there first, then by whom others see.
    fileprivate func comesBefore(_ other: StandingRow) -> Bool { place < other.place }

    func isAbove(_ cursor: BoardCursor) -> Bool { place < cursor.place }
    func isBelow(_ cursor: BoardCursor) -> Bool { place > cursor.place }

    private var place: (Double, Instant, UUID) { (-value, achievedAt, entryID) }
}

extension BoardCursor {
    fileprivate var place: (Double, Instant, UUID) { (-value, achievedAt, entryID) }
}

extension [StandingRow] {
    /// All of a board in order, with their ranks.
    func ranked() -> [StandingRow] {
        var standings = sorted { $0.comesBefore($1) }
        for place in standings.indices {
            let isTied = place > 0 && standings[place - 1].value == standings[place].value
            standings[place].rank = isTied ? standings[place - 1].rank : place + 1
        }
        return standings
    }
}

/// What stands beside a value, as far as the scope and the person allow.
struct StandingStats: JSONRow, Sendable {
    var weeklyXP, weeklyStreak, weeklyMinutes: Int?
    var weeklyConsistency: Double?
    var totalSessions, totalXP, longestStreak: Int?

    func write(to object: inout JSONObject) throws {
        object.member("weeklyXP", weeklyXP)
        object.member("weeklyStreak", weeklyStreak)
        object.member("weeklyMinutes", weeklyMinutes)
        try object.member("weeklyConsistency", weeklyConsistency)
        object.member("totalSessions", totalSessions)
        object.member("totalXP", totalXP)
        object.member("longestStreak", longestStreak)
    }

    /// Nil where there is none of them.
    var orNone: StandingStats? {
        let any = weeklyXP ?? weeklyStreak ?? weeklyMinutes ?? totalSessions ?? totalXP ?? longestStreak
        return any != nil || weeklyConsistency != nil ? self : nil
    }
}

extension StandingStats {
    /// XP and streak of a week, and what was reached in all time.
    init(from row: inout PGRowReader) throws {
        weeklyXP = try row.next()
        weeklyStreak = try row.next()
        totalSessions = try row.next()
        totalXP = try row.next()
        longestStreak = try row.next()
    }
}

struct OwnStanding: Sendable {
    let rank: Int
    let value: Double
    /// The smallest value above it.
    let next: Double?
    /// As others see the viewer there.
    let displayName: String?
}

extension OwnStanding: PGRow {
    init(from row: inout PGRowReader) throws {
        self.init(
            rank: try row.next(),
            value: try row.next(),
            next: try row.next(),
            displayName: try row.next()
        )
    }
}

extension TenantTransaction {
    /// Ranks are "1224" competition ranks: ties share one, and are listed by who got
    /// there first, then by uid.
    func standings(on board: BoardRequest) async throws -> BoardPage {
        switch board.scope {
        case .global: try await globalStandings(on: board)
        case .friends: try await friendsStandings(on: board)
        case .company: try await companyStandings(on: board)
        }
    }
}

extension BoardRequest {
    /// Whether the viewer hid the scope's boards from themself.
    func isHidden(from viewer: Principal) -> SQL {
        "(select \(identifier: "hides_\(scope.rawValue)_board") from app.user where uid = \(viewer.uid))"
    }

    /// Around oneself, so many come before.
    var half: Int { limit / 2 }

    /// The page from what lies above the place that it is asked for, and from that place on: of each
    /// one more than a page may show, where there are so many. In any order.
    func page(_ rows: [NearRow]) -> PageRows {
        let rows = rows.sorted { $0.standing.comesBefore($1.standing) }
        let above = rows.filter(\.isAbove).map(\.standing)
        let below = rows.filter { !$0.isAbove }.map(\.standing)
        switch anchor {
        case .top:
            return PageRows(standings: Array(below.prefix(limit)), continues: (false, below.count > limit))
        case .next(let cursor) where cursor.isBackward:
            return PageRows(standings: above.suffix(limit), continues: (above.count > limit, true))
        case .next:
            return PageRows(standings: Array(below.prefix(limit)), continues: (true, below.count > limit))
        case .me:
            let before = above.suffix(half)
            let after = below.prefix(limit - before.count)
            return PageRows(
                standings: Array(before + after),
                continues: (above.count > before.count, below.count > after.count)
            )
        }
    }
}

extension Metric {
    /// Its column in the views of the scopes that have it.
    var column: String {
        switch self {
        case .weeklyXP: "weekly_xp"
        case .weeklyStreak: "weekly_streak"
        case .totalSessions: "total_sessions"
        case .weeklyMinutes: "weekly_minutes"
        case .weeklyConsistency: "weekly_consistency"
        case .teamChallengeParticipation: "team_challenge_participation"
        }
    }
}
