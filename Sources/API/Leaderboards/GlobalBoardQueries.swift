import Domain
import Foundation
import PGClient
import Tenancy

private struct GlobalRow: PGRow {
    let near: NearRow

    init(from row: inout PGRowReader) throws {
        near = NearRow(
            isAbove: try row.next(),
            standing: try StandingRow(from: &row) { try StandingStats(from: &$0).orNone }
        )
    }
}

extension TenantTransaction {
    /// Everyone who opted in, which may be many: rows by the order of an index, and then ranks from counts of people
    /// by value. Counts are asked for by what the rows are found to be: as one statement, it would take longer to
    /// begin than two round trips do.
    func globalStandings(on board: BoardRequest) async throws -> BoardPage {
        let rows = board.globalRows
        let (own, near) = try await query(
            OwnPlace.query(of: rows, on: board, for: principal),
            PGQuery<GlobalRow>(
                """
                select is_above, \(StandingRow.columns), case when stats_shown then weekly_xp end,
                  case when stats_shown then weekly_streak end, total_sessions, total_xp, longest_streak
                from (\(rows.near(board))) as near
                  left join (
                    select uid as named_uid, total_sessions, total_xp, longest_streak from board.global_total
                  ) as total on named_uid = uid
                """
            )
        )
        guard let own = own.first, !own.isHidden else { return BoardPage(isHidden: true) }
        if case .me = board.anchor, own.value == nil { return BoardPage(isHidden: false) }
        let page = board.page(near.map(\.near))
        return BoardPage(page, own: own, counts: try await globalCounts(of: page, own: own.value, on: board))
    }

    private func globalCounts(
        of page: PageRows,
        own: Double?,
        on board: BoardRequest
    ) async throws -> BoardCounts {
        let own = own.map(CountedValue.init)
        let top = page.standings.first.map { CountedValue($0.value) }
        let bottom = page.standings.last.map { CountedValue($0.value) }
        let isOnPage: SQL = "level <> 1 and bucket between \(bottom?.value) and \(top?.value)"
        let next = page.knowsNext ? nil : own.map(board.smallestAbove)
        let (total, aboveOwn, aboveTop, values, people, smallestAbove) = try await queryOne(
            """
            select coalesce(sum(people) filter (where level > 0), 0)::bigint, \(CountedValue.peopleAbove(own)),
              \(CountedValue.peopleAbove(top)), array_agg(bucket::float8) filter (where \(isOnPage)),
              array_agg(people) filter (where \(isOnPage)),
              \(next ?? "null::float8")
            from board.global_count
            where \(board.isTallied) and (level > 0
              or level = 0 and bucket >= \(bottom?.value) and bucket < \(top?.endOfBucket)
              or level = 0 and bucket > \(own?.value) and bucket < \(own?.endOfBucket))
            """,
            as: (Int, Int, Int, [Double]?, [Int]?, Double?).self
        )
        return BoardCounts(
            total: total,
            aboveOwn: aboveOwn,
            next: smallestAbove,
            ranks: RankCounts(peopleAbove: aboveTop, values: values ?? [], people: people ?? [])
        )
    }
}

/// A value as it is counted: by itself, and in a bucket of 128.
private struct CountedValue {
    let value: Int32

    init(_ value: Double) {
        self.value = Int32(value)
    }

    var bucket: Int32 { value / 128 }
    var endOfBucket: Int32 { (bucket + 1) * 128 }

    /// How many people have more: of the buckets above it by their sums; of its own, and of what isn't summed up yet, by
    /// each value.
    static func peopleAbove(_ place: CountedValue?) -> SQL {
        guard let place else { return "0::bigint" }
        return """
            coalesce(sum(people) filter (where
              level = 1 and bucket > \(place.bucket)
              or level = 0 and bucket > \(place.value) and bucket < \(place.endOfBucket)
              or level = 2 and bucket > \(place.value)), 0)::bigint
            """
    }
}

extension BoardRequest {
    private var column: SQL { "\(identifier: metric.column)" }
    private var isRanked: SQL { "period = \(period.description) and \(column) > 0" }
    fileprivate var isTallied: SQL { "period = \(period.description) and metric = \(metric.column)" }

    fileprivate var globalRows: BoardRows {
        BoardRows(
            view: "board.global",
            value: column,
            reachedAt: "\(identifier: metric.column + "_at")",
            isRanked: isRanked,
            others: ", stats_shown, weekly_xp, weekly_streak",
            isWhole: true
        )
    }

    /// The smallest value above. It is named, or the order would be that of what is selected, which no index has.
    fileprivate func smallestAbove(_ own: CountedValue) -> SQL {
        """
        (
          select \(column)::float8 as next from board.global where \(isRanked) and \(column) > \(own.value)
          order by \(column) limit 1
        )
        """
    }
}
