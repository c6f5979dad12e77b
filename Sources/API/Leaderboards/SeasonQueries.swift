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

    init(_ season: Season, at now: Instant, finalisedAt: Instant?) {
        self.season = season
        state = season.state(at: now, isFinalised: finalisedAt != nil)
        self.finalisedAt = finalisedAt
    }
}

/// A board of a season as it was when it became final.
struct BoardSeal: PGRow {
    let people: Int32
    /// Of the digest of the ranks and a salt, which stay in the database: nobody can try who was ranked.
    let digest: [UInt8]

    init(from row: inout PGRowReader) throws {
        people = try row.next()
        digest = try row.next()
    }
}

/// Somebody's value that moved after the week had ended.
struct LateChange: Encodable, PGRow {
    let uid: String?
    let displayName: String?
    let isMe: Bool
    /// What it was when the week had ended, and what it is now.
    let before, value: Double

    init(from row: inout PGRowReader) throws {
        uid = (try row.next() as UUID?)?.text
        displayName = try row.next()
        isMe = try row.next()
        before = try row.next()
        value = try row.next()
    }
}

private struct RankedRow: PGRow {
    let near: NearRow

    init(from row: inout PGRowReader) throws {
        let (isAbove, rank) = (try row.next() as Bool, try row.next() as Int)
        near = NearRow(isAbove: isAbove, standing: try StandingRow(from: &row, rank: rank))
    }
}

private struct SealRow: PGRow {
    let people: Int32
    let isHidden: Bool

    init(from row: inout PGRowReader) throws {
        people = try row.next()
        isHidden = try row.next()
    }
}

extension TenantTransaction {
    /// Nil for all time, which is no season.
    func season(of period: Period, at now: Instant) async throws -> SeasonStatus? {
        guard case .week(let week) = period else { return nil }
        let season = Season(week)
        // None is closed before, so this is spared those who read the running week.
        guard season.finalAt <= now else { return SeasonStatus(season, at: now, finalisedAt: nil) }
        let finalisedAt = try await query(
            """
            select finalised_at from board.season
            where period = \(week.description) and finalised_at is not null
            """,
            as: (Instant).self
        ).first
        return SeasonStatus(season, at: now, finalisedAt: finalisedAt)
    }

    /// From history where there is one. Friends have none: each viewer's board is their own, of standings that
    /// don't change any more.
    func standings(on board: BoardRequest, in season: SeasonStatus?) async throws -> BoardPage {
        let isHistory = season?.finalisedAt != nil
        let page = try await isHistory ? finalStandings(on: board) : standings(on: board)
        // Who is not on the board sees its top.
        guard case .me = board.anchor, page.mine == nil, !page.isHidden else { return page }
        return try await standings(on: board.fromTop, in: season)
    }

    /// How many were ranked, and the digest of their ranks; nil for a board that isn't history.
    func seal(of board: BoardRequest, in season: SeasonStatus?) async throws -> BoardSeal? {
        guard season?.finalisedAt != nil, let history = board.history else { return nil }
        return try await queryFirst(
            "select people, digest from \(history.season) where \(history.isOfBoard)",
            as: BoardSeal.self
        )
    }

    /// Whose values practice moved that came in after the week had ended: the 50 largest. None while it runs. Of what is
    /// history, those who have a place there: who comes to the board later was no part of it.
    func lateChanges(of board: BoardRequest, in season: SeasonStatus?) async throws -> [LateChange] {
        guard season?.state != .open, board.metric != .teamChallengeParticipation else { return [] }
        let before: SQL = "\(identifier: board.metric.column + "_before")"
        let value: SQL = "\(identifier: board.metric.column)"
        let owned: SQL = board.organizationID.map { "organization_id = \($0) and " } ?? ""
        let history = season?.finalisedAt == nil ? nil : board.history
        // In their order first, so that no more of them are looked for in history than there is room for.
        return try await query(
            """
            select uid, display_name, is_mine, before::float8, value::float8
            from (
                select uid, display_name, is_mine, entry_id, \(before) as before, \(value) as value,
                  \(identifier: board.metric.column + "_at") as achieved_at
                from board.\(identifier: board.scope.rawValue)
                where \(owned)period = \(board.period.description) and \(before) is not null and \(before) <> \(value)
                order by \(value) desc, entry_id
                offset 0
              ) as late
            where \(history?.hasPlaceOfLate ?? "true")
            order by late.value desc, late.entry_id
            limit 50
            """,
            as: LateChange.self
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
            select period, s.finalised_at
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
            as: (String, Instant?).self
        ).compactMap { week, finalisedAt in
            Week(week).map { SeasonStatus(Season($0), at: now, finalisedAt: finalisedAt) }
        }
    }

    /// By ranks that stay as they are: who has gone leaves a gap. A team's are its own, among those of its members
    /// whom the viewer sees.
    private func finalStandings(on board: BoardRequest) async throws -> BoardPage {
        guard let history = board.history else { return try await standings(on: board) }
        if board.teamID != nil { return try await companyStandings(on: board, isFinal: true) }
        let (rows, own, seals) = try await query(
            PGQuery<RankedRow>(
                """
                select is_above, rank, \(StandingRow.columns)
                from (\(history.rows.near(board))) as near
                """
            ),
            PGQuery<OwnStanding>(
                """
                select rank, value::float8, (
                    select r.value::float8 from \(history.rows.view) r
                    where \(history.isOfBoard) and r.value > mine.value
                    order by r.value limit 1
                  ), display_name
                from (
                  select rank, value, display_name from \(history.rows.view) where \(history.isOfBoard) and is_mine
                ) as mine
                """
            ),
            PGQuery<SealRow>(
                """
                select coalesce((select people from \(history.season) where \(history.isOfBoard)), 0),
                  \(board.isHidden(from: principal))
                """
            )
        )
        let page = board.page(rows.map(\.near))
        return BoardPage(
            standings: page.standings,
            continues: page.continues,
            mine: own.first,
            total: seals.first.map { Int($0.people) } ?? 0,
            isHidden: seals.first?.isHidden ?? false
        )
    }
}

/// Where the history of a board is.
private struct History {
    let season, isOfBoard: SQL
    let rows: BoardRows

    init(season: SQL, ranks: SQL, isOfBoard: SQL, isWhole: Bool) {
        self.season = season
        self.isOfBoard = isOfBoard
        rows = BoardRows(
            view: ranks,
            value: "value",
            reachedAt: "achieved_at",
            isRanked: isOfBoard,
            others: ", rank",
            isWhole: isWhole
        )
    }

    /// Whether a row `late` of the scope's view, of a week that doesn't move any more, is here too. Found by its place,
    /// which is that of an index.
    var hasPlaceOfLate: SQL {
        """
        (
          select true from \(rows.view) place
          where \(isOfBoard) and place.value = late.value and place.achieved_at = late.achieved_at
            and place.entry_id = late.entry_id
          limit 1
        )
        """
    }
}

extension BoardRequest {
    /// Nil for friends, who have none.
    fileprivate var history: History? {
        let isOfBoard: SQL = "period = \(period.description) and metric = \(metric.column)"
        return switch scope {
        case .global:
            History(
                season: "board.global_season",
                ranks: "board.global_season_rank",
                isOfBoard: isOfBoard,
                isWhole: true
            )
        case .company:
            History(
                season: "board.company_season",
                ranks: "board.company_season_rank",
                isOfBoard: "organization_id = \(organizationID) and \(isOfBoard)",
                isWhole: false
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
