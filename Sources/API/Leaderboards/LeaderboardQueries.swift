import Domain
import Foundation
import PGClient
import Tenancy

/// Some standings in a row, the viewer's own, and how many there are: all of
/// one snapshot.
///
/// On the global board more are counted than the viewer can see: those whom a
/// block hides have their ranks still.
struct BoardPage: Sendable {
    let standings: [StandingRow]
    let mine: StandingRow?
    let total, visible: Int
}

struct StandingRow: PGRow {
    let rank, position: Int
    let uid: UUID
    let displayName, avatarURL: String?
    let value: Double
    let achievedAt: Instant
    /// On the friends board, of those who share details.
    let favoritePatterns: [String]?
    let isOnPage: Bool

    init(from row: inout PGRowReader) throws {
        rank = try row.next()
        position = try row.next()
        uid = try row.next()
        displayName = try row.next()
        avatarURL = try row.next()
        value = try row.next()
        achievedAt = try row.next()
        favoritePatterns = try row.next()
        isOnPage = try row.next()
    }
}

extension TenantTransaction {
    /// Ranks are "1224" competition ranks: ties share one, and are listed by who
    /// got there first, then by uid. Someone whom a block hides has a rank and no
    /// uid; a position counts those who can be seen.
    func standings(on board: BoardRequest) async throws -> BoardPage {
        let source = board.source(for: principal)
        async let rows = query(
            """
            with standing as (
              select uid, display_name, avatar_url, value::float8 as value, achieved_at, favorite_patterns,
                rank() over (order by value desc) as rank,
                count(uid) over (order by value desc, achieved_at, uid rows unbounded preceding) as position
              from (\(source)) as board
              where value > 0
            ), page as (
              select \(board.anchor.offset(limit: board.limit, uid: principal.uid)) as "offset"
            )
            select rank, position, uid, display_name, avatar_url, value, achieved_at, favorite_patterns,
              position > "offset" and position <= "offset" + \(board.limit)
            from standing
              cross join page
            where uid = \(principal.uid)
              or (uid is not null and position > "offset" and position <= "offset" + \(board.limit))
            order by position
            """,
            as: StandingRow.self
        )
        async let counts = queryOne(
            "select count(*), count(uid) from (\(source)) as board where value > 0",
            as: (Int, Int).self
        )
        let (found, (total, visible)) = try await (rows, counts)
        return BoardPage(
            standings: found.filter(\.isOnPage),
            mine: found.first { $0.uid == principal.uid },
            total: total,
            visible: visible
        )
    }
}

extension BoardRequest {
    /// The scope's view with the metric's column. What a view doesn't have, this
    /// can't ask for.
    fileprivate func source(for principal: Principal) -> SQL {
        let column = metric.column
        let period = period.description
        let columns: SQL =
            "uid, display_name, avatar_url, \(identifier: column) as value, \(identifier: column + "_at") as achieved_at"
        return switch scope {
        case .global:
            "select \(columns), null::text[] as favorite_patterns from board.global where period = \(period)"
        case .friends:
            "select \(columns), favorite_patterns from board.friends where period = \(period)"
        case .company:
            """
            select \(columns), null::text[] as favorite_patterns from board.company
            where organization_id = \(principal.organizationID) and period = \(period)
            """
        }
    }
}

extension Metric {
    fileprivate var column: String {
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

extension BoardRequest.Anchor {
    /// How many standings lie above the page. Around oneself, half of it does;
    /// who is not on the board sees its top.
    fileprivate func offset(limit: Int, uid: UUID) -> SQL {
        switch self {
        case .top:
            "0::bigint"
        case .after(let cursor):
            """
            (
              select count(uid) from standing
              where value > \(cursor.value)
                or (value = \(cursor.value) and (achieved_at, uid) <= (\(cursor.achievedAt), \(cursor.uid)))
            )
            """
        case .me:
            "greatest(0, coalesce((select position from standing where uid = \(uid)), 0) - 1 - \(limit / 2))"
        }
    }
}
