import Domain
import Foundation
import Logging
import PGClient

/// Closes the seasons whose time is over and writes their ranks to history, in steps, so
/// that one that is cut off is gone on with. Servers that do so at once take turns.
struct SeasonFinalising: Sendable {
    /// So many ranks that a step takes no longer than a request may.
    private static let most = 1_000
    private static let mostWeeks = 10

    let pool: PGPool
    let now: @Sendable () -> Date
    let logger: Logger

    /// Those whose time is over.
    func finalise() async throws {
        try await finalise(Season.over(at: Instant(now())))
    }

    func finalise(_ seasons: [Season], most: Int = most) async throws {
        for week in try await close(seasons) {
            try await unhurried { try await finaliseSome(of: week, most: most) }
            logger.info("season finalised", metadata: ["week": "\(week)"])
        }
    }

    /// Those that are still to be finalised. A few at a time: syncs wait while weeks are
    /// closed, and the first time there are all the weeks of years.
    private func close(_ seasons: [Season]) async throws -> [String] {
        let given = seasons.map(\.week.description)
        let weeks = try await pool.transaction(.readOnly) { tx in
            try await tx.query(
                "select week, closed from app.unfinished_seasons(\(given))",
                as: (String, Bool).self
            )
        }
        var unfinished = weeks.filter(\.1).map(\.0)
        let open = weeks.filter { !$0.1 }.map(\.0)
        for first in stride(from: 0, to: open.count, by: Self.mostWeeks) {
            let some = Array(open[first..<min(first + Self.mostWeeks, open.count)])
            unfinished += try await pool.transaction { tx in
                try await tx.query("select app.close_seasons(\(some), \(Instant(now())))", as: String.self)
            }
        }
        return unfinished
    }

    /// Whether there is more to do.
    private func finaliseSome(of week: String, most: Int) async throws -> Bool {
        try await pool.transaction { tx in
            try await tx.queryOne(
                "select app.finalise_season(\(week), \(Int32(most)), \(Instant(now())))",
                as: Bool.self
            )
        }
    }
}
