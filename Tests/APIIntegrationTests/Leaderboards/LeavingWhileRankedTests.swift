import Domain
import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

/// Who leaves a company, or ends their account, in the moment in which their rank becomes history or just after.
struct LeavingWhileRankedTests {
    @Test(arguments: [(false, "2087-W20", "1 Ada, 2 Ben", 2), (true, "2088-W20", "1 Ada", 1)])
    func `who leaves while their rank is written has none, and the season is final`(
        isForGood: Bool,
        week: String,
        global: String,
        people: Int
    ) async throws {
        try await Self.withColleagues(in: week) { server, season, acme, ada, ben in
            let origin: SQL = "row(gen_random_uuid(), '', now())::app.origin"
            try await server.race(
                first: isForGood
                    ? "select app.delete_account(\(origin))"
                    : "select app.end_membership(\(acme), \(ben), \(origin))",
                then: "select app.finalise_season(\(week), 1000, \(season.finalAt.date))",
                as: ben
            )
            let boards = ["global/seasons/\(week)", "company/seasons/\(week)?organization=\(acme)"]
            for (path, expected) in zip(boards, [(global, people), ("1 Ada", 1)]) {
                #expect(try await ada.board(path) == expected.0)
                let page = try await ada.send(.get, "/v1/leaderboards/\(path)").json
                #expect((page["season"] as? [String: Any])?["state"] as? String == "final")
                #expect(page["total"] as? Int == expected.1)
            }
            #expect(try await server.boardDifferences() == [])
        }
    }

    @Test func `who leaves after their rank was written and comes back has no second place`() async throws {
        let (clock, season) = try TestServer.lastSunday(of: "2089-W20")
        let server = try await TestServer(clock: clock, keepsTokens: true, isAlone: true)
        try await server.run { nobody in
            let ada = try await nobody.practitioner("Ada", at: clock.now, cycles: 50)
            let acme = try await server.company("Acme", owner: ada.uid)
            var clients = [ada.uid: ada.client]
            for name in ["Ben", "Cleo", "Dan"] {
                clock.advance(by: 60)
                let (client, uid) = try await server.employee(name, of: acme, nobody, at: clock.now)
                clients[uid] = client
            }
            clock.advance(by: season.finalAt.date.timeIntervalSince(clock.now))
            try await server.close(season)
            // Whose rank is written next is then the last, whichever board it is of.
            let metrics = ["weekly_minutes", "weekly_consistency"]
            var returned: Set<String> = []
            while try await server.writeRank(of: season) {
                for metric in metrics {
                    let last = try await server.places(on: "company", metric, in: season).last?.uid
                    guard let last, last != ada.uid, returned.insert(last).inserted else { continue }
                    let client = try #require(clients[last])
                    let path = "/v1/organizations/\(acme.id)/membership"
                    try #require(try await client.send(.delete, path).status == 204)
                    try #require(try await client.join(acme.id).status == 200)
                }
            }
            #expect(returned.count == 3)
            for metric in metrics {
                #expect(try await server.seal(of: "company", metric, in: season).people <= 4)
                let places = try await server.places(on: "company", metric, in: season)
                #expect(places.allSatisfy { $0.position <= 4 && $0.rank <= $0.position })
            }
            #expect(try await server.boardDifferences() == [])
        }
    }

    @Test
    func `whose account ends while their ranks are written waits for those, and they don't wait for it`()
        async throws
    {
        try await Self.withColleagues(in: "2090-W20") { server, season, acme, ada, ben in
            let finalise: SQL = "select app.finalise_season('2090-W20', 1000, \(season.finalAt.date))"
            try await server.race(
                first: "select from app.user where uid = \(ben) for update",
                // The company's ranks are written, and those of the whole world want the account.
                then: finalise,
                last: "select app.delete_account(row(gen_random_uuid(), '', now())::app.origin)",
                as: ben
            )
            _ = try await server.server.pool.transaction { try await $0.query(finalise, as: Bool.self) }
            let boards = ["global/seasons/2090-W20", "company/seasons/2090-W20?organization=\(acme)"]
            for path in boards { #expect(try await ada.board(path) == "1 Ada") }
            #expect(try await server.boardDifferences() == [])
        }
    }

    /// Ada and Ben, who both practised in a week that is closed, and who work for Acme.
    private static func withColleagues(
        in week: String,
        _ body: @Sendable (TestServer, Season, _ acme: UUID, _ ada: Client, _ ben: UUID) async throws -> Void
    ) async throws {
        let (clock, season) = try TestServer.lastSunday(of: week)
        let server = try await TestServer(clock: clock, keepsTokens: true, isAlone: true)
        try await server.run { nobody in
            let ada = try await nobody.practitioner("Ada", at: clock.now, cycles: 50)
            let acme = try await server.company("Acme", owner: ada.uid)
            let ben = try await server.employee("Ben", of: acme, nobody, at: clock.now)
            clock.advance(by: season.finalAt.date.timeIntervalSince(clock.now))
            try await server.close(season)
            let (company, uid) = (UUID(uuidString: acme.id), UUID(uuidString: ben.uid))
            try await body(server, season, try #require(company), ada.client, try #require(uid))
        }
    }
}
