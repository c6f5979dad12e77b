import Domain
import Foundation
import PGClient
import Testing

@testable import API

/// A rank as it was written, whether it is shown or not.
struct WrittenPlace: PGRow {
    let uid: String
    let position, rank: Int
    let value: Double

    init(from row: inout PGRowReader) throws {
        uid = try row.next()
        position = try row.next()
        rank = try row.next()
        value = try row.next()
    }
}

struct WrittenSeal: PGRow {
    let people: Int
    let salt: [UInt8]

    init(from row: inout PGRowReader) throws {
        people = try row.next()
        salt = try row.next()
    }
}

extension TestServer {
    /// Noon of the last day of a week, and its season.
    static func lastSunday(of week: String) throws -> (clock: TestClock, season: Season) {
        let season = Season(try #require(Week(week)))
        return (TestClock(season.endsAt.date.addingTimeInterval(-30 * 3600)), season)
    }

    /// A season whose time is over, of which no rank is written yet.
    func close(_ season: Season) async throws {
        _ = try await server.pool.transaction { tx in
            try await tx.query(
                "select app.close_seasons(\([season.week.description]), \(season.finalAt.date))",
                as: String.self
            )
        }
    }

    /// Whether there is more to do.
    func writeRank(of season: Season) async throws -> Bool {
        try await server.pool.transaction { tx in
            try await tx.queryOne(
                "select app.finalise_season(\(season.week.description), 1, \(season.finalAt.date))",
                as: Bool.self
            )
        }
    }

    /// In the order in which they were written.
    func places(
        on scope: String,
        _ metric: String,
        in season: Season
    ) async throws -> [WrittenPlace] {
        try await asSuperuser { tx in
            try await tx.query(
                """
                select uid::text, "position", rank, value::float8 from app.\(identifier: scope + "_season_rank")
                where period = \(season.week.description) and metric = \(metric)
                order by "position"
                """,
                as: WrittenPlace.self
            )
        }
    }

    func seal(
        of scope: String,
        _ metric: String,
        in season: Season
    ) async throws -> WrittenSeal {
        try await asSuperuser { tx in
            try await tx.queryOne(
                """
                select people, salt from app.\(identifier: scope + "_season")
                where period = \(season.week.description) and metric = \(metric)
                """,
                as: WrittenSeal.self
            )
        }
    }
}
