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

    @Test(arguments: [-10, 10])
    func `a clock that is ten years off costs an export nothing, also after a clear`(_ years: Double)
        async throws
    {
        let clock = TestClock(Practice.noon)
        try await TestServer(clock: clock, keepsTokens: true).run { nobody in
            let (ada, _) = try await nobody.newcomer()
            func export(claiming totalXP: Int, _ sessions: [[String: Any]]) async throws -> Client.Answer {
                let shown = clock.now.addingTimeInterval(years * 365 * 86_400)
                let body = Practice.export(until: shown, sessions: sessions, totalXP: totalXP, streak: 10)
                let name = try #require(HTTPField.Name("X-Device-Clock"))
                return try await ada.send(
                    .put,
                    "/v1/sync/export",
                    body,
                    headers: [name: Practice.timestamp(shown)]
                )
            }
            func sessions(days: Int) -> [[String: Any]] {
                Practice.sessions(
                    until: clock.now.addingTimeInterval(years * 365 * 86_400),
                    days: days,
                    cycles: 40
                )
            }
            let first = try await export(claiming: 1350, sessions(days: 10))
            #expect(first.status == 200)
            #expect(first.state["totalSessions"] as? Int == 30)
            #expect(first.state["currentStreak"] as? Int == 10)
            clock.advance(by: 3600)
            let cleared = try await export(claiming: 0, [])
            #expect(cleared.state["epoch"] as? Int == 2, "\(cleared.json)")
            clock.advance(by: 86_400)
            let later = try await export(claiming: 45, Array(sessions(days: 1).suffix(1)))
            #expect(later.state["totalSessions"] as? Int == 1)
            #expect(later.state["totalXP"] as? Int == 45)
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

    @Test func `a sitting longer than a day is quarantined, whatever it claims`() async throws {
        let end = Date()
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            var sessions = Practice.sessions(until: end, days: 10, cycles: 40)
            sessions.append(
                Practice.session(
                    startedAt: Date(timeIntervalSince1970: 946_684_900),
                    cycles: 424_000_000,
                    minutes: 14_000_000
                )
            )
            let answer = try await client.send(
                .put,
                "/v1/sync/export",
                Practice.export(until: end, sessions: sessions, totalXP: 1350)
            )
            let last = try #require((answer.json["sessions"] as? [[String: Any]])?.last)
            #expect(last["reason"] as? String == "tooLong")
            #expect((answer.json["state"] as? [String: Any])?["totalXP"] as? Int == 1350)
        }
    }

    @Test func `a list longer than a life is refused before it costs anything`() async throws {
        let end = Date()
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            let body = try JSONSerialization.data(
                withJSONObject: Practice.export(until: end, sessions: [["list": "here"]], totalXP: 0)
            )
            let zeros = String(repeating: "0,", count: 10_000) + "0"
            let text = String(decoding: body, as: UTF8.self).replacing(#"{"list":"here"}"#, with: zeros)
            let answer = try await client.send(.put, "/v1/sync/export", text: Array(text.utf8))
            #expect(answer.status == 422)
            #expect(
                (answer.json["field"] as? String)?.hasPrefix("export.breathMaster.meditation.sessions")
                    == true
            )
        }
    }

    @Test func `what was cleared does not return though its device's clock is ahead`() async throws {
        let clock = TestClock()
        try await TestServer(clock: clock).run { nobody in
            let (client, _) = try await nobody.practitioner("Ada", at: clock.now)
            let ahead = Practice.session(startedAt: clock.now.addingTimeInterval(-520), cycles: 50)
            let desktop = Practice.export(device: "desktop", until: clock.now, sessions: [ahead], totalXP: 55)
            _ = try await client.send(.put, "/v1/sync/export", desktop)
            clock.advance(by: 10)
            _ = try await client.send(
                .put,
                "/v1/sync/export",
                Practice.export(until: clock.now, sessions: [], totalXP: 0)
            )
            clock.advance(by: 10)
            let again = Practice.export(device: "desktop", until: clock.now, sessions: [ahead], totalXP: 55)
            let answer = try await client.send(.put, "/v1/sync/export", again)
            #expect((answer.json["sessions"] as? [[String: Any]])?.first?["outcome"] as? String == "rejected")
            #expect((answer.json["state"] as? [String: Any])?["totalXP"] as? Int == 0)
        }
    }

    @Test func `the export that passes the gate brings its challenges along`() async throws {
        let end = Date()
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            let export = Practice.export(until: end, challenges: [Practice.challenge(on: end)])
            for _ in 1...2 {
                let answer = try await client.send(.put, "/v1/sync/export", export)
                let state = try #require(answer.json["state"] as? [String: Any])
                #expect((state["challengeHistory"] as? [[String: Any]])?.count == 1)
            }
        }
    }
}
