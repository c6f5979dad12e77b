import Domain
import Foundation
import PGClient
import Tenancy

/// Some standings in a row, the viewer's own, and how many there are: all of
/// one snapshot.
struct BoardPage: Sendable {
    let standings: [StandingRow]
    let mine: StandingRow?
    let total: Int
}

struct StandingRow: PGRow {
    let uid: UUID
    let displayName, avatarURL: String?
    let value: Double
    let achievedAt: Instant
    let favoritePatterns: [String]
    let rank, position, total: Int
    let isOnPage: Bool

    init(from row: inout PGRowReader) throws {
        uid = try row.next()
        displayName = try row.next()
        avatarURL = try row.next()
        value = try row.next()
        achievedAt = try row.next()
        favoritePatterns = try row.next()
        rank = try row.next()
        position = try row.next()
        total = try row.next()
        isOnPage = try row.next()
    }
}

extension TenantTransaction {
    /// Ranks are "1224" competition ranks: ties share one, and are listed by who
    /// got there first, then by uid.
    func standings(on board: BoardRequest) async throws -> BoardPage {
        let rows = try await query(
            """
            with standing as (
              select uid, display_name, avatar_url, value::float8 as value, achieved_at, favorite_patterns,
                rank() over (order by value desc) as rank,
                row_number() over (order by value desc, achieved_at, uid) as position,
                count(*) over () as total
              from (\(board.source(for: principal))) as board
              where value > 0
            ), page as (
              select standing.*, \(board.anchor.condition(limit: board.limit, uid: principal.uid)) as on_page
              from standing
            )
            select uid, display_name, avatar_url, value, achieved_at, favorite_patterns, rank, position, total,
              coalesce(on_page, false)
            from page
            where on_page or uid = \(principal.uid)
            order by position
            """,
            as: StandingRow.self
        )
        let onPage = Array(rows.filter(\.isOnPage).prefix(board.limit))
        return BoardPage(
            standings: onPage,
            mine: rows.first { $0.uid == principal.uid },
            total: rows.first?.total ?? 0
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
            "select \(columns), '{}'::text[] as favorite_patterns from board.global where period = \(period)"
        case .friends:
            "select \(columns), favorite_patterns from board.friends where period = \(period)"
        case .company:
            """
            select \(columns), '{}'::text[] as favorite_patterns from board.company
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
    /// Which standings are on the page. Around oneself, half of it lies above;
    /// who is not on the board sees its top.
    fileprivate func condition(limit: Int, uid: UUID) -> SQL {
        switch self {
        case .top:
            "position <= \(limit)"
        case .after(let cursor):
            """
            position > (
              select count(*) from standing s
              where s.value > \(cursor.value)
                or (s.value = \(cursor.value) and (s.achieved_at, s.uid) <= (\(cursor.achievedAt), \(cursor.uid)))
            ) and position <= \(limit) + (
              select count(*) from standing s
              where s.value > \(cursor.value)
                or (s.value = \(cursor.value) and (s.achieved_at, s.uid) <= (\(cursor.achievedAt), \(cursor.uid)))
            )
            """
        case .me:
            """
            position > greatest(0, coalesce((select s.position from standing s where s.uid = \(uid)), 0) - 1 - \(limit / 2))
              and position <= \(limit)
              + greatest(0, coalesce((select s.position from standing s where s.uid = \(uid)), 0) - 1 - \(limit / 2))
            """
        }
    }
}
