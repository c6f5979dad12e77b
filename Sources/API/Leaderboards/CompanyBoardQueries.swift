import Domain
import Foundation
import PGClient
import Tenancy

private struct CompanyRow: PGRow {
    let near: NearRow

    init(from row: inout PGRowReader) throws {
        near = NearRow(
            isAbove: try row.next(),
            standing: try StandingRow(from: &row) { row in
                StandingStats(weeklyMinutes: try row.next(), weeklyConsistency: try row.next()).orNone
            }
        )
    }
}

extension TenantTransaction {
    /// Colleagues whom the viewer sees, and nobody else: rows in their order, which for minutes is that of an index,
    /// and ranks by counting those who have more.
    ///
    /// - Parameter isFinal: of those who are in the history of the week, whatever became of its standings.
    func companyStandings(on board: BoardRequest, isFinal: Bool = false) async throws -> BoardPage {
        guard let organizationID = principal.organizationID else { throw Problem.notFound }
        let team = try await teamUIDs(of: board)
        let isOfTeam: SQL = "(\(team)::uuid[] is null or uid = any (\(team)))"
        let rows =
            isFinal
            ? board.finalCompanyRows(of: organizationID, isOfTeam)
            : board.companyRows(of: organizationID, isOfTeam)
        let (own, near) = try await query(
            OwnPlace.query(of: rows, on: board, for: principal),
            PGQuery<CompanyRow>(
                """
                select is_above, \(StandingRow.columns), weekly_minutes, weekly_consistency
                from (\(rows.near(board))) as near
                """
            )
        )
        guard let own = own.first, !own.isHidden else { return BoardPage(isHidden: true) }
        if case .me = board.anchor, own.value == nil { return BoardPage(isHidden: false) }
        let page = board.page(near.map(\.near))
        let counts =
            page.isWholeBoard
            ? BoardCounts(ofWhole: page, own: own.value)
            : try await companyCounts(of: page, from: board.anchor, own: own.value, among: rows)
        return BoardPage(page, own: own, counts: counts)
    }

    /// Nobody is above a page of the top. Of another, only of its largest value may somebody be before it; of the rest,
    /// those on the page are all that there are above one of them.
    private func companyCounts(
        of page: PageRows,
        from anchor: BoardRequest.Anchor,
        own: Double?,
        among rows: BoardRows
    ) async throws -> BoardCounts {
        let largest = if case .top = anchor { nil as Double? } else { page.standings.first?.value }
        let (total, aboveOwn, next, above, withLargest) = try await queryOne(
            """
            select count(*), \(rows.count("> \(own)", where: own != nil)),
              \(rows.smallest("> \(own)", where: own != nil && !page.knowsNext)),
              \(rows.count("> \(largest)", where: largest != nil)), \(rows.count("= \(largest)", where: largest != nil))
            from \(rows.view)
            where \(rows.isRanked)
            """,
            as: (Int, Int, Double?, Int, Int).self
        )
        let others = page.standings.map(\.value).filter { $0 != largest }
        return BoardCounts(
            total: total,
            aboveOwn: aboveOwn,
            next: next,
            ranks: RankCounts(
                peopleAbove: above,
                values: [largest].compactMap(\.self) + others,
                people: (largest == nil ? [] : [withLargest]) + others.map { _ in 1 }
            )
        )
    }

    /// Nil for the whole company. Asked for by itself: a condition of a board that nobody is on would not be looked at.
    ///
    /// - Throws: `team_not_on_board` where it is too small to be a board, or there is none.
    private func teamUIDs(of board: BoardRequest) async throws -> [UUID]? {
        guard let team = board.teamID else { return nil }
        return try await queryOne(
            "select app.team_on_board(\(board.period.description), \(team))",
            as: [UUID].self
        )
    }
}

extension BoardRequest {
    fileprivate func companyRows(of organizationID: UUID, _ isOfTeam: SQL) -> BoardRows {
        let value: SQL = "\(identifier: metric.column)"
        return BoardRows(
            view: "board.company",
            value: value,
            reachedAt: "\(identifier: metric.column + "_at")",
            isRanked: """
                organization_id = \(organizationID) and period = \(period.description) and \(value) > 0
                  and \(isOfTeam)
                """,
            others: ", weekly_minutes, weekly_consistency",
            isWhole: metric != .weeklyConsistency
        )
    }

    /// In history nothing stands beside a value.
    fileprivate func finalCompanyRows(of organizationID: UUID, _ isOfTeam: SQL) -> BoardRows {
        BoardRows(
            view: "board.company_season_rank",
            value: "value",
            reachedAt: "achieved_at",
            isRanked: """
                organization_id = \(organizationID) and period = \(period.description) and metric = \(metric.column)
                  and \(isOfTeam)
                """,
            others: ", null::integer as weekly_minutes, null::float8 as weekly_consistency",
            isWhole: false
        )
    }
}

extension BoardRows {
    /// How many have a value of which that is true; none, where that isn't needed.
    fileprivate func count(_ condition: SQL, where isNeeded: Bool) -> SQL {
        isNeeded ? "count(*) filter (where \(value) \(condition))" : "0::bigint"
    }

    fileprivate func smallest(_ condition: SQL, where isNeeded: Bool) -> SQL {
        isNeeded ? "(min(\(value)) filter (where \(value) \(condition)))::float8" : "null::float8"
    }
}
