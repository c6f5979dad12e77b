import Foundation
import HTTPTypes
import Testing

@testable import API

/// What batches of one device and another make of a person's practice.
struct BatchTests {
    private let end = Practice.noon

    private func session(_ minutesAgo: Double, cycles: Int = 50) -> [String: Any] {
        Practice.session(startedAt: end.addingTimeInterval(-minutesAgo * 60), cycles: cycles)
    }

    @Test func `the same batch gets the same answer, and another by its id is refused`() async throws {
        try await TestServer(clock: TestClock(Practice.noon)).run { nobody in
            let (laptop, _) = try await nobody.veteran(until: end)
            let id = UUID()
            let batch = laptop.body([session(200)], batchID: id)
            let first = try await laptop.client.send(.post, "/v1/sync", batch)
            _ = try await laptop.client.send(.post, "/v1/sync", laptop.body([session(100)]))
            let again = try await laptop.client.send(.post, "/v1/sync", batch)
            #expect(first.outcomes == ["sessions 0 accepted"])
            #expect(NSDictionary(dictionary: again.json) == NSDictionary(dictionary: first.json))

            let other = try await laptop.client.send(
                .post,
                "/v1/sync",
                laptop.body([session(50)], batchID: id)
            )
            #expect(other.status == 422)
            #expect(other.json["code"] as? String == "batch_id_taken")
            #expect(other.json["field"] as? String == "batchId")
        }
    }

    @Test func `before the gate a batch is refused and nothing is stored`() async throws {
        try await TestServer(clock: TestClock(Practice.noon)).run { nobody in
            let (client, _) = try await nobody.newcomer()
            var laptop = BatchDevice("laptop", of: client)
            let answer = try await laptop.sync([session(60)])
            #expect(answer.status == 403)
            #expect(answer.json["code"] as? String == "not_eligible")
            #expect(try await client.send(.get, "/v1/sync/state").json["totalXP"] as? Int == 0)
            #expect(try await client.send(.get, "/v1/devices").status == 200)
        }
    }

    @Test func `two devices that take over one another's totals count nothing twice`() async throws {
        try await TestServer(clock: TestClock(Practice.noon)).run { nobody in
            var (laptop, _) = try await nobody.veteran(until: end)
            var desktop = BatchDevice("desktop", of: laptop.client)
            try await desktop.sync([session(400)])
            #expect(desktop.totalXP == 1350 + 55)
            // Each earns something that no session shows, offline and without the other's news.
            laptop.totalXP += 7
            desktop.totalXP += 5
            try await laptop.sync([session(300)])
            try await desktop.sync([session(200)])
            try await laptop.sync()
            try await desktop.sync()
            #expect(laptop.totalXP == 1350 + 3 * 55 + 12)
            #expect(desktop.totalXP == laptop.totalXP)
            let state = try await laptop.client.send(.get, "/v1/sync/state").json
            #expect(state["legacyXP"] as? Int == 12)
        }
    }

    @Test func `an answer that was lost is made good by the next, which counts nothing twice`() async throws {
        try await TestServer(clock: TestClock(Practice.noon)).run { nobody in
            var (laptop, _) = try await nobody.veteran(until: end)
            laptop.totalXP += 9
            var unaware = laptop
            try await laptop.sync([session(300)])
            // The device never saw that answer: it sends the session again, with one more.
            try await unaware.sync([session(300), session(200)])
            #expect(unaware.totalXP == 1350 + 9 + 2 * 55)
        }
    }

    @Test func `each of five hundred items has its outcome, and the good ones are in`() async throws {
        try await TestServer(clock: TestClock(Practice.noon)).run { nobody in
            var (laptop, _) = try await nobody.veteran(until: end)
            var sessions = (0..<490).map { index in
                Practice.session(
                    startedAt: end.addingTimeInterval(Double(index * 900) - 86_400 * 40),
                    cycles: 40
                )
            }
            let good = sessions.count
            var reversed = session(5000)
            (reversed["startedAt"], reversed["endedAt"]) = (reversed["endedAt"], reversed["startedAt"])
            var negative = session(5100)
            negative["cycles"] = -1
            var differs = sessions[3]
            differs["cycles"] = 41
            var zoned = session(5300)
            zoned["timeZone"] = "Mars/Olympus"
            sessions += [
                ["id": "sess-1"], reversed, negative, sessions[0], differs,
                Practice.session(startedAt: end.addingTimeInterval(-86_400 * 60), cycles: 301),
                Practice.session(startedAt: end.addingTimeInterval(86_400), cycles: 10),
                Practice.session(startedAt: end.addingTimeInterval(-86_400 * 40 + 60), cycles: 10),
                zoned, ["id": 4],
            ]
            let answer = try await laptop.sync(
                sessions,
                claims: [Practice.challenge(on: end), ["id": "a"], Practice.challenge(on: end)]
            )
            #expect(answer.status == 200)
            #expect(answer.outcomes.prefix(good).allSatisfy { $0.hasSuffix("accepted") })
            #expect(
                answer.outcomes.dropFirst(good) == [
                    "sessions 490 rejected invalidField startedAt",
                    "sessions 491 rejected endsBeforeItStarts endedAt",
                    "sessions 492 rejected invalidField cycles",
                    "sessions 493 duplicate",
                    "sessions 494 rejected differsFromStored",
                    "sessions 495 quarantined tooManyCycles",
                    "sessions 496 quarantined inTheFuture",
                    "sessions 497 quarantined overlaps",
                    "sessions 498 rejected invalidField timeZone",
                    "sessions 499 rejected invalidField id",
                    "challengeClaims 0 accepted",
                    "challengeClaims 1 rejected invalidField date",
                    "challengeClaims 2 duplicate",
                ]
            )
            #expect(answer.state["totalSessions"] as? Int == 30 + good)
            let tooMany = try await laptop.sync(sessions + sessions)
            #expect(tooMany.status == 422)
            #expect(tooMany.json["field"] as? String == "sessions")
        }
    }

    @Test func `the receipt tells the rule of each field, and of those that aren't kept`() async throws {
        try await TestServer(clock: TestClock(Practice.noon)).run { nobody in
            var (laptop, _) = try await nobody.veteran(until: end)
            let answer = try await laptop.sync(state: [
                "currentStreak": ["value": 41],
                "unlockedPatterns": ["value": ["boxing"]],
                "preferredPatterns": ["value": ["morning": "chill"]],
                "customPresets": ["value": [["id": "desk", "title": "At the desk"]]],
                "deviceSpecificSettings": ["value": ["theme": "dark"]],
                "favouriteColour": ["value": "green"],
                "weeklyStats": ["value": []],
                "syncVersion": ["value": 99],
                "reminderSettings": ["value": 4],
            ])
            #expect(
                answer.rules == [
                    "totalXP": "sessionsAndRewardsAndLegacy", "currentStreak": "derivedFromLocalDays",
                    "unlockedPatterns": "union", "preferredPatterns": "lastWriter",
                    "customPresets": "keyedMerge",
                    "deviceSpecificSettings": "localOnly", "favouriteColour": "unknownField",
                    "weeklyStats": "derivedFromSessions", "syncVersion": "assignedByServer",
                    "reminderSettings": "invalidValue",
                ]
            )
            #expect(answer.state["currentStreak"] as? Int == 10)
            #expect(answer.state["unlockedPatterns"] as? [String] == ["boxing"])
            #expect(answer.state["preferredPatterns"] as? [String: String] == ["morning": "chill"])

            let id = try #require(answer.json["batchId"] as? String)
            let receipt = try await laptop.client.send(.get, "/v1/sync/receipts/\(id)")
            #expect(receipt.rules == answer.rules)
            let (stranger, _) = try await nobody.newcomer()
            #expect(try await stranger.send(.get, "/v1/sync/receipts/\(id)").status == 404)
        }
    }

    @Test func `a preset that one device removed stays removed, and the last writer of a preference stands`()
        async throws
    {
        try await TestServer(clock: TestClock(Practice.noon)).run { nobody in
            let (laptop, _) = try await nobody.veteran(until: end)
            var phone = BatchDevice("phone", of: laptop.client)
            var desktop = BatchDevice("desktop", of: laptop.client)
            func at(_ seconds: Double) -> String { Practice.timestamp(end.addingTimeInterval(seconds)) }
            let preset: [String: Any] = ["id": "desk", "title": "At the desk"]
            try await phone.sync(state: [
                "customPresets": ["value": [preset], "modifiedAt": at(-50)],
                "preferredPatterns": [
                    "value": ["morning": "chill", "evening": "boxing"], "modifiedAt": at(-10),
                ],
            ])
            try await desktop.sync(state: [
                "customPresets": ["value": [["id": "desk", "deleted": true]], "modifiedAt": at(-30)],
                "preferredPatterns": ["value": ["morning": "relaxing"], "modifiedAt": at(-20)],
            ])
            let late = try await laptop.client.send(
                .post,
                "/v1/sync",
                BatchDevice("tablet", of: laptop.client).body(state: [
                    "customPresets": ["value": [preset], "modifiedAt": at(-40)]
                ])
            )
            #expect((late.state["customPresets"] as? [Any])?.isEmpty == true)
            #expect(
                late.state["preferredPatterns"] as? [String: String] == [
                    "morning": "chill", "evening": "boxing",
                ]
            )
        }
    }

    @Test func `a clock ten years off in either direction changes nothing but its own labels`() async throws {
        try await TestServer(clock: TestClock(Practice.noon)).run { nobody in
            for years in [-10.0, 10] {
                var (laptop, _) = try await nobody.veteran(until: end)
                var desktop = BatchDevice("desktop", of: laptop.client)
                let error = years * 365 * 86_400
                let labelled = Practice.session(startedAt: end.addingTimeInterval(error - 7200), cycles: 50)
                let answer = try await desktop.sync(
                    [labelled],
                    state: [
                        "preferredPatterns": [
                            "value": ["morning": "boxing"],
                            "modifiedAt": Practice.timestamp(end.addingTimeInterval(error - 3600)),
                        ]
                    ],
                    clock: Practice.noon.addingTimeInterval(error)
                )
                #expect(answer.outcomes == ["sessions 0 accepted"])
                #expect(answer.state["currentStreak"] as? Int == 10)
                // Written later by a clock that is right.
                let later = try await laptop.sync(
                    state: [
                        "preferredPatterns": [
                            "value": ["morning": "chill"],
                            "modifiedAt": Practice.timestamp(end.addingTimeInterval(-60)),
                        ]
                    ]
                )
                #expect(later.state["preferredPatterns"] as? [String: String] == ["morning": "chill"])
                let other = (later.json["sessions"] as? [[String: Any]])?.first
                #expect(other?["startedAt"] as? String == labelled["startedAt"] as? String)
                #expect(other?["verdict"] as? String == "sound")
            }
        }
    }

    @Test func `what two devices did at once counts once, and the outcome says so`() async throws {
        try await TestServer(clock: TestClock(Practice.noon)).run { nobody in
            var (laptop, _) = try await nobody.veteran(until: end)
            var desktop = BatchDevice("desktop", of: laptop.client)
            try await laptop.sync([session(200, cycles: 100)])
            // Ten minutes, half of them beside the laptop's denser ones.
            let answer = try await desktop.sync([session(195, cycles: 45)])
            let outcome = (answer.json["outcomes"] as? [[String: Any]])?.first
            #expect(outcome?["outcome"] as? String == "accepted")
            #expect(outcome?["countedXP"] as? Int == 25)
            #expect(answer.state["totalXP"] as? Int == 1350 + 105 + 25)
        }
    }

    @Test func `what a batch has had judged anew of other devices comes with its answer`() async throws {
        try await TestServer(clock: TestClock(Practice.noon)).run { nobody in
            var (laptop, _) = try await nobody.veteran(until: end)
            var desktop = BatchDevice("desktop", of: laptop.client)
            let thin = session(195, cycles: 45)
            try await laptop.sync([thin])
            try await desktop.sync()
            let answer = try await desktop.sync([session(200, cycles: 100)])
            let others = try #require(answer.json["sessions"] as? [[String: Any]])
            #expect(others.map { $0["id"] as? String } == [thin["id"] as? String])
            #expect(others.map { $0["countedXP"] as? Int } == [25])
            #expect(others.map { $0["syncVersion"] as? Int } == [answer.json["syncVersion"] as? Int])
            #expect(try await desktop.sync().json["sessions"] as? [[String: String]] == [])
        }
    }

    @Test func `a device that took over another's version adds to what it had earned before, once`()
        async throws
    {
        try await TestServer(clock: TestClock(Practice.noon)).run { nobody in
            var (laptop, _) = try await nobody.veteran(until: end)
            // More than its sessions explain, so that what counts is what it claims.
            laptop.totalXP += 500
            try await laptop.sync()
            var desktop = BatchDevice("desktop", of: laptop.client)
            try await desktop.sync()
            let shown = try await desktop.sync([session(200, cycles: 40)])
            let total = try #require(shown.state["totalXP"] as? Int)
            // By GET /v1/sync/state, say.
            laptop.take(shown)
            laptop.totalXP += 7
            let lost = laptop
            try await laptop.sync()
            // Its answer was lost, and there is more.
            laptop = lost
            laptop.totalXP += 3
            try await laptop.sync()
            // The other has earned something meanwhile, too.
            desktop.totalXP += 5
            let last = try await desktop.sync()
            #expect(last.state["totalXP"] as? Int == total + 7 + 3 + 5)
        }
    }

    @Test func `after a reset a device that knows nothing of it brings nothing back`() async throws {
        let clock = TestClock(end)
        try await TestServer(clock: clock).run { nobody in
            let (laptop, _) = try await nobody.veteran(until: end)
            var desktop = BatchDevice("desktop", of: laptop.client)
            try await desktop.sync()
            desktop.totalXP += 20
            clock.advance(by: 60)
            let reset: [String: Any] = [
                "device": ["id": "laptop", "name": "laptop", "timeZone": "UTC"], "epoch": 1,
            ]
            let cleared = try await laptop.client.send(.post, "/v1/sync/reset", reset)
            #expect(cleared.json["epoch"] as? Int == 2)
            #expect(cleared.json["totalXP"] as? Int == 0)
            // Asked again by someone who hasn't seen the answer.
            #expect(try await laptop.client.send(.post, "/v1/sync/reset", reset).json["epoch"] as? Int == 2)

            clock.advance(by: 700)
            let since = Practice.session(
                startedAt: clock.now.addingTimeInterval(-300),
                cycles: 30,
                minutes: 4
            )
            let answer = try await desktop.sync([session(30), since])
            #expect(answer.outcomes == ["sessions 0 rejected takenBeforeClear", "sessions 1 accepted"])
            #expect(answer.rules["totalXP"] == "takenBeforeClear")
            #expect(answer.state["totalXP"] as? Int == 32)
            #expect(answer.json["epoch"] as? Int == 2)
            #expect(try await desktop.sync().state["totalXP"] as? Int == 32)
        }
    }
}
