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
}

struct StandingRow: PGRow {
    let rank: Int
    let uid: UUID
    let displayName, avatarURL: String?
    let value: Double
    let achievedAt: Instant
    /// On the friends board, of those who share details.
    let favoritePatterns: [String]?

    init(from row: inout PGRowReader) throws {
        rank = try row.next()
        uid = try row.next()
        displayName = try row.next()
        avatarURL = try row.next()
        value = try row.next()
        achievedAt = try row.next()
        favoritePatterns = try row.next()
    }

    /// Nil where an outer join found none.
    init?(ifPresentIn row: inout PGRowReader) throws {
        let (rank, uid) = (try row.next() as Int?, try row.next() as UUID?)
        displayName = try row.next()
        avatarURL = try row.next()
        let (value, achievedAt) = (try row.next() as Double?, try row.next() as Instant?)
        favoritePatterns = try row.next()
        guard let rank, let uid, let value, let achievedAt else { return nil }
        (self.rank, self.uid, self.value, self.achievedAt) = (rank, uid, value, achievedAt)
    }
}

struct OwnStanding: Sendable {
    let rank: Int
    let value: Double
    /// The smallest value above it.
    let next: Double?
}

extension OwnStanding: PGRow {
    init(from row: inout PGRowReader) throws {
        self.init(rank: try row.next(), value: try row.next(), next: try row.next())
    }
}

extension TenantTransaction {
    /// Ranks are "1224" competition ranks: ties share one, and are listed by who got
    /// there first, then by uid.
    func standings(on board: BoardRequest) async throws -> BoardPage {
        switch board.scope {
        case .global: try await globalStandings(on: board)
        case .friends, .company: try await circleStandings(on: board)
        }
    }
}

extension BoardRequest {
    /// Around oneself, so many come before.
    var half: Int { limit / 2 }

    /// The page from what lies above the place that it is asked for, and from that place on: of each
    /// one more than a page may show, where there are so many.
    func page(above: [StandingRow], below: [StandingRow]) -> (
        standings: [StandingRow], continues: (above: Bool, below: Bool)
    ) {
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
