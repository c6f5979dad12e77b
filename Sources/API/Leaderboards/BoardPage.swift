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
}

struct StandingRow: PGRow {
    var rank: Int
    /// As whom others know the row: the uid, or what stands for it.
    let entryID: UUID
    /// Nil for who is there under a pseudonym.
    let uid: UUID?
    let isMine: Bool
    let displayName, avatarURL: String?
    let value: Double
    let achievedAt: Instant
    /// On the friends board, of those who share details.
    let favoritePatterns: [String]?
    let stats: StandingStats?

    init(from row: inout PGRowReader) throws {
        rank = try row.next()
        entryID = try row.next()
        uid = try row.next()
        isMine = try row.next()
        displayName = try row.next()
        avatarURL = try row.next()
        value = try row.next()
        achievedAt = try row.next()
        favoritePatterns = try row.next()
        stats = try StandingStats(ifAnyIn: &row)
    }

    /// Nil where an outer join found none.
    init?(ifPresentIn row: inout PGRowReader) throws {
        let (rank, entryID) = (try row.next() as Int?, try row.next() as UUID?)
        uid = try row.next()
        let isMine = try row.next() as Bool?
        displayName = try row.next()
        avatarURL = try row.next()
        let (value, achievedAt) = (try row.next() as Double?, try row.next() as Instant?)
        favoritePatterns = try row.next()
        stats = try StandingStats(ifAnyIn: &row)
        guard let rank, let entryID, let isMine, let value, let achievedAt else { return nil }
        (self.rank, self.entryID, self.isMine) = (rank, entryID, isMine)
        (self.value, self.achievedAt) = (value, achievedAt)
    }
}

extension StandingRow {
    /// The order of every board: the larger value, then who got there first, then by whom others see.
    fileprivate func comesBefore(_ other: StandingRow) -> Bool {
        (-value, achievedAt, entryID) < (-other.value, other.achievedAt, other.entryID)
    }
}

/// What stands beside a value, as far as the scope and the person allow.
struct StandingStats: Encodable, Sendable {
    let weeklyXP, weeklyStreak, weeklyMinutes: Int?
    let weeklyConsistency: Double?
    let totalSessions, totalXP, longestStreak: Int?

    /// Nil where there is none of them.
    fileprivate init?(ifAnyIn row: inout PGRowReader) throws {
        weeklyXP = try row.next()
        weeklyStreak = try row.next()
        weeklyMinutes = try row.next()
        weeklyConsistency = try row.next()
        totalSessions = try row.next()
        totalXP = try row.next()
        longestStreak = try row.next()
        let numbers = [weeklyXP, weeklyStreak, weeklyMinutes, totalSessions, totalXP, longestStreak]
        guard weeklyConsistency != nil || numbers.contains(where: { $0 != nil }) else { return nil }
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
    func page(_ rows: [NearRow]) -> (standings: [StandingRow], continues: (above: Bool, below: Bool)) {
        let rows = rows.sorted { $0.standing.comesBefore($1.standing) }
        let above = rows.filter(\.isAbove).map(\.standing)
        let below = rows.filter { !$0.isAbove }.map(\.standing)
        switch anchor {
        case .top:
            return (Array(below.prefix(limit)), (false, below.count > limit))
        case .next(let cursor) where cursor.isBackward:
            return (above.suffix(limit), (above.count > limit, true))
        case .next:
            return (Array(below.prefix(limit)), (true, below.count > limit))
        case .me:
            let before = above.suffix(half)
            let after = below.prefix(limit - before.count)
            return (Array(before + after), (above.count > before.count, below.count > after.count))
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
