import Domain
import Foundation
import PGClient
import Tenancy

/// A season, and how far it is.
struct SeasonStatus: Sendable {
    let season: Season
    let state: Season.State
    /// When the last of its boards became history.
    let finalisedAt: Instant?

    init(_ season: Season, at now: Instant, closed: ClosedSeason?) {
        self.season = season
        state = season.state(at: now, isClosed: closed != nil)
        finalisedAt = closed?.finalisedAt
    }
}

struct ClosedSeason: Sendable {
    let finalisedAt: Instant?
}

extension ClosedSeason: PGRow {
    init(from row: inout PGRowReader) throws {
        finalisedAt = try row.next()
    }
}

/// A board of a season as it was when it became final.
struct BoardSeal: PGRow {
    let people: Int32
    let digest: [UInt8]

    init(from row: inout PGRowReader) throws {
        people = try row.next()
        digest = try row.next()
    }
}

private struct ListedSeason: PGRow {
    let week: String
    let isClosed: Bool
    let finalisedAt: Instant?

    init(from row: inout PGRowReader) throws {
        week = try row.next()
        isClosed = try row.next()
        finalisedAt = try row.next()
    }
}

private struct RankRow: PGRow {
    /// The place where the page begins, or which it ends above.
    let start: Int32
    let isAbove: Bool
    let standing: StandingRow

    init(from row: inout PGRowReader) throws {
        start = try row.next()
        isAbove = try row.next()
        standing = try StandingRow(from: &row)
    }
}

extension TenantTransaction {
    /// Nil for all time, which is no season.
    func season(of period: Period, at now: Instant) async throws -> SeasonStatus? {
        guard case .week(let week) = period else { return nil }
        let season = Season(week)
        // None is closed before, so this is spared those who read the running week.
        guard season.finalAt <= now else { return SeasonStatus(season, at: now, closed: nil) }
        let closed = try await queryFirst(
            "select finalised_at from board.season where period = \(week.description)",
            as: ClosedSeason.self
        )
        return SeasonStatus(season, at: now, closed: closed)
    }

    /// From history where there is one. Friends have none: each viewer's board is their
    /// own, of standings that don't change any more.
    func standings(on board: BoardRequest, in season: SeasonStatus?) async throws -> BoardPage {
        if board.scope != .friends, season?.finalisedAt != nil {
            try await finalStandings(on: board)
        } else {
            try await standings(on: board)
        }
    }

    /// How many were ranked, and the digest of their ranks; nil for a board that isn't history.
    func seal(of board: BoardRequest) async throws -> BoardSeal? {
        guard let history = board.history else { return nil }
        return try await queryFirst(
            "select people, digest from \(history.season) where \(history.isOfBoard)",
            as: BoardSeal.self
        )
    }

    /// The seasons of a board before `week`, the newest first: the latest ones, and those
    /// that anybody was in.
    func seasons(
        of list: SeasonListRequest,
        at now: Instant
    ) async throws -> [SeasonStatus] {
        let latest = Season.latest(5, at: now).map { $0.week.description }
        return try await query(
            """
            select period, s.period is not null, s.finalised_at
            from (
                select unnest(\(latest)) as period
                except
                select period from board.season where finalised_at is not null
                union
                \(list.history)
              ) as listed
              left join board.season s using (period)
            where \(list.before == nil) or period < \(list.before?.description)
            order by period desc
            limit \(list.limit + 1)
            """,
            as: ListedSeason.self
        ).compactMap { row in
            Week(row.week).map {
                SeasonStatus(
                    Season($0),
                    at: now,
                    closed: row.isClosed ? ClosedSeason(finalisedAt: row.finalisedAt) : nil
                )
            }
        }
    }

    /// What is near first: a view that asks who is still on the board doesn't keep to the
    /// order of the index, so each read sorts all the places that it may take from. Farther
    /// only where so many have gone that the page isn't full.
    private func finalStandings(on board: BoardRequest) async throws -> BoardPage {
        guard let history = board.history else { return try await standings(on: board) }
        for reach: Int32 in [1_000, 50_000] {
            let (page, isWhole) = try await finalStandings(on: board, of: history, within: reach)
            if isWhole { return page }
        }
        return try await finalStandings(on: board, of: history, within: 1 << 30).page
    }

    /// By places, which stay as they are: who has gone leaves a gap. Not whole where there
    /// may be more of the page beyond `reach`.
    private func finalStandings(
        on board: BoardRequest,
        of history: History,
        within reach: Int32
    ) async throws -> (page: BoardPage, isWhole: Bool) {
        let bounds = board.anchor.bounds(of: board)
        let (rows, own, seals) = try await query(
            PGQuery<RankRow>(
                """
                with page as (select \(history.start(of: board, for: principal.uid)) as start)
                select (select start from page), is_above, rank, uid, display_name, avatar_url, value::float8, achieved_at, null::text[]
                from (
                  (select true as is_above, * from \(history.ranks)
                    where \(history.isOfBoard) and "position" < (select start from page)
                      and "position" >= (select start from page) - \(reach)
                    order by "position" desc limit \(bounds.above))
                  union all
                  (select false, * from \(history.ranks)
                    where \(history.isOfBoard) and "position" >= (select start from page)
                      and "position" < (select start from page) + \(reach)
                    order by "position" limit \(bounds.below))
                ) as near
                order by "position"
                """
            ),
            PGQuery<OwnStanding>(
                """
                select rank, value::float8, (
                    select r.value::float8 from \(history.ranks) r
                    where \(history.isOfBoard) and "position" < mine.rank and "position" >= mine.rank - \(reach)
                    order by "position" desc limit 1
                  )
                from (select rank, value from \(history.ranks) where \(history.isOfBoard) and uid = \(principal.uid)) as mine
                """
            ),
            PGQuery<BoardSeal>("select people, digest from \(history.season) where \(history.isOfBoard)")
        )
        let people = seals.first?.people ?? 0
        let start = rows.first?.start ?? 1
        let isAboveWhole = rows.count { $0.isAbove } == bounds.above || start <= reach
        let isBelowWhole = rows.count { !$0.isAbove } == bounds.below || start + reach > people
        let isNextWhole = own.first.map { $0.next != nil || $0.rank <= Int(reach) } ?? true
        let page = board.page(
            above: rows.filter(\.isAbove).map(\.standing),
            below: rows.filter { !$0.isAbove }.map(\.standing)
        )
        return (
            BoardPage(
                standings: page.standings,
                continues: page.continues,
                mine: own.first,
                total: Int(people)
            ),
            reach > people || (isAboveWhole && isBelowWhole && isNextWhole)
        )
    }
}

extension BoardRequest.Anchor {
    /// How many rows to read on each side of where the page begins: one more than it may show.
    fileprivate func bounds(of board: BoardRequest) -> (above: Int, below: Int) {
        switch self {
        case .next(let cursor) where cursor.isBackward: (board.limit + 1, 0)
        case .top, .next: (0, board.limit + 1)
        case .me: (board.half + 1, board.limit + 1)
        }
    }
}

/// The views that have the history of a board.
private struct History {
    let season, ranks, isOfBoard: SQL

    /// The first place of the page, or the one that a page before it ends above.
    func start(of board: BoardRequest, for viewer: UUID) -> SQL {
        switch board.anchor {
        case .top: "1"
        case .me: "coalesce((\(place(of: viewer))), 1)"
        case .next(let cursor):
            """
            coalesce(
              (\(place(of: cursor.uid))) + \(Int32(cursor.isBackward ? 0 : 1)),
              (select max("position") + 1 from \(ranks) where \(isOfBoard)
                and (value > \(cursor.value)
                  or (value = \(cursor.value) and (achieved_at, uid) < (\(cursor.achievedAt), \(cursor.uid))))),
              1
            )
            """
        }
    }

    private func place(of uid: UUID) -> SQL {
        "select \"position\" from \(ranks) where \(isOfBoard) and uid = \(uid)"
    }
}

extension BoardRequest {
    /// Nil for friends, who have none.
    fileprivate var history: History? {
        let isOfBoard: SQL = "period = \(period.description) and metric = \(metric.column)"
        return switch scope {
        case .global:
            History(season: "board.global_season", ranks: "board.global_season_rank", isOfBoard: isOfBoard)
        case .company:
            History(
                season: "board.company_season",
                ranks: "board.company_season_rank",
                isOfBoard: "organization_id = \(organizationID) and \(isOfBoard)"
            )
        case .friends: nil
        }
    }
}

extension SeasonListRequest {
    /// The closed weeks in which anybody is or was on the board.
    fileprivate var history: SQL {
        switch scope {
        case .global: "select period from board.global_season where people > 0"
        case .company:
            "select period from board.company_season where organization_id = \(organizationID) and people > 0"
        case .friends: "select f.period from board.friends f join board.season s on s.period = f.period"
        }
    }
}
