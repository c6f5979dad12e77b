import Foundation
import HTTPTypes
import Testing

/// One export at a time, and what may be wrong with it.
struct ExportTests {
    @Test func `a refused export stores nothing and says what is missing`() async throws {
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            let answer = try await client.send(
                .put,
                "/v1/sync/export",
                Practice.export(until: Date(), days: 2)
            )
            #expect(answer.status == 403)
            #expect(answer.json["code"] as? String == "not_eligible")
            let eligibility = try #require(answer.json["eligibility"] as? [String: Any])
            #expect(
                eligibility["requirements"] as? [String: Int]
                    == ["minLevel": 5, "minTotalSessions": 25, "minStreak": 3, "accountAge": 7]
            )
            #expect((eligibility["nextRequirement"] as? [String: Any])?["name"] as? String == "minLevel")
            #expect(try await client.send(.get, "/v1/me").json["totalDevices"] as? Int == 0)
            #expect(try await client.send(.get, "/v1/sync/state").json["totalXP"] as? Int == 0)
        }
    }

    @Test func `the gate stays passed when the streak is lost`() async throws {
        let clock = TestClock()
        try await TestServer(clock: clock).run { nobody in
            let (client, _) = try await nobody.practitioner("Ada", at: clock.now)
            clock.advance(by: 800)
            let later = Practice.export(until: clock.now.addingTimeInterval(-30 * 86_400), days: 1)
            #expect(try await client.send(.put, "/v1/sync/export", later).status == 200)
        }
    }

    @Test func `one bad session never blocks the others, and each has its outcome`() async throws {
        let end = Date()
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            var sessions = Practice.sessions(until: end, days: 10, cycles: 40)
            let good = sessions.count
            sessions += [
                ["id": "sess-1"],
                Practice.session(startedAt: end.addingTimeInterval(-86_400 * 20), cycles: 301),
                Practice.session(startedAt: end.addingTimeInterval(86_400), cycles: 10),
            ]
            let answer = try await client.send(
                .put,
                "/v1/sync/export",
                Practice.export(until: end, sessions: sessions, totalXP: 1350)
            )
            #expect(answer.status == 200)
            let outcomes = try #require(answer.json["sessions"] as? [[String: Any]])
            #expect(outcomes.prefix(good).allSatisfy { $0["outcome"] as? String == "accepted" })
            let told = outcomes.suffix(3).map {
                "\($0["outcome"] ?? "") \($0["reason"] ?? "") \($0["field"] ?? "")"
            }
            #expect(
                told == [
                    "rejected invalidField startedAt", "quarantined tooManyCycles ",
                    "quarantined inTheFuture ",
                ]
            )
        }
    }

    @Test func `a device's name in another Unicode form is the same device`() async throws {
        let end = Date()
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            for id in ["caf\u{E9}", "cafe\u{301}"] {
                let answer = try await client.send(
                    .put,
                    "/v1/sync/export",
                    Practice.export(device: id, until: end)
                )
                #expect(answer.status == 200)
            }
            #expect(try await client.send(.get, "/v1/me").json["totalDevices"] as? Int == 1)
        }
    }

    @Test func `a lifetime of practice still syncs`() async throws {
        let end = Date()
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            let export = Practice.export(until: end, totalMeditationTime: 5_000_000_000)
            #expect(try await client.send(.put, "/v1/sync/export", export).status == 200)
        }
    }
}
