import Foundation
import HTTPTypes
import Testing

/// The gate as it is asked before there is an account, and as it is passed.
struct EligibilityTests {
    private static let requirements = [
        "minLevel": 5, "minTotalSessions": 25, "minStreak": 3, "accountAge": 7,
    ]

    @Test func `whoever meets the requirements is invited, without an account`() async throws {
        try await TestServer(clock: TestClock(Practice.noon)).run { nobody in
            let state = ["currentLevel": 5, "totalSessions": 25, "currentStreak": 3, "accountAge": 7]
            let answer = try await nobody.send(.post, "/v1/sync/eligibility", state)
            #expect(answer.status == 200)
            #expect(answer.json["eligible"] as? Bool == true)
            #expect(answer.json["requirements"] as? [String: Int] == Self.requirements)
            #expect(answer.json["currentState"] as? [String: Int] == state)
            #expect(answer.json["nextRequirement"] == nil)
            #expect(answer.json["currentlyEnabled"] as? Bool == false)
            let invitation = try #require(answer.json["invitation"] as? [String: Any])
            #expect(invitation["title"] as? String == "Congratulations on reaching Level 5!")
            #expect((invitation["features"] as? [String])?.count == 5)
            #expect(invitation["question"] as? String == "Ready to sync your mindfulness journey?")
            #expect(
                invitation["choices"] as? [String] == ["Enable Cloud Sync", "Stay Local Only", "Learn More"]
            )
        }
    }

    @Test(arguments: [
        ("currentLevel", 4.0, "minLevel", 4), ("totalSessions", 24, "minTotalSessions", 24),
        ("currentStreak", 2, "minStreak", 2), ("accountAge", 6.9, "accountAge", 6),
    ])
    func `who misses one is told which, and is not invited`(
        _ field: String,
        _ value: Double,
        _ name: String,
        _ current: Int
    ) async throws {
        try await TestServer(clock: TestClock(Practice.noon)).run { nobody in
            var state = ["currentLevel": 9.0, "totalSessions": 99, "currentStreak": 9, "accountAge": 99]
            state[field] = value
            let answer = try await nobody.send(.post, "/v1/sync/eligibility", state)
            #expect(answer.status == 200)
            #expect(answer.json["eligible"] as? Bool == false)
            let next = try #require(answer.json["nextRequirement"] as? [String: Any])
            #expect(next["name"] as? String == name)
            #expect(next["current"] as? Int == current)
            #expect(next["required"] as? Int == Self.requirements[name])
            #expect(answer.json["invitation"] == nil)
        }
    }

    @Test(arguments: [-1.0, 1e300])
    func `a state that nobody can have is refused by field`(value: Double) async throws {
        try await TestServer(clock: TestClock(Practice.noon)).run { nobody in
            let state = ["currentLevel": 5.0, "totalSessions": value, "currentStreak": 3, "accountAge": 7]
            let answer = try await nobody.send(.post, "/v1/sync/eligibility", state)
            #expect(answer.status == 422)
            #expect(answer.json["field"] as? String == "totalSessions")
        }
    }

    @Test func `an export is judged by its sessions and not by its totals`() async throws {
        let end = Practice.noon
        try await TestServer(clock: TestClock(Practice.noon)).run { nobody in
            let proven = try await nobody.send(.post, "/v1/sync/eligibility", Practice.export(until: end))
            #expect(proven.json["eligible"] as? Bool == true)
            #expect(
                proven.json["currentState"] as? [String: Int]
                    == ["currentLevel": 7, "totalSessions": 30, "currentStreak": 10, "accountAge": 9]
            )

            let claimed = Practice.export(until: end, days: 2, claimedStreak: 40)
            let answer = try await nobody.send(.post, "/v1/sync/eligibility", claimed)
            #expect(answer.json["eligible"] as? Bool == false)
            #expect((answer.json["currentState"] as? [String: Int])?["currentStreak"] == 2)
        }
    }

    @Test func `an export that is wrong is refused by field`() async throws {
        try await TestServer(clock: TestClock(Practice.noon)).run { nobody in
            var export = Practice.export(until: Practice.noon)
            export["takenAt"] = "yesterday"
            let answer = try await nobody.send(.post, "/v1/sync/eligibility", export)
            #expect(answer.status == 422)
            #expect(answer.json["field"] as? String == "takenAt")
        }
    }

    @Test func `asking stores nothing, even with a token`() async throws {
        try await TestServer(clock: TestClock(Practice.noon)).run { nobody in
            let (client, _) = try await nobody.newcomer()
            _ = try await client.send(.post, "/v1/sync/eligibility", Practice.export(until: Practice.noon))
            #expect(try await client.isEnabled() == false)
            #expect(try await client.send(.get, "/v1/sync/state").json["totalSessions"] as? Int == 0)
        }
    }

    @Test func `enabling keeps the yes and nothing of the practice`() async throws {
        let end = Practice.noon
        try await TestServer(clock: TestClock(Practice.noon)).run { nobody in
            let (client, _) = try await nobody.newcomer()
            for _ in 1...2 {
                let answer = try await client.send(.post, "/v1/sync/enable", Practice.export(until: end))
                #expect(answer.status == 200)
                #expect(answer.json["eligible"] as? Bool == true)
                #expect(answer.json["currentlyEnabled"] as? Bool == true)
                #expect(answer.json["invitation"] == nil)
            }
            #expect(try await client.isEnabled())
            #expect(try await client.send(.get, "/v1/sync/state").json["totalSessions"] as? Int == 0)
            #expect(try await client.send(.get, "/v1/me").json["totalDevices"] as? Int == 0)
        }
    }

    @Test func `once enabled, the first sync needs no streak, and brings its challenges along`() async throws
    {
        let (now, weeksAgo) = (Practice.noon, Practice.noon.addingTimeInterval(-20 * 86_400))
        try await TestServer(clock: TestClock(Practice.noon)).run { nobody in
            let (client, _) = try await nobody.newcomer()
            _ = try await client.send(.post, "/v1/sync/enable", Practice.export(until: weeksAgo))
            let export = Practice.export(until: now, days: 1, challenges: [Practice.challenge(on: now)])
            let answer = try await client.send(.put, "/v1/sync/export", export)
            #expect(answer.status == 200)
            let state = try #require(answer.json["state"] as? [String: Any])
            #expect((state["challengeHistory"] as? [[String: Any]])?.count == 1)

            let again = try await client.send(.post, "/v1/sync/enable", export)
            #expect(again.status == 200)
            #expect(again.json["eligible"] as? Bool == true)
            #expect((again.json["currentState"] as? [String: Int])?["totalSessions"] == 3)
        }
    }

    @Test func `enabling below the gate is refused with what is missing`() async throws {
        try await TestServer(clock: TestClock(Practice.noon)).run { nobody in
            let (client, _) = try await nobody.newcomer()
            let export = Practice.export(until: Practice.noon, days: 2)
            let answer = try await client.send(.post, "/v1/sync/enable", export)
            #expect(answer.status == 403)
            #expect(answer.json["code"] as? String == "not_eligible")
            let eligibility = try #require(answer.json["eligibility"] as? [String: Any])
            #expect((eligibility["nextRequirement"] as? [String: Any])?["name"] as? String == "minLevel")
            #expect(try await client.isEnabled() == false)
        }
    }
}

extension Client {
    /// As `GET /v1/features` shows it.
    fileprivate func isEnabled() async throws -> Bool {
        let features = try await send(.get, "/v1/features").json
        return (features["unlockable"] as? [String])?.isEmpty == true
    }
}
