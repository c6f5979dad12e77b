import Domain
import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

/// People, what they do, and what boards have to say of it.
struct Town {
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
        let view = BoardView(naive: naive, now: clock.now, deed: deed, limit: limit)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for person in naive.people.values {
                group.addTask { try await view.expect(weeks: weeks, by: person, walks: person.uid == walker) }
            }
            try await group.waitForAll()
        }
    }
}
