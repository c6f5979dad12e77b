import Domain
import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

/// Whatever happens, in whatever order: every endpoint says to every viewer what counting everything
/// anew would. `SOAK_TOWNS` says in how many towns it is tried.
@Suite(.serialized) struct BoardPropertyTests {
    private static let towns = ProcessInfo.processInfo.environment["SOAK_TOWNS"].flatMap(UInt64.init) ?? 2

    @Test(arguments: 1...towns)
    func `after anything that people do, every board says to everyone what a naive count says`(seed: UInt64)
        async throws
    {
        // Sunday of a week, so that there are two to be on.
        let clock = TestClock(try Date("2061-05-22T12:00:00Z", strategy: .iso8601))
        let server = try await TestServer(clock: clock, keepsTokens: true, isAlone: true)
        try await server.run { nobody in
            var town = Town(server: server, nobody: nobody, clock: clock, random: SplitMix64(seed: seed))
            try await town.found(people: 5)
            try await town.expectAllBoards(after: "the founding")
            for step in 1...14 {
                let deed = step.isMultiple(of: 5) ? try await town.finalise() : try await town.doSomething()
                clock.advance(by: 900)
                try await town.expectAllBoards(after: deed)
            }
            #expect(try await server.boardDifferences() == [])
        }
    }
}

/// People, what they do, and what boards have to say of it.
private struct Town {
    let server: TestServer
    let nobody: Client
    let clock: TestClock
    var random: SplitMix64
    var naive = NaiveBoards()
    /// Who may say whether there is a board.
    var owners: [String: String] = [:]
    var domains: [String: String] = [:]

    private static let switches = [
        "privacy.shareProgress", "privacy.shareStreaks", "privacy.hideFromGlobalLeaderboard",
        "privacy.friendsOnlyVisible", "privacy.showDetailedStats", "leaderboards.global.enabled",
        "leaderboards.global.anonymizedDisplay", "leaderboards.global.statsSharing",
        "leaderboards.global.hidden",
        "leaderboards.friends.enabled", "leaderboards.friends.shareDetailedProgress",
        "leaderboards.friends.hidden",
        "leaderboards.company.enabled", "leaderboards.company.hidden",
    ]

    init(server: TestServer, nobody: Client, clock: TestClock, random: SplitMix64) {
        (self.server, self.nobody, self.clock, self.random) = (server, nobody, clock, random)
    }

    // MARK: What happens

    mutating func found(people count: Int) async throws {
        for number in 0..<count { try await join(named: "P\(number)") }
        let uids = naive.people.keys.sorted()
        for (name, owner) in [("Acme", uids[0]), ("Umbrella", uids[1])] {
            let (id, domain) = try await server.company(name, owner: owner)
            naive.companies[id] = NaiveBoards.Company(members: [owner])
            (owners[id], domains[id]) = (owner, domain)
        }
        let acme = try #require(owners.keys.sorted().first)
        for uid in uids[2...3] { try await enter(acme, uid) }
        try await befriend(uids[0], uids[1])
        try await befriend(uids[0], uids[2])
    }

    private mutating func join(named name: String) async throws {
        // Few different values and moments, so that there are ties of both kinds.
        let (cycles, offset) = (Int.random(in: 20...21, using: &random), Double(naive.people.count % 2))
        let end = clock.now.addingTimeInterval(-offset)
        let (client, uid) = try await nobody.practitioner(name, at: end, cycles: cycles)
        naive.people[uid] = NaiveBoards.Person(
            client: client,
            uid: uid,
            name: name,
            offset: offset,
            agreed: [
                "privacy.shareProgress", "privacy.shareStreaks", "leaderboards.global.enabled",
                "leaderboards.friends.enabled", "leaderboards.friends.shareDetailedProgress",
                "leaderboards.company.enabled",
            ]
        )
        let starts = (0..<10).flatMap { day in
            (1...3).map { end.addingTimeInterval(Double(-day * 86_400 - $0 * 1800)) }
        }
        naive.receive(
            starts.map { NaiveBoards.Sitting(startedAt: $0, cycles: cycles) },
            of: uid,
            at: clock.now
        )
    }

    private mutating func enter(_ company: String, _ uid: String) async throws {
        let client = try #require(naive.people[uid]?.client)
        try await server.recordEmail(of: uid, "\(UUID())@\(domains[company] ?? "")")
        let answer = try await client.join(company)
        try #require(answer.status == 200)
        naive.companies[company]?.members.insert(uid)
    }

    private mutating func befriend(_ one: String, _ other: String) async throws {
        guard one != other, !naive.areApart(one, other) else { return }
        for (asking, asked) in [(one, other), (other, one)] {
            let answer = try await naive.people[asking]?.client.send(.put, "/v1/friends/\(asked)")
            try #require(answer.map { $0.status < 300 } == true)
        }
        naive.friends.insert([one, other])
    }

    /// Does one thing, and says which.
    mutating func doSomething() async throws -> String {
        let uids = naive.people.keys.sorted()
        let uid = try #require(uids.randomElement(using: &random))
        let other = try #require(uids.filter { $0 != uid }.randomElement(using: &random))
        let person = try #require(naive.people[uid])
        let company = try #require(naive.companies.keys.sorted().randomElement(using: &random))
        switch Int.random(in: 0..<19, using: &random) {
        case 0...1:
            try await practise(uid, at: clock.now.addingTimeInterval(-720 - person.offset))
            return "\(person.name) practises"
        case 2...4:
            return try await practiseLate(person)
        case 5...8:
            let what = try #require(Self.switches.randomElement(using: &random))
            try await change(person, what)
            return "\(person.name) changes \(what)"
        case 9:
            let isBlocked = naive.blocks.contains([uid, other])
            let answer = try await person.client.send(
                isBlocked ? .delete : .put,
                "/v1/friends/blocks/\(other)"
            )
            try #require(answer.status == 204)
            if isBlocked {
                naive.blocks.remove([uid, other])
            } else {
                naive.blocks.insert([uid, other])
                naive.friends.remove([uid, other])
            }
            return "\(person.name) \(isBlocked ? "unblocks" : "blocks") \(naive.people[other]?.name ?? "")"
        case 10...11:
            guard !naive.friends.contains([uid, other]) else {
                let answer = try await person.client.send(.delete, "/v1/friends/\(other)")
                try #require(answer.status == 204)
                naive.friends.remove([uid, other])
                return "\(person.name) ends a friendship"
            }
            try await befriend(uid, other)
            return "\(person.name) makes friends"
        case 12...13:
            guard naive.companies[company]?.members.contains(uid) == true else {
                try await enter(company, uid)
                return "\(person.name) joins a company"
            }
            guard owners[company] != uid else { return "nothing" }
            let answer = try await person.client.send(.delete, "/v1/organizations/\(company)/membership")
            try #require(answer.status == 204)
            naive.leave(company, uid)
            return "\(person.name) leaves a company"
        case 14:
            let owner = try #require(naive.people[owners[company] ?? ""])
            let hasBoard = naive.companies[company]?.hasBoard == true
            let answer = try await owner.client.send(
                .patch,
                "/v1/organizations/\(company)",
                ["leaderboard": ["enabled": !hasBoard]]
            )
            try #require(answer.status == 200)
            naive.companies[company]?.hasBoard.toggle()
            return "a company has \(hasBoard ? "no board" : "a board")"
        case 15:
            guard !owners.values.contains(uid) else { return "nothing" }
            try await server.asSuperuser { tx in
                _ = try await tx.execute("delete from app.user where uid = \(UUID(uuidString: uid))")
            }
            naive.forget(uid)
            try await join(named: person.name + "'")
            return "\(person.name) is deleted, and somebody comes"
        case 16:
            let body: [String: Any] = [
                "device": ["id": "laptop", "name": "laptop", "timeZone": "UTC"], "epoch": person.epoch,
            ]
            try #require(try await person.client.send(.post, "/v1/sync/reset", body).status == 200)
            naive.clear(uid, at: clock.now)
            return "\(person.name) clears their data"
        case 17:
            clock.advance(by: Double(Int.random(in: 1...3, using: &random)) * 86_400)
            return "days pass"
        default:
            try await server.asSuperuser { tx in _ = try await tx.execute("select app.fold_global_tally(50)")
            }
            return "counts are folded"
        }
    }

    /// The oldest week of those that people practised in.
    mutating func finalise() async throws -> String {
        let weeks = Set(naive.people.values.flatMap { $0.sittings.map { Week(of: $0.day) } })
        guard let week = weeks.subtracting(naive.closedWeeks).min() else { return "nothing" }
        let season = Season(week)
        // At noon, as always: hours of the morning are for late sessions.
        while clock.now < season.finalAt.date { clock.advance(by: 86_400) }
        try await server.finalise(season)
        naive.close(week)
        return "\(week) becomes final"
    }

    private mutating func practiseLate(_ person: NaiveBoards.Person) async throws -> String {
        let midnight = (clock.now.timeIntervalSince1970 / 86_400).rounded(.down) * 86_400
        let (day, hour) = (Int.random(in: 1...9, using: &random), Int.random(in: 2...9, using: &random))
        let start = Date(
            timeIntervalSince1970: midnight - Double(day) * 86_400 + Double(hour) * 3600 + person.offset
        )
        guard !person.sittings.contains(where: { abs($0.startedAt.timeIntervalSince(start)) < 1200 }),
            person.clearedAt.map({ $0 < start }) ?? true
        else { return "nothing" }
        try await practise(person.uid, at: start)
        return "\(person.name) tells of \(start) late"
    }

    private mutating func practise(_ uid: String, at start: Date) async throws {
        let person = try #require(naive.people[uid])
        let cycles = Int.random(in: 20...21, using: &random)
        var phone = BatchDevice("phone", of: person.client)
        phone.epoch = person.epoch
        let answer = try await phone.sync([Practice.session(startedAt: start, cycles: cycles)])
        try #require(answer.outcomes == ["sessions 0 accepted"], "\(answer.json)")
        naive.receive([NaiveBoards.Sitting(startedAt: start, cycles: cycles)], of: uid, at: clock.now)
    }

    private mutating func change(_ person: NaiveBoards.Person, _ what: String) async throws {
        let isOn = !person.agrees(what)
        let value: Any = what.hasSuffix("statsSharing") ? (isOn ? "detailed" : "minimal") : isOn
        let body = what.split(separator: ".").reversed().reduce(value) { [String($1): $0] }
        let answer = try await person.client.send(.patch, "/v1/me", body)
        try #require(answer.status == 200, "\(answer.json)")
        if isOn {
            naive.people[person.uid]?.agreed.insert(what)
        } else {
            naive.people[person.uid]?.agreed.remove(what)
        }
    }

    // MARK: What is seen

    mutating func expectAllBoards(after deed: String) async throws {
        let aliases = try await server.asSuperuser { tx in
            try await tx.query("select uid, period, alias from app.pseudonym", as: (UUID, String, UUID).self)
        }
        naive.aliases = Dictionary(
            uniqueKeysWithValues: aliases.map {
                ("\($0.0.uuidString.lowercased()) \($0.1)", $0.2.uuidString.lowercased())
            }
        )
        let this = Week(of: LocalDay(of: Instant(clock.now), in: .utc))
        let earlier = naive.closedWeeks.union([Week(of: this.monday.advanced(by: -7))]).sorted()
        let weeks = Set([this, try #require(earlier.suffix(3).randomElement(using: &random))])
        let limit = Int.random(in: 1...4, using: &random)
        let walker = naive.people.keys.sorted().randomElement(using: &random)
        let view = View(naive: naive, now: clock.now, deed: deed, limit: limit)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for person in naive.people.values {
                group.addTask { try await view.expect(weeks: weeks, by: person, walks: person.uid == walker) }
            }
            try await group.waitForAll()
        }
    }
}

/// A moment, looked at by everybody.
private struct View: @unchecked Sendable {
    let naive: NaiveBoards
    let now: Date
    let deed: String
    let limit: Int

    func expect(weeks: Set<Week>, by person: NaiveBoards.Person, walks: Bool) async throws {
        for (scope, company) in [(Scope.global, nil), (.friends, nil)]
            + naive.companies.keys.map({ (.company, $0) })
        {
            if let company, naive.companies[company]?.members.contains(person.uid) != true {
                let answer = try await person.client.send(
                    .get,
                    "/v1/leaderboards/company?organization=\(company)"
                )
                #expect(answer.status == 404, "\(deed)")
                continue
            }
            for metric in scope.metrics {
                for week in metric == .totalSessions ? [nil] : weeks.map(Optional.some) {
                    let board = NaiveBoards.Board(scope: scope, metric: metric, week: week, company: company)
                    try await expect(board, by: person, walks: walks)
                }
            }
            let query = "limit=52" + (company.map { "&organization=\($0)" } ?? "")
            let listed = try await person.client.send(
                .get,
                "/v1/leaderboards/\(scope.rawValue)/seasons?\(query)"
            )
            let seasons = listed.json["seasons"] as? [[String: Any]] ?? []
            #expect(
                seasons.map { "\($0["week"] ?? "") \($0["state"] ?? "")" }
                    == naive.seasons(scope, of: company, for: person.uid, at: now),
                "\(scope) seasons for \(person.name) after \(deed)"
            )
        }
    }

    private func expect(_ board: NaiveBoards.Board, by person: NaiveBoards.Person, walks: Bool) async throws {
        let (seen, total) = naive.board(board, for: person.uid)
        let path = "/v1/leaderboards/\(board.scope.rawValue)"
        let period = board.week.map { "&period=\($0)" } ?? ""
        let what = "\(path)?\(board.query)\(period) for \(person.name) after \(deed)"
        let rows = seen.map { row($0, on: board, for: person) }

        let page = try await person.client.send(.get, "\(path)?\(board.query)\(period)&limit=100").json
        #expect(page.rows == rows, "\(what)")
        #expect(page["total"] as? Int == total, "\(what)")
        #expect(page["isHidden"] as? Bool == naive.isHidden(board.scope, from: person.uid), "\(what)")
        #expect(page.own == own(in: seen, of: total, for: person), "\(what)")
        // Nobody is on it, and it has been looked at.
        guard board.metric != .teamChallengeParticipation else { return }

        let around = try await person.client.send(
            .get,
            "\(path)?\(board.query)\(period)&around=me&limit=\(limit)"
        ).json
        let position = seen.firstIndex { $0.uid == person.uid } ?? 0
        #expect(
            around.rows == Array(rows.dropFirst(max(0, position - limit / 2)).prefix(limit)),
            "around \(what)"
        )

        if walks {
            try await expectWalk(
                from: "\(path)?\(board.query)\(period)&limit=\(limit)",
                rows,
                by: person,
                what
            )
        }
        guard let week = board.week else { return }
        let season = try await person.client.send(.get, "\(path)/seasons/\(week)?\(board.query)&limit=100")
            .json
        #expect(season.rows == rows, "season \(what)")
        #expect(season["total"] as? Int == total, "season \(what)")
        let podium = (season["podium"] as? [[String: Any]] ?? []).map(\.row)
        #expect(podium == zip(seen, rows).prefix(3).filter { $0.0.rank <= 3 }.map(\.1), "podium \(what)")
        let changes = (season["changes"] as? [[String: Any]] ?? []).map { change in
            "\(change.who) \((change["value"] as? Double ?? -1).text)\(change["isMe"] as? Bool == true ? " me" : "")"
                + " from \((change["before"] as? Double ?? -1).text)"
        }
        #expect(changes == naive.changes(on: board, for: person.uid, at: now), "changes \(what)")
    }

    /// Down page by page, and up again.
    private func expectWalk(
        from path: String,
        _ rows: [String],
        by person: NaiveBoards.Person,
        _ what: String
    )
        async throws
    {
        var page = try await person.client.send(.get, path).json
        var down = page.rows
        while let cursor = page["nextCursor"] as? String {
            page = try await person.client.send(.get, "\(path)&cursor=\(cursor)").json
            down += page.rows
        }
        #expect(down == rows, "down \(what)")
        var up = page.rows
        while let cursor = page["previousCursor"] as? String {
            page = try await person.client.send(.get, "\(path)&cursor=\(cursor)").json
            up = page.rows + up
        }
        #expect(up == rows, "up \(what)")
    }

    private func row(_ place: NaiveBoards.Place, on board: NaiveBoards.Board, for person: NaiveBoards.Person)
        -> String
    {
        let stats = naive.stats(of: place.uid, on: board).sorted { $0.key < $1.key }
        return
            ([String(place.rank), naive.seen(place, on: board, by: person.uid)]
            + stats.map { "\($0.key) \($0.value.text)" })
            .joined(separator: " ")
    }

    private func own(in seen: [NaiveBoards.Place], of total: Int, for person: NaiveBoards.Person) -> String {
        guard let mine = seen.first(where: { $0.uid == person.uid }) else { return "none" }
        let next = seen.filter { $0.value > mine.value }.map(\.value).min()
        let gap = next.map { ($0 - mine.value).text } ?? "none"
        return
            "\(mine.rank) \(mine.value.text) gap \(gap) percentile \(100 * (total - mine.rank + 1) / max(1, total))"
    }
}

extension [String: Any] {
    fileprivate var rows: [String] { (self["entries"] as? [[String: Any]] ?? []).map(\.row) }

    fileprivate var who: String {
        guard let uid = self["uid"] else { return "somebody" }
        return "\(self["displayName"] ?? "?") \(uid)"
    }

    fileprivate var row: String {
        let stats = (self["stats"] as? [String: Double] ?? [:]).filter { $0.key != "longestStreak" }
            .sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.text)" }
        let mine = self["isMe"] as? Bool == true ? " me" : ""
        let value = self["value"] as? Double ?? -1
        return (["\(self["rank"] ?? "")", "\(who) \(value.text)\(mine)"] + stats).joined(separator: " ")
    }

    fileprivate var own: String {
        guard let me = self["me"] as? [String: Any] else { return "none" }
        let gap = (me["gapToNext"] as? Double)?.text ?? "none"
        return
            "\(me["rank"] ?? "") \((me["value"] as? Double ?? -1).text) gap \(gap) percentile \(me["percentile"] ?? "")"
    }
}
