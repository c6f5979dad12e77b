import Foundation
import HTTPTypes
import Testing

/// What a device is told: the state, others' sessions, and when to come again.
struct SyncAnswerTests {
    private let end = Practice.noon

    private func session(_ minutesAgo: Double, cycles: Int = 50) -> [String: Any] {
        Practice.session(startedAt: end.addingTimeInterval(-minutesAgo * 60), cycles: cycles)
    }

    @Test func `an answer has the whole state, also what the batch doesn't touch`() async throws {
        try await TestServer(clock: TestClock(Practice.noon)).run { nobody in
            var (laptop, _) = try await nobody.veteran(until: end)
            let written: [String: Any] = [
                "customPresets": ["value": [["id": "calm", "pattern": "4-7-8"]]],
                "unlockedPatterns": ["value": ["boxing", "chill"]],
                "preferredPatterns": ["value": ["morning": "chill"]],
            ]
            try await laptop.sync(state: written)
            let answer = try await laptop.sync([session(200)])
            let state = try await laptop.client.send(.get, "/v1/sync/state").json
            #expect(state["unlockedPatterns"] as? [String] == ["boxing", "chill"])
            #expect(NSDictionary(dictionary: answer.state) == NSDictionary(dictionary: state))
        }
    }

    @Test func `the state has the challenges of the last 30 days, however it is asked for`() async throws {
        try await TestServer(clock: TestClock(Practice.noon)).run { nobody in
            var (laptop, _) = try await nobody.veteran(until: end)
            let claims = [0, 29, 40].map { daysAgo in
                Practice.challenge(on: end.addingTimeInterval(-Double(daysAgo) * 86_400))
            }
            let answer = try await laptop.sync(claims: claims)
            #expect((answer.state["challengeHistory"] as? [Any])?.count == 2)
            let state = try await laptop.client.send(.get, "/v1/sync/state").json
            #expect(NSDictionary(dictionary: state) == NSDictionary(dictionary: answer.state))
            // What isn't shown is known all the same.
            let again = try await laptop.sync(claims: claims)
            #expect(again.outcomes == (0..<3).map { "challengeClaims \($0) duplicate" })
        }
    }

    @Test func `an answer says when to come again and with what, as often as the person wants`() async throws
    {
        try await TestServer(clock: TestClock(Practice.noon)).run { nobody in
            var (laptop, _) = try await nobody.veteran(until: end)
            func next() async throws -> (at: String?, fields: Set<String>) {
                let next = try await laptop.sync().json["next"] as? [String: Any]
                return (next?["at"] as? String, Set(next?["fields"] as? [String] ?? []))
            }
            let often = try await next()
            #expect(often.at == Practice.timestamp(end.addingTimeInterval(3600)))
            #expect(often.fields.contains("customPresets"))
            #expect(
                often.fields.isDisjoint(with: ["totalXP", "preferredPatterns", "syncVersion", "debugLogs"])
            )

            let daily = try await laptop.client.send(.patch, "/v1/me", ["preferredSyncFrequency": "daily"])
            #expect(daily.status == 200)
            let seldom = try await next()
            #expect(seldom.at == Practice.timestamp(end.addingTimeInterval(86_400)))
            #expect(seldom.fields.isSuperset(of: ["totalXP", "customPresets", "preferredPatterns"]))
        }
    }

    @Test func `a device is handed others' sessions since what it has, and told where more are`() async throws
    {
        try await TestServer(clock: TestClock(Practice.noon)).run { nobody in
            var (laptop, _) = try await nobody.veteran(until: end)
            var desktop = BatchDevice("desktop", of: laptop.client)
            func others(since: Int) async throws -> (sessions: Int, hasMore: Bool?) {
                var body = desktop.body()
                body["since"] = since
                let answer = try await desktop.client.send(.post, "/v1/sync", body)
                let next = answer.json["next"] as? [String: Any]
                return ((answer.json["sessions"] as? [Any])?.count ?? -1, next?["moreSessions"] as? Bool)
            }
            let known = laptop.baseVersion
            try await desktop.sync()
            #expect(try await others(since: known) == (0, false))
            try await laptop.sync([session(200)])
            #expect(try await others(since: known) == (1, false))
            #expect(try await others(since: 0).hasMore == false)
            // More than an answer takes.
            let start = end.addingTimeInterval(-9 * 86_400 + 150)
            for part in 0..<2 {
                let many = (0..<250).map {
                    Practice.session(
                        startedAt: start.addingTimeInterval(Double(part * 250 + $0) * 300),
                        cycles: 1
                    )
                }
                try await laptop.sync(many)
            }
            #expect(try await others(since: 0) == (500, true))
            let rest = try await desktop.client.send(.get, "/v1/sync/sessions?since=\(known)&limit=500").json
            #expect((rest["sessions"] as? [Any])?.count == 500)
            #expect(rest["nextCursor"] is String)
        }
    }

    @Test
    func `a state that has not changed is told so, and a write on an older one is refused with the newer`()
        async throws
    {
        let server = try await TestServer(clock: TestClock(Practice.noon))
        try await server.run { nobody in
            var (laptop, _) = try await nobody.veteran(until: end)
            let first = try await laptop.client.send(.get, "/v1/sync/state")
            let tag = try #require(first.entityTag)
            let same = try await laptop.client.send(.get, "/v1/sync/state", headers: [.ifNoneMatch: tag])
            #expect(same.status == 304)
            try await laptop.sync([session(30)])
            let changed = try await laptop.client.send(.get, "/v1/sync/state", headers: [.ifNoneMatch: tag])
            #expect(changed.status == 200)
            let refused = try await laptop.client.send(
                .post,
                "/v1/sync",
                laptop.body([session(10)]),
                headers: [.ifMatch: tag]
            )
            #expect(refused.status == 412)
            #expect(refused.state["totalXP"] as? Int == 1350 + 55)
            let export = Practice.export(until: end)
            let cleared: [String: Any] = [
                "device": ["id": "laptop", "name": "laptop", "timeZone": "UTC"], "epoch": 1,
            ]
            for (method, path, body) in [
                (HTTPRequest.Method.put, "/v1/sync/export", export), (.post, "/v1/sync/reset", cleared),
            ] {
                let refused = try await laptop.client.send(method, path, body, headers: [.ifMatch: tag])
                #expect(refused.status == 412, "\(path)")
            }
            let state = try await laptop.client.send(.get, "/v1/sync/state")
            #expect(state.json["totalXP"] as? Int == 1350 + 55)
            #expect(state.entityTag == changed.entityTag)
        }
    }
}
