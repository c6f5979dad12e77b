import Foundation
import PGClient
import HTTPTypes
import Testing

struct LeaderboardTests {
    /// A year that no other test practises in keeps the global board to ourselves.
    private static func monday(of year: Int) throws -> Date {
        try Date("\(year)-06-01T12:00:00Z", strategy: .iso8601)
    }

    @Test func `a board as five viewers see it`() async throws {
        let clock = TestClock(try Self.monday(of: 2031))
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let end = clock.now
            let ada = try await nobody.practitioner("Ada", at: end, cycles: 60)
            let ben = try await nobody.practitioner("Ben", at: end, cycles: 50, on: ["company"])
            let frank = try await nobody.practitioner("Frank", at: end, cycles: 40)
            let eve = try await nobody.practitioner("Eve", at: end, cycles: 30, on: [])
            let stranger = try await nobody.newcomer()

            let acme = try await server.company("Acme", owner: ada.uid)
            let umbrella = try await server.company("Umbrella", owner: eve.uid)
            try await server.recordEmail(of: ben.uid, "ben@\(acme.domain)")
            _ = try await ben.client.join(acme.id)
            _ = try await ada.client.send(.put, "/v1/friends/\(frank.uid)")
            _ = try await frank.client.send(.put, "/v1/friends/\(ada.uid)")

            //                  nobody, stranger, friend, colleague, other company's admin
            let viewers = [nobody, stranger.client, frank.client, ben.client, eve.client]
            let everyone = "1 Ada, 2 Frank"
            let table: [(board: String, seen: [String])] = [
                ("global", ["401", everyone, everyone, everyone, everyone]),
                ("friends", ["401", "empty", "1 Ada, 2 Frank", "empty", "empty"]),
                ("company?organization=\(acme.id)", ["401", "404", "404", "1 Ada, 1 Ben", "404"]),
                ("company?organization=\(umbrella.id)", ["401", "404", "404", "404", "empty"]),
            ]
            for (board, seen) in table {
                for (viewer, expected) in zip(viewers, seen) {
                    let found = try await viewer.board(board)
                    // Ada and Ben tie on minutes; who is first is decided by their uids.
                    let sorted = found.split(separator: ", ").sorted().joined(separator: ", ")
                    #expect(sorted == expected, "\(board)")
                }
            }
        }
    }

    @Test func `the boards that there are for somebody are listed, and whether they are on them`()
        async throws
    {
        let server = try await TestServer()
        try await server.run { nobody in
            let ada = try await nobody.practitioner("Ada", at: Date(), on: ["company"])
            let acme = try await server.company("Acme", owner: ada.uid)
            let answer = try await ada.client.send(.get, "/v1/leaderboards")
            #expect(answer.status == 200)
            let boards = try #require(answer.json["boards"] as? [[String: Any]])
            #expect(boards.map { $0["scope"] as? String } == ["global", "friends", "company"])
            #expect(boards.map { $0["showsMe"] as? Bool } == [false, false, true])
            #expect(boards.last?["organizationId"] as? String == acme.id)
            #expect(boards.last?["name"] as? String == "Acme")
            #expect(boards.first?["metrics"] as? [String] == ["weeklyXP", "weeklyStreak"])
        }
    }

    @Test(arguments: [
        ("global", "weeklyMinutes"), ("global", "totalSessions"), ("friends", "weeklyConsistency"),
        ("friends", "favoritePatterns"), ("company", "weeklyXP"), ("company", "totalXP"),
    ])
    func `a scope refuses another scope's metric and names its own`(scope: String, metric: String)
        async throws
    {
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            let organization = scope == "company" ? "&organization=\(UUID())" : ""
            let answer = try await client.send(
                .get,
                "/v1/leaderboards/\(scope)?metric=\(metric)\(organization)"
            )
            #expect(answer.status == 422)
            #expect(answer.json["code"] as? String == "metric_not_in_scope")
            #expect((answer.json["detail"] as? String)?.contains("weekly") == true)
        }
    }

    @Test(arguments: [
        ("period=2031-W54", "period"), ("period=yesterday", "period"), ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("cursor=x", "cursor"), ("around=you", "around"), ("organization=\(UUID())", "organization"),
        ("metric=x", "metric"),
    ])
    func `a wrong parameter is named`(query: String, field: String) async throws {
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            let answer = try await client.send(.get, "/v1/leaderboards/global?\(query)")
            #expect(answer.status == 422)
            #expect(answer.json["field"] as? String == field)
        }
    }

    @Test func `a claimed streak never reaches a board`() async throws {
        let clock = TestClock(try Self.monday(of: 2032))
        try await TestServer(clock: clock).run { nobody in
            let (client, _) = try await nobody.practitioner("Ana", at: clock.now, claimedStreak: 41)
            for week in ["2032-W22", "2032-W23"] {
                let answer = try await client.send(
                    .get,
                    "/v1/leaderboards/global?metric=weeklyStreak&period=\(week)"
                )
                let entries = try #require(answer.json["entries"] as? [[String: Any]])
                let streak = try #require(entries.first?["value"] as? Double)
                #expect((1...7).contains(streak))
            }
        }
    }

    @Test func `ties share a rank, the next one counts those before it, and pages don't overlap`()
        async throws
    {
        let clock = TestClock(try Self.monday(of: 2033))
        try await TestServer(clock: clock).run { nobody in
            for (name, cycles) in [("A", 50), ("B", 40), ("C", 40), ("D", 30)] {
                _ = try await nobody.practitioner(name, at: clock.now, cycles: cycles)
            }
            let (client, _) = try await nobody.practitioner("E", at: clock.now, cycles: 20)
            #expect(try await client.ranks("global") == [1, 2, 2, 4, 5])

            var seen: [Int] = []
            var path = "/v1/leaderboards/global?limit=2"
            while true {
                let page = try await client.send(.get, path).json
                seen += try #require(page["entries"] as? [[String: Any]]).compactMap { $0["rank"] as? Int }
                #expect(page["total"] as? Int == 5)
                #expect((page["me"] as? [String: Any])?["rank"] as? Int == 5)
                guard let cursor = page["nextCursor"] as? String else { break }
                path = "/v1/leaderboards/global?limit=2&cursor=\(cursor)"
            }
            #expect(seen == [1, 2, 2, 4, 5])
            #expect(try await client.ranks("global?around=me&limit=2") == [4, 5])
        }
    }

    @Test func `a page goes on where the last one ended, though its last standing has gone`() async throws {
        let clock = TestClock(try Self.monday(of: 2038))
        try await TestServer(clock: clock).run { nobody in
            var people: [String: Client] = [:]
            for name in ["A", "B", "C", "D", "E"] {
                people[name] = try await nobody.practitioner(name, at: clock.now).client
            }
            let viewer = try #require(people["A"])
            let first = try await viewer.send(.get, "/v1/leaderboards/global?limit=3").json
            let shown = try #require(first["entries"] as? [[String: Any]]).compactMap {
                $0["displayName"] as? String
            }
            let last = try #require(shown.last)
            _ = try await people[last]?.send(.patch, "/v1/me", ["privacy": ["shareProgress": false]])

            let cursor = try #require(first["nextCursor"] as? String)
            let second = try await viewer.send(.get, "/v1/leaderboards/global?limit=3&cursor=\(cursor)").json
            let rest = try #require(second["entries"] as? [[String: Any]]).compactMap {
                $0["displayName"] as? String
            }
            #expect(Set(rest) == Set(["A", "B", "C", "D", "E"]).subtracting(shown))

            let elsewhere = try await viewer.send(.get, "/v1/leaderboards/friends?cursor=\(cursor)")
            #expect(elsewhere.json["field"] as? String == "cursor")
        }
    }

    @Test func `a change of mind is on every board at once`() async throws {
        let clock = TestClock(try Self.monday(of: 2034))
        try await TestServer(clock: clock).run { nobody in
            let (client, _) = try await nobody.practitioner("Ada", at: clock.now)
            #expect(try await client.board("global") == "1 Ada")
            _ = try await client.send(.patch, "/v1/me", ["leaderboards": ["global": ["enabled": false]]])
            #expect(try await client.board("global") == "empty")
            #expect(try await client.board("friends") == "1 Ada")
            _ = try await client.send(.patch, "/v1/me", ["privacy": ["shareProgress": false]])
            #expect(try await client.board("friends") == "empty")
        }
    }

    @Test func `who hides their streak is on no board of streaks`() async throws {
        let clock = TestClock(try Self.monday(of: 2035))
        try await TestServer(clock: clock).run { nobody in
            let (client, _) = try await nobody.practitioner("Ada", at: clock.now)
            _ = try await client.send(.patch, "/v1/me", ["privacy": ["shareStreaks": false]])
            for scope in ["global", "friends"] {
                #expect(try await client.board("\(scope)?metric=weeklyStreak") == "empty")
                #expect(try await client.board("\(scope)?metric=weeklyXP") == "1 Ada")
            }
        }
    }

    @Test func `a friend's sessions are counted over all time`() async throws {
        let clock = TestClock(try Self.monday(of: 2036))
        try await TestServer(clock: clock).run { nobody in
            let (client, _) = try await nobody.practitioner("Ada", at: clock.now)
            let answer = try await client.send(.get, "/v1/leaderboards/friends?metric=totalSessions").json
            #expect(answer["period"] as? String == "all-time")
            #expect((answer["me"] as? [String: Any])?["value"] as? Int == 30)
        }
    }

    @Test func `friends see the week, and details where they are shared`() async throws {
        let clock = TestClock(try Self.monday(of: 2042))
        try await TestServer(clock: clock).run { nobody in
            let ada = try await nobody.practitioner("Ada", at: clock.now)
            let ben = try await nobody.practitioner("Ben", at: clock.now)
            _ = try await ada.client.send(.put, "/v1/friends/\(ben.uid)")
            _ = try await ben.client.send(.put, "/v1/friends/\(ada.uid)")
            let change = ["leaderboards": ["friends": ["shareDetailedProgress": false]]]
            _ = try await ben.client.send(.patch, "/v1/me", change)
            for viewer in [ada.client, ben.client] {
                #expect(try await viewer.board("friends?metric=totalSessions") == "1 Ada")
                let entries = try await viewer.send(.get, "/v1/leaderboards/friends").json["entries"]
                let detailed = try #require(entries as? [[String: Any]]).filter {
                    $0["favoritePatterns"] != nil
                }
                #expect(detailed.map { $0["displayName"] as? String } == ["Ada"])
                #expect(try await viewer.ranks("friends") == [1, 1])
            }
        }
    }

    @Test func `a page of friends before a place ends before it, though it is shorter then`() async throws {
        let clock = TestClock(try Self.monday(of: 2047))
        try await TestServer(clock: clock).run { nobody in
            var people: [String: (client: Client, uid: String)] = [:]
            for (name, cycles) in [("A", 60), ("B", 50), ("C", 40), ("D", 30), ("E", 20)] {
                people[name] = try await nobody.practitioner(
                    name,
                    at: clock.now,
                    cycles: cycles,
                    on: ["friends"]
                )
            }
            let viewer = try #require(people["D"])
            for name in ["A", "B", "C", "E"] {
                let friend = try #require(people[name])
                _ = try await viewer.client.befriend(friend.uid)
                #expect(try await friend.client.befriend(viewer.uid) == "friends")
            }
            let board = "friends?limit=4"
            #expect(try await viewer.client.board("\(board)&around=me") == "2 B, 3 C, 4 D, 5 E")
            let page = try await viewer.client.send(.get, "/v1/leaderboards/\(board)&around=me").json
            let cursor = try #require(page["previousCursor"] as? String)
            #expect(try await viewer.client.board("\(board)&cursor=\(cursor)") == "1 A")
            let first = try await viewer.client.send(.get, "/v1/leaderboards/\(board)&cursor=\(cursor)").json
            #expect(first["previousCursor"] == nil)
            let next = try #require(first["nextCursor"] as? String)
            #expect(try await viewer.client.board("\(board)&cursor=\(next)") == "2 B, 3 C, 4 D, 5 E")
        }
    }

    @Test func `a friend's favourites are the patterns that they set for most of their day`() async throws {
        let clock = TestClock(try Self.monday(of: 2043))
        try await TestServer(clock: clock).run { nobody in
            let (client, _) = try await nobody.practitioner("Ada", at: clock.now)
            var laptop = BatchDevice("laptop", of: client)
            func favorites(after patterns: [String: Any]) async throws -> [String]? {
                try await laptop.sync(state: ["preferredPatterns": ["value": patterns]])
                let answer = try await client.send(.get, "/v1/leaderboards/friends").json
                return (answer["entries"] as? [[String: Any]])?.first?["favoritePatterns"] as? [String]
            }
            #expect(try await favorites(after: ["noon": "chill", "night": 3]) == ["chill"])
            #expect(
                try await favorites(after: [
                    "morning": "boxing", "evening": "boxing", "late": "Not a name",
                    "last": String(repeating: "a", count: 9_000),
                ])
                    == ["boxing", "chill"]
            )
            #expect(
                try await favorites(after: ["noon": NSNull(), "dawn": "a", "dusk": "b"]) == [
                    "boxing", "a", "b",
                ]
            )
        }
    }

    @Test func `favourites that were set before any practice are there with the first`() async throws {
        let clock = TestClock(try Self.monday(of: 2044))
        try await TestServer(clock: clock).run { nobody in
            let (client, _) = try await nobody.newcomer()
            var laptop = BatchDevice("laptop", of: client)
            try await laptop.sync(
                Practice.sessions(until: clock.now, days: 10, cycles: 40),
                state: ["preferredPatterns": ["value": ["morning": "boxing"]]]
            )
            let friends = ["enabled": true, "shareDetailedProgress": true]
            let change = ["privacy": ["shareProgress": true], "leaderboards": ["friends": friends]]
            #expect(try await client.send(.patch, "/v1/me", change).status == 200)
            let answer = try await client.send(.get, "/v1/leaderboards/friends").json
            let entries = try #require(answer["entries"] as? [[String: Any]])
            #expect(entries.map { $0["favoritePatterns"] as? [String] } == [["boxing"]])
        }
    }

    /// Who changes what they share locks the person first, and then their standings.
    @Test func `favourites change while the person changes what they share, and neither stops the other`()
        async throws
    {
        let clock = TestClock(try Self.monday(of: 2046))
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (client, text) = try await nobody.practitioner("Ada", at: clock.now)
            let uid = try #require(UUID(uuidString: text))
            let phone = BatchDevice("phone", of: client)
            let syncing = try await server.asSuperuser { sharing in
                try await sharing.execute("select from app.user where uid = \(uid) for no key update")
                let process = try await sharing.queryOne("select pg_backend_pid()", as: Int32.self)
                let syncing = Task {
                    let session = Practice.session(startedAt: clock.now.addingTimeInterval(-7200), cycles: 40)
                    let state: [String: Any] = ["preferredPatterns": ["value": ["morning": "boxing"]]]
                    return try await client.send(.post, "/v1/sync", phone.body([session], state: state))
                        .status
                }
                try await eventually("the sync waits for the person") {
                    try await server.asSuperuser { tx in
                        try await tx.queryOne(
                            "select count(*) from pg_stat_activity where \(process) = any (pg_blocking_pids(pid))",
                            as: Int.self
                        ) > 0
                    }
                }
                try await sharing.execute(
                    "update app.standing set with_friends = with_friends where uid = \(uid)"
                )
                return syncing
            }
            #expect(try await syncing.value == 200)
        }
    }

    @Test func `in a company the gap is to the next value, also where the page doesn't show it`() async throws
    {
        let clock = TestClock(try Self.monday(of: 2045))
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let ada = try await nobody.practitioner("Ada", at: clock.now)
            let acme = try await server.company("Acme", owner: ada.uid)
            var colleagues = [ada.client]
            for name in ["Ben", "Cleo"] {
                let (client, uid) = try await nobody.practitioner(name, at: clock.now)
                try await server.recordEmail(of: uid, "\(name)@\(acme.domain)")
                _ = try await client.join(acme.id)
                colleagues.append(client)
            }
            for (client, sittings) in zip(colleagues, [3, 2, 0]) {
                var phone = BatchDevice("phone", of: client)
                let hours = (0..<sittings).map { clock.now.addingTimeInterval(-3600 * Double(3 + $0)) }
                try await phone.sync(hours.map { Practice.session(startedAt: $0, cycles: 40) })
            }
            let path = "/v1/leaderboards/company?organization=\(acme.id)"
            let all = try await ada.client.send(.get, path).json["entries"] as? [[String: Any]] ?? []
            let values = all.compactMap { $0["value"] as? Int }
            try #require(Set(values).count == 3)
            let page = try await colleagues[2].send(.get, "\(path)&limit=1").json
            #expect((page["me"] as? [String: Any])?["gapToNext"] as? Int == values[1] - values[2])
        }
    }

    @Test func `an entry holds what its scope may show and no more`() async throws {
        let clock = TestClock(try Self.monday(of: 2037))
        try await TestServer(clock: clock).run { nobody in
            let (client, _) = try await nobody.practitioner("Ada", at: clock.now)
            let keys = try await ["global", "friends"].asyncMap { scope in
                let answer = try await client.send(.get, "/v1/leaderboards/\(scope)")
                let entry = try #require((answer.json["entries"] as? [[String: Any]])?.first)
                return Set(entry.keys)
            }
            #expect(
                keys == [
                    ["rank", "uid", "isMe", "displayName", "value"],
                    ["rank", "uid", "isMe", "displayName", "value", "favoritePatterns", "stats"],
                ]
            )
        }
    }
}

extension Client {
    fileprivate func ranks(_ path: String) async throws -> [Int] {
        let answer = try await send(.get, "/v1/leaderboards/\(path)")
        return try #require(answer.json["entries"] as? [[String: Any]]).compactMap { $0["rank"] as? Int }
    }
}

extension Array {
    fileprivate func asyncMap<Output>(_ transform: (Element) async throws -> Output) async throws -> [Output]
    {
        var output: [Output] = []
        for element in self { output.append(try await transform(element)) }
        return output
    }
}
