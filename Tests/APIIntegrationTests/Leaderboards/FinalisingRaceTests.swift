import Crypto
import Domain
import Foundation
import HTTPTypes
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
        let (clock, season) = try TestServer.lastSunday(of: "2085-W20")
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
        let (clock, season) = try TestServer.lastSunday(of: "2086-W20")
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
