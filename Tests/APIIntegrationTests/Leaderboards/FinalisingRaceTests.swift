import Crypto
import Domain
import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

/// Who comes and who goes while ranks become history. One rank is written at a time, and everybody who changes their
/// mind does so in the moment in which one is.
struct FinalisingRaceTests {
    private enum Part: CaseIterable {
        case stays, optsOut, comes, leaves
        /// On the board, and off it, each time another rank is written.
        case wavers
    }

    private struct Person {
        let client: Client
        let uid: String
        let part: Part
        /// With which rank they change their mind.
        let round: Int

        func isOn(after rounds: Int) -> Bool {
            switch part {
            case .stays: true
            case .optsOut, .leaves: rounds < round
            case .comes: rounds >= round
            case .wavers: rounds.isMultiple(of: 2)
            }
        }
    }

    /// Noon of a Sunday.
    private static func stage(_ week: String) throws -> (clock: TestClock, season: Season) {
        let season = Season(try #require(Week(week)))
        return (TestClock(season.endsAt.date.addingTimeInterval(-30 * 3600)), season)
    }

    /// - Returns: how many rounds it took.
    private static func finalise(
        _ season: Season,
        on server: TestServer,
        among people: [Person],
        change: @escaping @Sendable (Person, _ isOn: Bool) async throws -> Void
    ) async throws -> Int {
        var rounds = 0
        var isUnfinished = true
        while isUnfinished {
            rounds += 1
            let round = rounds
            let due = people.filter { $0.isOn(after: round) != $0.isOn(after: round - 1) }
            async let step = server.writeRank(of: season)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for person in due {
                    group.addTask { try await change(person, person.isOn(after: round)) }
                }
                try await group.waitForAll()
            }
            isUnfinished = try await step
        }
        return rounds
    }

    @Test func `who stays has one place on a board that becomes history, and who goes is seen nowhere`()
        async throws
    {
        let (clock, season) = try Self.stage("2085-W20")
        let server = try await TestServer(clock: clock, keepsTokens: true, isAlone: true)
        try await server.run { nobody in
            let parts = [Part.stays, .optsOut, .comes, .wavers]
            var people: [Person] = []
            for number in 0..<12 {
                let part = parts[number % parts.count]
                let (client, uid) = try await nobody.practitioner(
                    "P\(number)",
                    at: clock.now,
                    // Two of each value, and of each part some above and some below.
                    cycles: 60 - 4 * (number / 2),
                    on: part == .comes ? [] : ["global"]
                )
                people.append(
                    Person(client: client, uid: uid, part: part, round: 2 + number / parts.count * 5)
                )
            }
            clock.advance(by: season.finalAt.date.timeIntervalSince(clock.now))
            try await server.close(season)
            let rounds = try await Self.finalise(season, on: server, among: people) { person, isOn in
                try await person.client.change(["leaderboards": ["global": ["enabled": isOn]]])
            }

            for (name, metric) in [("weeklyXP", "weekly_xp"), ("weeklyStreak", "weekly_streak")] {
                let seal = try await server.seal(of: "global", metric, in: season)
                let places = try await server.places(on: "global", metric, in: season)
                let values = places.map(\.value)
                #expect(places.map(\.position) == places.indices.map { $0 + 1 })
                #expect(places.map(\.rank) == values.map { value in 1 + values.count { $0 > value } })
                #expect(seal.people == places.count)

                let path = "seasons/\(season.week)?metric=\(name)&limit=100"
                let page = try await Self.expect(places, at: "global/\(path)", by: people, after: rounds)
                #expect(page["total"] as? Int == seal.people)
                let digest = places.reduce(Data()) { digest, place in
                    let line = "\(place.rank),\(place.uid),\(Int(place.value));"
                    return Data(SHA256.hash(data: digest + Data(line.utf8)))
                }
                let published = SHA256.hash(data: Data(seal.salt) + digest)
                #expect(
                    page["digest"] as? String == published.map { String(format: "%02x", $0) }.joined()
                )
                let board = "global?period=\(season.week)&metric=\(name)&limit=100"
                _ = try await Self.expect(places, at: board, by: people, after: rounds)
            }
            #expect(try await server.boardDifferences() == [])
        }
    }

    @Test func `who stays has one place in a company's history, whoever joins, leaves or opts out meanwhile`()
        async throws
    {
        let (clock, season) = try Self.stage("2086-W20")
        let server = try await TestServer(clock: clock, keepsTokens: true, isAlone: true)
        try await server.run { nobody in
            let parts = Part.allCases
            var people: [Person] = []
            for number in 0..<15 {
                let (client, uid) = try await nobody.practitioner("P\(number)", at: clock.now)
                // Two of each value, as minutes have it.
                var phone = BatchDevice("phone", of: client)
                let friday = clock.now.addingTimeInterval(-2 * 86_400)
                try await phone.sync(
                    (0..<number / 2).map { sitting in
                        Practice.session(
                            startedAt: friday.addingTimeInterval(Double(1 + sitting) * 1200),
                            cycles: 20
                        )
                    }
                )
                people.append(
                    Person(
                        client: client,
                        uid: uid,
                        part: parts[number % parts.count],
                        round: 2 + number / parts.count * 5
                    )
                )
            }
            let acme = try await server.company("Acme", owner: people[0].uid)
            for person in people.dropFirst() {
                try await server.recordEmail(of: person.uid, "\(person.uid)@\(acme.domain)")
                guard person.part != .comes else { continue }
                try #require(try await person.client.join(acme.id).status == 200)
            }
            clock.advance(by: season.finalAt.date.timeIntervalSince(clock.now))
            try await server.close(season)
            let rounds = try await Self.finalise(season, on: server, among: people) { person, isOn in
                switch person.part {
                case .comes:
                    try #require(try await person.client.join(acme.id).status == 200)
                case .leaves:
                    let path = "/v1/organizations/\(acme.id)/membership"
                    try #require(try await person.client.send(.delete, path).status == 204)
                case .stays, .optsOut, .wavers:
                    try await person.client.change(["leaderboards": ["company": ["enabled": isOn]]])
                }
            }

            let metrics = [
                ("weeklyMinutes", "weekly_minutes"), ("weeklyConsistency", "weekly_consistency"),
            ]
            for (name, metric) in metrics {
                let seal = try await server.seal(of: "company", metric, in: season)
                let places = try await server.places(on: "company", metric, in: season)
                // Of those who left, the places are empty.
                for (place, next) in zip(places, places.dropFirst()) {
                    #expect(place.position < next.position && place.value >= next.value)
                    #expect((place.value == next.value) == (place.rank == next.rank))
                }
                for place in places {
                    let above = places.count { $0.value > place.value }
                    #expect(1 + above <= place.rank && place.rank <= place.position)
                }
                #expect((places.last?.position ?? 0) <= seal.people && seal.people <= people.count)

                let query = "organization=\(acme.id)&metric=\(name)&limit=100"
                let path = "company/seasons/\(season.week)?\(query)"
                let page = try await Self.expect(places, at: path, by: people, after: rounds)
                #expect(page["total"] as? Int == seal.people)
                let board = "company?period=\(season.week)&\(query)"
                _ = try await Self.expect(places, at: board, by: people, after: rounds)
            }
            #expect(try await server.boardDifferences() == [])
        }
    }

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
        let (clock, season) = try Self.stage("2089-W20")
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
        let (clock, season) = try stage(week)
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

    /// Everybody who never went has a place, and whoever is on the board now is seen there, if they have one.
    ///
    /// - Returns: the page as the first of the people sees it.
    private static func expect(
        _ places: [WrittenPlace],
        at path: String,
        by people: [Person],
        after rounds: Int
    ) async throws -> [String: Any] {
        let placed = places.map(\.uid)
        #expect(Set(placed).count == placed.count, "\(path)")
        for person in people where person.part == .stays { #expect(placed.contains(person.uid), "\(path)") }

        let page = try await people[0].client.send(.get, "/v1/leaderboards/\(path)").json
        #expect((page["season"] as? [String: Any])?["state"] as? String == "final", "\(path)")
        let entries = try #require(page["entries"] as? [[String: Any]], "\(page)")
        let isOn = Set(people.filter { $0.isOn(after: rounds) }.map(\.uid))
        #expect(
            entries.map { "\($0["rank"] ?? "") \($0["uid"] ?? "")" }
                == places.filter { isOn.contains($0.uid) }.map { "\($0.rank) \($0.uid)" },
            "\(path)"
        )
        let text = "\(page)"
        for person in people where !isOn.contains(person.uid) {
            #expect(!text.contains(person.uid), "\(path)")
            #expect(try await person.client.send(.get, "/v1/leaderboards/\(path)").json["me"] == nil)
        }
        return page
    }
}

/// A rank as it was written, whether it is shown or not.
private struct WrittenPlace: PGRow {
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

private struct WrittenSeal: PGRow {
    let people: Int
    let salt: [UInt8]

    init(from row: inout PGRowReader) throws {
        people = try row.next()
        salt = try row.next()
    }
}

extension TestServer {
    /// A season whose time is over, of which no rank is written yet.
    fileprivate func close(_ season: Season) async throws {
        _ = try await server.pool.transaction { tx in
            try await tx.query(
                "select app.close_seasons(\([season.week.description]), \(season.finalAt.date))",
                as: String.self
            )
        }
    }

    /// Whether there is more to do.
    fileprivate func writeRank(of season: Season) async throws -> Bool {
        try await server.pool.transaction { tx in
            try await tx.queryOne(
                "select app.finalise_season(\(season.week.description), 1, \(season.finalAt.date))",
                as: Bool.self
            )
        }
    }

    /// In the order in which they were written.
    fileprivate func places(
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

    fileprivate func seal(
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
