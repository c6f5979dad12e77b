import Domain
import Foundation
import HTTPTypes
import Testing

@testable import API

/// As whom people are on the boards, and how much of them is.
struct BoardPrivacyTests {
    /// Noon of a Sunday in a season that no other test practises in.
    private static func stage(_ week: String) throws -> (clock: TestClock, season: Season) {
        let season = Season(try #require(Week(week)))
        return (TestClock(season.endsAt.date.addingTimeInterval(-30 * 3600)), season)
    }

    @Test func `a pseudonym is the same all season, another in the next, and leads to nobody`() async throws {
        let (clock, season) = try Self.stage("2070-W20")
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            let ada = try await nobody.practitioner("Ada", at: clock.now)
            let ben = try await nobody.practitioner("Ben", at: clock.now, cycles: 20)
            try await ada.client.change(["leaderboards": ["global": ["anonymizedDisplay": true]]])

            let entry = try #require(try await ben.client.entries("global").first)
            let pseudonym = try #require(entry["displayName"] as? String)
            #expect(pseudonym.wholeMatch(of: /[A-Z][a-z]+ [A-Z][a-z]+ #[0-9]{4}/) != nil)
            #expect(Set(entry.keys) == ["rank", "isMe", "displayName", "value"])
            let (_, own) = try await ada.client.page("global")
            #expect(own["displayName"] as? String == pseudonym)
            #expect(try await ada.client.entries("global").map { $0["isMe"] as? Bool } == [true, false])

            try await ada.client.change(["displayName": "Adele"])
            try await ada.client.change(["leaderboards": ["global": ["anonymizedDisplay": false]]])
            #expect(try await ben.client.board("global") == "1 Adele, 2 Ben")
            try await ada.client.change(["leaderboards": ["global": ["anonymizedDisplay": true]]])
            #expect(try await ben.client.board("global") == "1 \(pseudonym), 2 Ben")
            #expect(try await ada.client.board("friends") == "1 Adele")

            // The practice reaches over into the week before.
            let before = try #require(try await ben.client.entries("global?period=2070-W19").first)
            #expect(before["uid"] == nil)
            #expect(before["displayName"] as? String != pseudonym)

            clock.advance(by: season.finalAt.date.timeIntervalSince(clock.now))
            try await server.finalise(season)
            #expect(try await ben.client.board("global/seasons/2070-W20") == "1 \(pseudonym), 2 Ben")
            let final = try #require(try await ben.client.entries("global/seasons/2070-W20").first)
            #expect(final["uid"] == nil)
            try await ada.client.change(["leaderboards": ["global": ["anonymizedDisplay": false]]])
            #expect(try await ben.client.board("global/seasons/2070-W20") == "1 Adele, 2 Ben")
        }
    }

    @Test func `a block doesn't tell who is behind a pseudonym`() async throws {
        let (clock, season) = try Self.stage("2078-W20")
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            let ada = try await nobody.practitioner("Ada", at: clock.now)
            let ben = try await nobody.practitioner("Ben", at: clock.now, cycles: 20)
            try await ada.client.change(["leaderboards": ["global": ["anonymizedDisplay": true]]])
            let before = try await ben.client.board("global")
            #expect(try await ben.client.send(.put, "/v1/friends/blocks/\(ada.uid)").status == 204)
            #expect(try await ben.client.board("global") == before)

            clock.advance(by: season.finalAt.date.timeIntervalSince(clock.now))
            try await server.finalise(season)
            #expect(try await ben.client.board("global/seasons/2078-W20") == before)
            try await ada.client.change(["leaderboards": ["global": ["anonymizedDisplay": false]]])
            #expect(try await ben.client.board("global/seasons/2078-W20") == "2 Ben")
        }
    }

    @Test(arguments: [
        ("2071-W20", ["hideFromGlobalLeaderboard": true], "empty / 1 Ada / 1 Ada"),
        ("2072-W20", ["friendsOnlyVisible": true], "empty / 1 Ada / empty"),
        ("2073-W20", ["shareProgress": false], "empty / empty / empty"),
    ])
    func `who hides is gone from the boards of now and of then`(
        week: String,
        privacy: [String: Bool],
        expected: String
    ) async throws {
        let (clock, season) = try Self.stage(week)
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            let ada = try await nobody.practitioner("Ada", at: clock.now)
            let acme = try await server.company("Acme", owner: ada.uid)
            // Where she is the only one, so what is empty is so for everyone.
            func seen(_ rest: String) async throws -> String {
                let global = try await nobody.newcomer().client.board("global\(rest)")
                let friends = try await ada.client.board("friends\(rest)")
                let company = try await ada.client.board("company\(rest)?organization=\(acme.id)")
                return "\(global) / \(friends) / \(company)"
            }
            #expect(try await seen("") == "1 Ada / 1 Ada / 1 Ada")
            try await ada.client.change(["privacy": privacy])
            #expect(try await seen("") == expected)
            try await ada.client.change(["privacy": privacy.mapValues { !$0 }])

            clock.advance(by: season.finalAt.date.timeIntervalSince(clock.now))
            try await server.finalise(season)
            #expect(try await seen("/seasons/\(week)") == "1 Ada / 1 Ada / 1 Ada")
            try await ada.client.change(["privacy": privacy])
            #expect(try await seen("/seasons/\(week)") == expected)
        }
    }

    @Test func `beside a value stands what the person shares, and all time only where they say so twice`()
        async throws
    {
        let (clock, _) = try Self.stage("2074-W20")
        try await TestServer(clock: clock).run { nobody in
            let ada = try await nobody.practitioner("Ada", at: clock.now)
            let week: Set = ["weeklyXP", "weeklyStreak"]
            let allTime: Set = ["totalXP", "longestStreak", "totalSessions"]
            func stats(_ board: String = "global") async throws -> Set<String> {
                let entry = try #require(try await ada.client.entries(board).first)
                return Set((entry["stats"] as? [String: Any] ?? [:]).keys)
            }
            func share(_ sharing: String, details: Bool, anonymously: Bool = false) async throws {
                try await ada.client.change([
                    "privacy": ["showDetailedStats": details],
                    "leaderboards": [
                        "global": ["statsSharing": sharing, "anonymizedDisplay": anonymously]
                    ],
                ])
            }
            #expect(try await stats() == [])
            try await share("standard", details: true)
            #expect(try await stats() == week)
            try await share("detailed", details: false)
            #expect(try await stats() == week)
            try await share("detailed", details: true)
            #expect(try await stats() == week.union(allTime))
            #expect(try await stats("friends") == week.union(allTime))
            try await share("detailed", details: true, anonymously: true)
            #expect(try await stats() == week, "Totals would tell who it is.")
            try await ada.client.change(["privacy": ["shareStreaks": false]])
            try await share("detailed", details: true)
            #expect(try await stats() == ["weeklyXP", "totalXP", "totalSessions"])

            let entry = try #require(try await ada.client.entries("global").first)
            let state = try await ada.client.send(.get, "/v1/sync/state").json
            let shown = try #require(entry["stats"] as? [String: Any])
            #expect(shown["totalSessions"] as? Int == state["totalSessions"] as? Int)
        }
    }

    @Test func `who hides a board from themself sees nothing of it, and stays on it for others`() async throws
    {
        let (clock, season) = try Self.stage("2075-W20")
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            let ada = try await nobody.practitioner("Ada", at: clock.now)
            let acme = try await server.company("Acme", owner: ada.uid)
            let boards = [
                "global": "global", "friends": "friends", "company": "company?organization=\(acme.id)",
            ]
            for (scope, path) in boards {
                try await ada.client.change(["leaderboards": [scope: ["hidden": true]]])
                let answer = try await ada.client.send(.get, "/v1/leaderboards/\(path)").json
                #expect(answer["isHidden"] as? Bool == true)
                #expect((answer["entries"] as? [Any])?.isEmpty == true)
                #expect(answer["me"] == nil)
                #expect(answer["total"] as? Int == 0)
            }
            let listed =
                try await ada.client.send(.get, "/v1/leaderboards").json["boards"] as? [[String: Any]]
            #expect(listed?.map { $0["isHidden"] as? Bool } == [true, true, true])
            #expect(try await nobody.newcomer().client.board("global") == "1 Ada")

            clock.advance(by: season.finalAt.date.timeIntervalSince(clock.now))
            try await server.finalise(season)
            #expect(try await ada.client.board("global/seasons/2075-W20") == "empty")
            // One that nobody was in is hidden too.
            try await server.finalise(Season(try #require(Week("2075-W05"))))
            let nobodys = try await ada.client.send(.get, "/v1/leaderboards/global?period=2075-W05")
            #expect(nobodys.json["isHidden"] as? Bool == true)
            try await ada.client.change(["leaderboards": ["global": ["hidden": false]]])
            #expect(try await ada.client.board("global/seasons/2075-W20") == "1 Ada")
        }
    }

    @Test func `a company has a board where it wants one, with real names where both agree`() async throws {
        let (clock, season) = try Self.stage("2076-W20")
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            let ada = try await nobody.practitioner("Ada", at: clock.now, cycles: 50)
            let ben = try await nobody.practitioner("Ben", at: clock.now)
            let acme = try await server.company("Acme", owner: ada.uid)
            try await server.recordEmail(of: ben.uid, "ben@\(acme.domain)")
            _ = try await ben.client.join(acme.id)
            let path = "/v1/organizations/\(acme.id)"
            func set(_ board: [String: Any], by client: Client) async throws -> Int {
                try await client.send(.patch, path, ["leaderboard": board]).status
            }
            func names(_ board: String = "company") async throws -> Set<String?> {
                let entries = try await ben.client.entries("\(board)?organization=\(acme.id)")
                return Set(entries.map { $0["displayName"] as? String })
            }
            for client in [ada.client, ben.client] {
                try await client.change(["realName": client.token == ada.client.token ? "Ada L." : "Ben F."])
            }
            try await ada.client.change(["leaderboards": ["company": ["showRealNames": true]]])
            #expect(try await names() == ["Ada", "Ben"])
            #expect(try await set(["showRealNames": true], by: ben.client) == 403)
            #expect(try await set(["showRealNames": true], by: nobody.newcomer().client) == 404)
            #expect(try await set(["showRealNames": true], by: ada.client) == 200)
            #expect(try await names() == ["Ada L.", "Ben"])
            #expect(try await ada.client.board("global") == "1 Ada, 2 Ben")

            clock.advance(by: season.finalAt.date.timeIntervalSince(clock.now))
            try await server.finalise(season)
            #expect(try await names("company/seasons/2076-W20") == ["Ada L.", "Ben"])
            #expect(try await set(["enabled": false, "showRealNames": false], by: ada.client) == 200)
            #expect(try await names("company") == [])
            #expect(try await names("company/seasons/2076-W20") == [])
            let listed = try await ben.client.send(.get, "/v1/leaderboards").json["boards"] as? [Any]
            #expect(listed?.count == 2)
            let wrong = try await ada.client.send(.patch, path, ["leaderboard": ["on": true]])
            #expect(wrong.status == 422)
            #expect(wrong.json["field"] as? String == "leaderboard.on")
        }
    }

    @Test func `what came in after the week had ended is listed, with what it was`() async throws {
        let (clock, season) = try Self.stage("2077-W20")
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            let ada = try await nobody.practitioner("Ada", at: clock.now)
            let ben = try await nobody.practitioner("Ben", at: clock.now, cycles: 20)
            let acme = try await server.company("Acme", owner: ada.uid)
            let paths = ["global", "friends", "company"].map { scope in
                "\(scope)/seasons/2077-W20" + (scope == "company" ? "?organization=\(acme.id)" : "")
            }
            func changes(_ path: String) async throws -> [[String: Any]] {
                let answer = try await ada.client.send(.get, "/v1/leaderboards/\(path)")
                return try #require(answer.json["changes"] as? [[String: Any]])
            }
            let before = try #require(try await ada.client.entries(paths[0]).first?["value"] as? Int)
            let sunday = clock.now
            clock.advance(by: season.endsAt.date.timeIntervalSince(clock.now) + 3600)
            for path in paths { #expect(try await changes(path).isEmpty, "\(path)") }

            var laptop = BatchDevice("phone", of: ada.client)
            try await laptop.sync([Practice.session(startedAt: sunday.addingTimeInterval(3600), cycles: 100)])
            for path in paths {
                let listed = try await changes(path)
                #expect(listed.map { $0["displayName"] as? String } == ["Ada"], "\(path)")
                #expect(listed.first?["isMe"] as? Bool == true)
            }
            let global = try #require(try await changes(paths[0]).first)
            #expect(global["before"] as? Int == before)
            #expect(try await ada.client.entries(paths[0]).first?["value"] as? Int == global["value"] as? Int)

            clock.advance(by: season.finalAt.date.timeIntervalSince(clock.now))
            try await server.finalise(season)
            #expect(try await changes(paths[0]).count == 1)
            try await ada.client.change(["privacy": ["friendsOnlyVisible": true]])
            let seen = try await ben.client.send(.get, "/v1/leaderboards/\(paths[0])").json["changes"]
            #expect((seen as? [Any])?.isEmpty == true)
        }
    }
}

extension Client {
    func change(_ settings: [String: Any]) async throws {
        let answer = try await send(.patch, "/v1/me", settings)
        try #require(answer.status == 200, "\(answer.json)")
    }

    fileprivate func entries(_ path: String) async throws -> [[String: Any]] {
        try await page(path).entries
    }

    fileprivate func page(_ path: String) async throws -> (entries: [[String: Any]], me: [String: Any]) {
        let answer = try await send(.get, "/v1/leaderboards/\(path)")
        let entries = try #require(answer.json["entries"] as? [[String: Any]], "\(answer.json)")
        return (entries, answer.json["me"] as? [String: Any] ?? [:])
    }
}
