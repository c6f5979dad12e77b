import Crypto
import Domain
import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

/// One after the other: each holds connections of a server or two.
@Suite(.serialized) struct SeasonTests {
    /// Noon of the Sunday of a season that no other test practises in.
    private static func stage(_ week: String) throws -> (clock: TestClock, season: Season) {
        let season = Season(try #require(Week(week)))
        return (TestClock(season.endsAt.date.addingTimeInterval(-30 * 3600)), season)
    }

    @Test func `a season is open until it has ended everywhere, then in grace, then final`() async throws {
        let (clock, season) = try Self.stage("2050-W20")
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            let (client, _) = try await nobody.practitioner("Ada", at: clock.now)
            func state() async throws -> [String: String]? {
                let answer = try await client.send(.get, "/v1/leaderboards/global?period=2050-W20")
                return answer.json["season"] as? [String: String]
            }
            let times = ["endsAt": "2050-05-23T18:00:00.000Z", "finalAt": "2050-05-26T18:00:00.000Z"]
            #expect(try await state() == times.merging(["state": "open"]) { $1 })
            clock.move(to: season.endsAt)
            #expect(try await state()?["state"] == "grace")
            clock.move(to: season.finalAt)
            #expect(try await state()?["state"] == "grace", "Nobody has closed it yet.")
            try await server.finalise(season)
            #expect(try await state() == times.merging(["state": "final"]) { $1 })
            let allTime = try await client.send(.get, "/v1/leaderboards/friends?metric=totalSessions")
            #expect(allTime.json["season"] == nil)
        }
    }

    @Test func `a season is not called final before the last of its ranks is written`() async throws {
        let (clock, season) = try Self.stage("2058-W20")
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            let ada = try await nobody.practitioner("Ada", at: clock.now, cycles: 50)
            let ben = try await nobody.practitioner("Ben", at: clock.now)
            clock.move(to: season.finalAt)
            func seen() async throws -> Set<String> {
                let season = "/v1/leaderboards/global/seasons/2058-W20?metric=weeklyStreak"
                let page = try await ada.client.send(.get, season).json
                let board = try await ada.client.send(.get, "/v1/leaderboards/global?period=2058-W20").json
                let states = [page, board].map {
                    ($0["season"] as? [String: Any])?["state"] as? String ?? "?"
                }
                let listed = try await ada.client.weeks("global").filter { $0.hasPrefix("2058-W20 ") }
                return Set(
                    states + listed.map { String($0.dropFirst(9)) }
                        + (page["digest"] == nil ? [] : ["digest"])
                )
            }
            // Closed, and after a step that wrote all streaks and the first of two by XP.
            let isUnfinished = try await server.asSuperuser { tx in
                _ = try await tx.query(
                    "select app.close_seasons(\([season.week.description]), \(season.finalAt.date))",
                    as: (String).self
                )
                return try await tx.queryOne(
                    "select app.finalise_season(\(season.week.description), 3, \(season.finalAt.date))",
                    as: Bool.self
                )
            }
            #expect(isUnfinished)
            #expect(try await seen() == ["grace"])
            try await ben.client.change(["leaderboards": ["global": ["enabled": false]]])
            #expect(try await ada.client.board("global?period=2058-W20") == "1 Ada")
            try await server.finalise(season)
            #expect(try await seen() == ["final", "digest"])
        }
    }

    @Test func `a late session moves an open season and one in grace, and never a final one`() async throws {
        let (clock, season) = try Self.stage("2051-W20")
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            let ada = try await nobody.practitioner("Ada", at: clock.now, cycles: 50)
            let ben = try await nobody.practitioner("Ben", at: clock.now, cycles: 40)
            _ = try await ada.client.send(.put, "/v1/friends/\(ben.uid)")
            _ = try await ben.client.send(.put, "/v1/friends/\(ada.uid)")
            let boards = ["global?period=2051-W20", "friends?period=2051-W20", "global/seasons/2051-W20"]
            let saturday = season.endsAt.date.addingTimeInterval(-44 * 3600)

            for (moment, isEarly, expected) in [
                (clock.now, true, "1 Ben, 2 Ada"), (season.finalAt.date, true, "1 Ada, 2 Ben"),
                (season.finalAt.date, false, "1 Ada, 2 Ben"),
            ] {
                clock.move(to: Instant(moment))
                if !isEarly { try await server.finalise(season) }
                let isBens = expected == "1 Ben, 2 Ada" || !isEarly
                let hour = isEarly ? 0.0 : 2.0
                try await (isBens ? ben : ada).client.practiseLate(
                    at: saturday.addingTimeInterval(hour * 3600),
                    cycles: isBens && isEarly ? 400 : 1200,
                    now: clock.now
                )
                for board in boards {
                    #expect(try await ada.client.board(board) == expected, "\(board)")
                }
            }
            // What came too late for the season counts for Ben.
            let sessions = try await ben.client.send(.get, "/v1/sync/sessions?limit=100").json["sessions"]
            let counted = try #require(sessions as? [[String: Any]]).compactMap { $0["countedXP"] as? Int }
            #expect(counted.contains { $0 >= 1200 })
        }
    }

    @Test func `a final season has every rank, page by page, its podium, and the digest of all`() async throws
    {
        let (clock, season) = try Self.stage("2052-W20")
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            var uids: [String: String] = [:]
            for (name, cycles) in [("A", 50), ("B", 40), ("C", 40), ("D", 30)] {
                uids[name] = try await nobody.practitioner(name, at: clock.now, cycles: cycles).uid
            }
            let (client, uid) = try await nobody.practitioner("E", at: clock.now, cycles: 20)
            uids["E"] = uid
            let path = "/v1/leaderboards/global/seasons/2052-W20"
            let open = try await client.send(.get, path).json
            #expect(open["digest"] == nil)
            #expect(open["finalisedAt"] == nil)
            #expect((open["podium"] as? [Any])?.count == 3)

            clock.move(to: season.finalAt)
            // One at a time, and two servers at once.
            let other = try await TestServer(clock: clock)
            async let one: Void = server.finalise(season, most: 1)
            async let another: Void = other.finalise(season, most: 1)
            _ = try await (one, another)
            try await server.finalise(season)
            await other.server.pool.close()

            var seen: [[String: Any]] = []
            var page = try await client.send(.get, path + "?limit=2").json
            while true {
                seen += try #require(page["entries"] as? [[String: Any]])
                guard let cursor = page["nextCursor"] as? String else { break }
                page = try await client.send(.get, path + "?limit=2&cursor=\(cursor)").json
            }
            #expect(seen.compactMap { $0["rank"] as? Int } == [1, 2, 2, 4, 5])
            let previous = try #require(page["previousCursor"] as? String)
            #expect(
                try await client.board("global/seasons/2052-W20?limit=1&cursor=\(previous)") == "4 D"
            )
            #expect(try await client.board("global/seasons/2052-W20?limit=2&around=me") == "4 D, 5 E")

            let final = try await client.send(.get, path).json
            let podium = try #require(final["podium"] as? [[String: Any]])
            #expect(podium.compactMap { $0["rank"] as? Int } == [1, 2, 2])
            #expect(final["total"] as? Int == 5)
            #expect(final["finalisedAt"] as? String == season.finalAt.description)
            let me = try #require(final["me"] as? [String: Any])
            #expect(me["rank"] as? Int == 5)
            #expect((me["gapToNext"] as? Double ?? 0) > 0)
            let digest = seen.reduce(into: Data()) { digest, entry in
                let line = "\(entry["rank"] ?? ""),\(entry["uid"] ?? ""),\(entry["value"] ?? "");"
                digest = Data(SHA256.hash(data: digest + Data(line.utf8)))
            }
            // Without what the database alone knows, nobody could try who a place is of that they don't see.
            let salt = try await server.asSuperuser { tx in
                try await tx.queryOne(
                    "select salt from app.global_season where period = '2052-W20' and metric = 'weekly_xp'",
                    as: [UInt8].self
                )
            }
            let published = SHA256.hash(data: Data(salt) + digest)
            #expect(final["digest"] as? String == published.map { String(format: "%02x", $0) }.joined())
        }
    }

    @Test(arguments: [
        ("2080-W20", [50, 50, 50, 50], [1, 1, 1, 1]), ("2081-W20", [60, 50, 40, 40], [1, 2, 3, 3]),
    ])
    func `whoever is among the first three by rank is on the podium, however many they are`(
        week: String,
        cycles: [Int],
        ranks: [Int]
    ) async throws {
        let (clock, season) = try Self.stage(week)
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            for (number, cycles) in cycles.enumerated() {
                _ = try await nobody.practitioner("P\(number)", at: clock.now, cycles: cycles)
            }
            let (client, _) = try await nobody.practitioner("Last", at: clock.now, cycles: 20)
            func podium() async throws -> [Int] {
                let path = "/v1/leaderboards/global/seasons/\(week)?limit=1"
                let answer = try await client.send(.get, path).json
                return try #require(answer["podium"] as? [[String: Any]]).compactMap { $0["rank"] as? Int }
            }
            #expect(try await podium() == ranks)
            clock.move(to: season.finalAt)
            try await server.finalise(season)
            #expect(try await podium() == ranks)
        }
    }

    @Test func `who comes to a board after its season became final is not among what changed in it`()
        async throws
    {
        let (clock, season) = try Self.stage("2082-W20")
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            let ada = try await nobody.practitioner("Ada", at: clock.now)
            let ben = try await nobody.practitioner("Ben", at: clock.now, on: [])
            let acme = try await server.company("Acme", owner: ada.uid)
            let paths = ["global/seasons/2082-W20", "company/seasons/2082-W20?organization=\(acme.id)"]
            func changed(_ path: String) async throws -> [String?] {
                let answer = try await ada.client.send(.get, "/v1/leaderboards/\(path)")
                return try #require(answer.json["changes"] as? [[String: Any]]).map {
                    $0["displayName"] as? String
                }
            }
            clock.move(to: season.endsAt)
            for client in [ada.client, ben.client] {
                try await client.practiseLate(
                    at: season.endsAt.date.addingTimeInterval(-44 * 3600),
                    cycles: 400,
                    now: clock.now
                )
            }
            for path in paths { #expect(try await changed(path) == ["Ada"], "\(path)") }

            clock.move(to: season.finalAt)
            try await server.finalise(season)
            try await server.recordEmail(of: ben.uid, "ben@\(acme.domain)")
            #expect(try await ben.client.join(acme.id).status == 200)
            let boards = ["global": ["enabled": true], "company": ["enabled": true]]
            try await ben.client.change(["privacy": ["shareProgress": true], "leaderboards": boards])
            for path in paths { #expect(try await changed(path) == ["Ada"], "\(path)") }
            // She is there still who is there as somebody else.
            try await ada.client.change(["leaderboards": ["global": ["anonymizedDisplay": true]]])
            #expect(try await changed(paths[0]).count == 1)
        }
    }

    /// The rule is here and there: 72 hours after the week is over everywhere.
    @Test(arguments: ["2093-W53", "2094-W01", "2096-W09"])
    func `the database closes no season before its time, whoever says that it is over`(week: String)
        async throws
    {
        let (clock, season) = try Self.stage(week)
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            func close(at moment: Date) async throws {
                _ = try await server.server.pool.transaction { tx in
                    try await tx.query("select app.close_seasons(\([week]), \(moment))", as: String.self)
                }
            }
            let refusal = await #expect(throws: PGError.self) {
                try await close(at: season.finalAt.date.addingTimeInterval(-0.001))
            }
            #expect(refusal?.sqlState?.rawValue == "22023")
            try await close(at: season.finalAt.date)
            let (client, _) = try await nobody.newcomer()
            clock.move(to: season.finalAt)
            let seen = try await client.send(.get, "/v1/leaderboards/global/seasons/\(week)").json["season"]
            #expect((seen as? [String: Any])?["state"] as? String == "final", "Nobody was in it.")
        }
    }

    @Test func `consistency is of all seven days of the week, also while it runs`() async throws {
        let (clock, season) = try Self.stage("2083-W20")
        // Wednesday.
        clock.advance(by: -4 * 86_400)
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            let ada = try await nobody.practitioner("Ada", at: clock.now)
            let acme = try await server.company("Acme", owner: ada.uid)
            let path =
                "/v1/leaderboards/company?organization=\(acme.id)&metric=weeklyConsistency&period=2083-W20"
            for moment in [clock.now, season.endsAt.date] {
                clock.move(to: Instant(moment))
                let board = try await ada.client.send(.get, path).json
                let entry = try #require((board["entries"] as? [[String: Any]])?.first)
                let value = try #require(entry["value"] as? Double)
                #expect(abs(value - 3.0 / 7) < 1e-9)
            }
        }
    }

    @Test func `who goes is gone from a final season at once, and nobody moves up`() async throws {
        let (clock, season) = try Self.stage("2053-W20")
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            let ada = try await nobody.practitioner("Ada", at: clock.now, cycles: 50)
            let ben = try await nobody.practitioner("Ben", at: clock.now, cycles: 40)
            let eve = try await nobody.practitioner("Eve", at: clock.now, cycles: 30)
            clock.move(to: season.finalAt)
            try await server.finalise(season)
            func boards(_ client: Client) async throws -> Set<String> {
                [
                    try await client.board("global?period=2053-W20"),
                    try await client.board("global/seasons/2053-W20"),
                ]
            }
            #expect(try await boards(eve.client) == ["1 Ada, 2 Ben, 3 Eve"])
            _ = try await eve.client.send(.put, "/v1/friends/blocks/\(ben.uid)")
            #expect(try await boards(eve.client) == ["1 Ada, 3 Eve"])
            #expect(try await boards(ben.client) == ["1 Ada, 2 Ben"])
            let change = ["leaderboards": ["global": ["enabled": false]]]
            _ = try await ada.client.send(.patch, "/v1/me", change)
            #expect(try await boards(eve.client) == ["3 Eve"])
            let season = try await ada.client.send(.get, "/v1/leaderboards/global/seasons/2053-W20").json
            #expect(season["me"] == nil)
            #expect(season["total"] as? Int == 3)
            #expect(season["digest"] != nil)
            let podium = try #require(season["podium"] as? [[String: Any]])
            #expect(podium.compactMap { $0["rank"] as? Int } == [2, 3])
            try await server.asSuperuser { tx in
                _ = try await tx.execute("delete from app.user where uid = \(UUID(uuidString: eve.uid))")
            }
            #expect(try await boards(ada.client) == ["2 Ben"])
        }
    }

    @Test func `a company's season is for its members, in its own metrics, and without who left`()
        async throws
    {
        let (clock, season) = try Self.stage("2054-W20")
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            let ada = try await nobody.practitioner("Ada", at: clock.now)
            let ben = try await nobody.practitioner("Ben", at: clock.now)
            let acme = try await server.company("Acme", owner: ada.uid)
            try await server.recordEmail(of: ben.uid, "ben@\(acme.domain)")
            _ = try await ben.client.join(acme.id)
            try await ben.client.practiseLate(
                at: season.endsAt.date.addingTimeInterval(-44 * 3600),
                cycles: 400,
                now: clock.now
            )
            clock.move(to: season.finalAt)
            try await server.finalise(season)

            let path = "company/seasons/2054-W20?organization=\(acme.id)"
            #expect(try await ada.client.board(path) == "1 Ben, 2 Ada")
            #expect(try await ada.client.board(path + "&metric=weeklyConsistency&limit=1") != "empty")
            #expect(try await ada.client.board(path + "&metric=teamChallengeParticipation") == "empty")
            #expect(try await nobody.newcomer().client.board(path) == "404")
            #expect(
                try await ada.client.weeks("company", "organization=\(acme.id)").contains("2054-W20 final")
            )
            _ = try await ben.client.send(.delete, "/v1/organizations/\(acme.id)/membership")
            #expect(try await ada.client.board(path) == "2 Ada")
            #expect(try await ben.client.board(path) == "404")
        }
    }

    @Test func `a week that is closed while a company has no board is none of its seasons, also later`()
        async throws
    {
        let (clock, season) = try Self.stage("2085-W20")
        let server = try await TestServer(clock: clock, keepsTokens: true, isAlone: true)
        try await server.run { nobody in
            let ada = try await nobody.practitioner("Ada", at: clock.now)
            let acme = try await server.company("Acme", owner: ada.uid)
            func turnBoard(on isOn: Bool) async throws {
                let wish = ["leaderboard": ["enabled": isOn]]
                let answer = try await ada.client.send(.patch, "/v1/organizations/\(acme.id)", wish)
                try #require(answer.status == 200)
            }
            let boards = [
                "company?period=2085-W20&organization=\(acme.id)",
                "company/seasons/2085-W20?organization=\(acme.id)",
            ]
            for board in boards { #expect(try await ada.client.board(board) == "1 Ada", "\(board)") }

            try await turnBoard(on: false)
            clock.move(to: season.finalAt)
            try await server.asSuperuser { tx in
                _ = try await tx.query(
                    "select app.close_seasons(\([season.week.description]), \(season.finalAt.date))",
                    as: (String).self
                )
            }
            try await turnBoard(on: true)
            // Before the last of the ranks is written, and afterwards.
            for isFinal in [false, true] {
                if isFinal { try await server.finalise(season) }
                for board in boards {
                    #expect(try await ada.client.board(board) == "empty", "\(board), final: \(isFinal)")
                }
                #expect(try await ada.client.board("global?period=2085-W20") == "1 Ada")
            }
            let weeks = try await ada.client.weeks("company", "organization=\(acme.id)")
            #expect(!weeks.contains { $0.hasPrefix("2085-W20") })
            #expect(try await server.boardDifferences() == [])
        }
    }

    @Test func `a friends season is the viewer's own, without a history that others share`() async throws {
        let (clock, season) = try Self.stage("2055-W20")
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            let ada = try await nobody.practitioner("Ada", at: clock.now, cycles: 50)
            let ben = try await nobody.practitioner("Ben", at: clock.now)
            clock.move(to: season.finalAt)
            try await server.finalise(season)
            #expect(try await ben.client.board("friends/seasons/2055-W20") == "1 Ben")
            _ = try await ada.client.send(.put, "/v1/friends/\(ben.uid)")
            _ = try await ben.client.send(.put, "/v1/friends/\(ada.uid)")
            #expect(try await ben.client.board("friends/seasons/2055-W20") == "1 Ada, 2 Ben")
            let answer = try await ben.client.send(.get, "/v1/leaderboards/friends/seasons/2055-W20").json
            #expect((answer["season"] as? [String: Any])?["state"] as? String == "final")
            #expect(answer["finalisedAt"] as? String == season.finalAt.description)
            #expect(answer["digest"] == nil)
            #expect(try await ben.client.weeks("friends").contains("2055-W20 final"))

            let device = ["id": "laptop", "name": "laptop", "timeZone": "UTC"]
            let cleared = try await ada.client.send(.post, "/v1/sync/reset", ["device": device, "epoch": 1])
            #expect(cleared.status == 200)
            #expect(
                try await ben.client.board("friends/seasons/2055-W20") == "1 Ada, 2 Ben",
                "A final season doesn't move, whatever becomes of all time."
            )
        }
    }

    @Test func `seasons are listed from the newest, page by page`() async throws {
        let (clock, season) = try Self.stage("2056-W20")
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            let ada = try await nobody.practitioner("Ada", at: clock.now)
            let acme = try await server.company("Acme", owner: ada.uid)
            _ = try await ada.client.send(.patch, "/v1/me", ["leaderboards": ["company": ["enabled": true]]])
            clock.move(to: season.finalAt)
            try await server.finalise(season)
            // Somewhere in its eighth week after that one; nothing was practised since.
            clock.advance(by: 7 * 7 * 86_400)
            let organization = "organization=\(acme.id)"
            #expect(
                try await ada.client.weeks("company", organization) == [
                    "2056-W28 open", "2056-W27 grace", "2056-W26 grace", "2056-W25 grace", "2056-W24 grace",
                    "2056-W20 final",
                ]
            )
            let path = "/v1/leaderboards/company/seasons?\(organization)&limit=4"
            let first = try await ada.client.send(.get, path).json
            #expect((first["seasons"] as? [Any])?.count == 4)
            let cursor = try #require(first["nextCursor"] as? String)
            #expect(
                try await ada.client.weeks("company", "\(organization)&limit=4&cursor=\(cursor)") == [
                    "2056-W24 grace", "2056-W20 final",
                ]
            )
        }
    }

    @Test func `practice that is older than a closed season founds none`() async throws {
        let (clock, season) = try Self.stage("2057-W20")
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            clock.move(to: season.finalAt)
            try await server.finalise(season)
            let sunday = season.endsAt.date.addingTimeInterval(-30 * 3600)
            let (client, _) = try await nobody.practitioner("Ada", at: sunday)
            try await server.finalise(season)
            for board in ["global?period=2057-W20", "global/seasons/2057-W20", "friends/seasons/2057-W20"] {
                #expect(try await client.board(board) == "empty", "\(board)")
            }
            let state = try await client.send(.get, "/v1/sync/state").json
            #expect(try #require(state["totalXP"] as? Int) > 0)
        }
    }

    @Test(arguments: [
        ("global/seasons/2026-W54", 422, "week"), ("global/seasons/yesterday", 422, "week"),
        ("global/seasons/2099-W01", 404, nil), ("nobody/seasons/2026-W10", 404, nil),
        ("nobody/seasons", 404, nil), ("global/seasons/2026-W10?metric=weeklyMinutes", 422, "metric"),
        ("friends/seasons/2026-W10?metric=totalSessions", 422, "metric"),
        ("company/seasons/2026-W10", 422, "organization"), ("company/seasons", 422, "organization"),
        ("global/seasons?organization=\(UUID())", 422, "organization"),
        ("global/seasons?limit=53", 422, "limit"),
        ("global/seasons?limit=0", 422, "limit"), ("global/seasons?cursor=x", 422, "cursor"),
        ("global/seasons/2026-W10?limit=101", 422, "limit"),
        ("global/seasons/2026-W10?cursor=x", 422, "cursor"),
        ("company/seasons?organization=\(UUID())", 404, nil),
    ])
    func `a wrong parameter of a season is named`(path: String, status: Int, field: String?) async throws {
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            let answer = try await client.send(.get, "/v1/leaderboards/\(path)")
            #expect(answer.status == status)
            #expect(answer.json["field"] as? String == field)
        }
    }
}

extension TestClock {
    fileprivate func move(to instant: Instant) {
        advance(by: instant.date.timeIntervalSince(now))
    }
}

extension TestServer {
    /// Closes one season alone: the other tests' years are theirs.
    func finalise(_ season: Season, most: Int = 1_000) async throws {
        let finalising = SeasonFinalising(pool: server.pool, now: server.now, logger: server.logger)
        try await finalising.finalise([season], most: most)
    }
}

extension Client {
    /// An hour of practice that another device tells of only now.
    fileprivate func practiseLate(at start: Date, cycles: Int, now: Date) async throws {
        var session = Practice.session(startedAt: start, cycles: cycles, minutes: 60)
        session["goalBonusXP"] = 0
        let device = "phone-\(Int(start.timeIntervalSince1970))"
        let answer = try await send(
            .put,
            "/v1/sync/export",
            Practice.export(device: device, until: now, sessions: [session], totalXP: cycles)
        )
        try #require(answer.status == 200)
    }

    fileprivate func weeks(_ scope: String, _ query: String = "") async throws -> [String] {
        let answer = try await send(.get, "/v1/leaderboards/\(scope)/seasons?\(query)")
        return try #require(answer.json["seasons"] as? [[String: Any]]).map {
            "\($0["week"] ?? "") \($0["state"] ?? "")"
        }
    }
}
