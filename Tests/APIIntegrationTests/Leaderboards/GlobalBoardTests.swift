import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

/// The global board, which never counts everyone, beside one that does.
struct GlobalBoardTests {
    /// A year that no other test practises in.
    private static let year = 2041

    @Test(arguments: [1, 2] as [UInt64])
    func `whatever people do, each page says what counting everyone would`(seed: UInt64) async throws {
        let clock = TestClock(try Date("\(Self.year + Int(seed))-06-05T12:00:00Z", strategy: .iso8601))
        let server = try await TestServer(clock: clock, isAlone: true)
        try await server.run { nobody in
            var random = SplitMix64(seed: seed)
            var people: [Person] = []
            for number in 0..<12 {
                // Few different values, so that there are ties.
                let cycles = Int.random(in: 20...23, using: &random)
                let (client, uid) = try await nobody.practitioner("P\(number)", at: clock.now, cycles: cycles)
                people.append(Person(client: client, uid: uid))
            }
            for _ in 0..<12 {
                try await Deed.allCases.randomElement(using: &random)?.happen(
                    among: &people,
                    on: server,
                    at: clock,
                    using: &random
                )
                let viewer = try #require(people.randomElement(using: &random))
                for metric in ["weeklyXP", "weeklyStreak"] {
                    try await viewer.expectBoard(
                        metric,
                        on: server,
                        limit: Int.random(in: 1...5, using: &random)
                    )
                }
            }
            #expect(try await server.boardDifferences() == [])
        }
    }

    @Test func `a page that is read while others write is of one moment`() async throws {
        let clock = TestClock(try Date("2059-05-18T12:00:00Z", strategy: .iso8601))
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let ada = try await nobody.practitioner("Ada", at: clock.now)
            let acme = try await server.company("Acme", owner: ada.uid)
            var people = [ada.client]
            for name in ["Ben", "Cleo", "Dana"] {
                people.append(try await server.employee(name, of: acme, nobody, at: clock.now).client)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (place, person) in people.enumerated() {
                    group.addTask {
                        var phone = BatchDevice("phone", of: person)
                        for number in 1...12 {
                            let start = clock.now.addingTimeInterval(Double(-2 * 86_400 + number * 1200))
                            try await phone.sync([
                                Practice.session(startedAt: start, cycles: 10 * place + number)
                            ])
                            let comes = ["global": ["enabled": number.isMultiple(of: 2)]]
                            try await person.change(["leaderboards": comes])
                        }
                    }
                    group.addTask {
                        for _ in 0..<30 {
                            try await person.expectOneMoment(of: "global", of: nil)
                            try await person.expectOneMoment(
                                of: "company?organization=\(acme.id)&limit=3",
                                of: 4
                            )
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await ada.client.board("global").components(separatedBy: ", ").count == 4)
        }
    }
}

extension Client {
    /// Reads a page of a board's top, whose rows, ranks and total have to agree with one another.
    ///
    /// - Parameter people: how many are on the board; nil where all of them are on the page.
    fileprivate func expectOneMoment(of board: String, of people: Int?) async throws {
        let page = try await send(.get, "/v1/leaderboards/\(board)").json
        let entries = try #require(page["entries"] as? [[String: Any]], "\(page)")
        let values = entries.compactMap { $0["value"] as? Int }
        func rank(of value: Int) -> Int { 1 + values.count { $0 > value } }
        #expect(values == values.sorted(by: >))
        #expect(entries.compactMap { $0["rank"] as? Int } == values.map(rank))
        #expect(page["total"] as? Int == people ?? entries.count)
        let own = entries.first { $0["isMe"] as? Bool == true }
        guard let me = page["me"] as? [String: Any] else {
            #expect(own == nil)
            return
        }
        let value = try #require(me["value"] as? Int)
        #expect(me["rank"] as? Int == rank(of: value))
        if let own {
            #expect(own["value"] as? Int == value)
        } else {
            // The one of four whom a page of three doesn't have.
            #expect(people != nil)
            #expect(try #require(values.last) >= value)
        }
    }
}

private struct Person {
    let client: Client
    let uid: String
    var hides = false
    var isAnonymous = false
    var isForFriendsOnly = false

    /// Walks the board down, up again and looks around, and compares it with a count of everyone.
    func expectBoard(_ metric: String, on server: TestServer, limit: Int) async throws {
        let first = try await client.send(.get, "/v1/leaderboards/global?metric=\(metric)&limit=\(limit)")
            .json
        let period = try #require(first["period"] as? String)
        let everyone = try await server.everyone(by: metric, in: period)
        let seen = try await everyone.filter { person in
            // Whom a block hides could be told by their pseudonym's going.
            if person.isAnonymous { return true }
            return try await !server.block(between: person.uid, and: uid)
        }
        let own = everyone.first { $0.uid == uid }

        #expect(first["total"] as? Int == everyone.count)
        let me = first["me"] as? [String: Any]
        #expect(me?["rank"] as? Int == own?.rank)
        #expect(me?["value"] as? Int == own?.value)
        #expect(
            me?["gapToNext"] as? Int
                == own.flatMap { own in
                    seen.filter { $0.value > own.value }.map(\.value).min().map { $0 - own.value }
                }
        )
        #expect(
            me?["percentile"] as? Int
                == own.map { own in
                    100 * everyone.filter { $0.value <= own.value }.count / everyone.count
                }
        )

        var page = first
        var down = page.places
        var pages = [page.places]
        while let cursor = page["nextCursor"] as? String {
            page = try await self.page(metric, limit, "&cursor=\(cursor)")
            down += page.places
            pages.append(page.places)
        }
        #expect(down == seen.map(\.place))
        #expect(pages.allSatisfy { $0.count == limit || $0 == pages.last })

        var up = page.places
        while let cursor = page["previousCursor"] as? String {
            page = try await self.page(metric, limit, "&cursor=\(cursor)")
            up = page.places + up
        }
        #expect(up == down)

        let around = try await self.page(metric, limit, "&around=me").places
        let position = seen.firstIndex { $0.uid == uid } ?? 0
        #expect(around == seen.dropFirst(max(0, position - limit / 2)).prefix(limit).map(\.place))
    }

    private func page(_ metric: String, _ limit: Int, _ rest: String) async throws -> [String: Any] {
        try await client.send(.get, "/v1/leaderboards/global?metric=\(metric)&limit=\(limit)\(rest)").json
    }
}

/// What may happen between two looks at a board.
private enum Deed: CaseIterable {
    case practise
    case practiseLate
    case optOut
    case optIn
    case hideStreaks
    case changeName
    case showToFriendsOnly
    case block
    case unblock
    case leaveForGood
    case fold

    func happen(
        among people: inout [Person],
        on server: TestServer,
        at clock: TestClock,
        using random: inout SplitMix64
    ) async throws {
        let index = Int.random(in: people.indices, using: &random)
        let (person, other) = (people[index], people[(index + 1) % people.count])
        switch self {
        case .practise, .practiseLate:
            let minutes = self == .practise ? 30.0 : 60 * 24 * 3
            var laptop = BatchDevice("phone", of: person.client)
            try await laptop.sync([
                Practice.session(
                    startedAt: clock.now.addingTimeInterval(-minutes * 60),
                    cycles: Int.random(in: 20...23, using: &random)
                )
            ])
        case .optOut, .optIn:
            try await person.change(["leaderboards": ["global": ["enabled": self == .optIn]]])
        case .hideStreaks:
            try await person.change(["privacy": ["shareStreaks": person.hides]])
            people[index].hides.toggle()
        case .changeName:
            people[index].isAnonymous.toggle()
            try await person.change([
                "leaderboards": ["global": ["anonymizedDisplay": !person.isAnonymous]]
            ])
        case .showToFriendsOnly:
            people[index].isForFriendsOnly.toggle()
            try await person.change(["privacy": ["friendsOnlyVisible": !person.isForFriendsOnly]])
        case .block:
            _ = try await person.client.send(.put, "/v1/friends/blocks/\(other.uid)")
        case .unblock:
            _ = try await person.client.send(.delete, "/v1/friends/blocks/\(other.uid)")
        case .leaveForGood:
            guard people.count > 6 else { return }
            try await server.asSuperuser { tx in
                try await tx.execute("delete from app.user where uid = \(UUID(uuidString: person.uid))")
            }
            people.remove(at: index)
        case .fold:
            try await server.asSuperuser { tx in
                try await tx.execute(
                    "select app.fold_global_tally(\(Int32.random(in: 1...40, using: &random)))"
                )
            }
        }
    }
}

extension Person {
    fileprivate func change(_ settings: [String: Any]) async throws {
        #expect(try await client.send(.patch, "/v1/me", settings).status == 200)
    }
}

/// One standing as a naive count has it.
private struct Place {
    let uid: String
    let isAnonymous: Bool
    let value: Int
    let rank: Int

    var place: String { "\(rank) \(isAnonymous ? "" : uid) \(value)" }
}

extension [String: Any] {
    fileprivate var places: [String] {
        (self["entries"] as? [[String: Any]] ?? []).map {
            "\($0["rank"] ?? "") \($0["uid"] ?? "") \($0["value"] as? Int ?? -1)"
        }
    }
}

extension TestServer {
    /// From what people reached and agreed to, not from what the board keeps.
    fileprivate func everyone(by metric: String, in period: String) async throws -> [Place] {
        let rows = try await asSuperuser { tx in
            try await tx.query(
                """
                select s.uid, s.weekly_xp, s.weekly_streak, u.share_streaks, u.anonymized_display
                from app.standing s
                  join app.user u on u.uid = s.uid
                  left join app.pseudonym p on p.uid = s.uid and p.period = s.period and u.anonymized_display
                where s.period = \(period) and u.share_progress and u.global_board and not u.friends_only_visible
                order by case when \(metric == "weeklyXP") then s.weekly_xp else s.weekly_streak end desc,
                  case when \(metric == "weeklyXP") then s.last_session_at else s.streak_at end,
                  coalesce(p.alias, s.uid)
                """,
                as: (UUID, Int, Int, Bool, Bool).self
            )
        }
        let values = rows.compactMap {
            uid,
            xp,
            streak,
            sharesStreaks,
            isAnonymous -> (uid: String, isAnonymous: Bool, value: Int)? in
            let value = metric == "weeklyXP" ? xp : sharesStreaks ? streak : 0
            return value > 0 ? (uid.uuidString.lowercased(), isAnonymous, value) : nil
        }
        return values.map { row in
            Place(
                uid: row.uid,
                isAnonymous: row.isAnonymous,
                value: row.value,
                rank: 1 + values.filter { $0.value > row.value }.count
            )
        }
    }

    fileprivate func block(between one: String, and other: String) async throws -> Bool {
        let (one, other) = (UUID(uuidString: one), UUID(uuidString: other))
        return try await asSuperuser { tx in
            try await tx.queryOne(
                """
                select exists (select from app.block where (uid, blocked_uid) in ((\(one), \(other)), (\(other), \(one))))
                """,
                as: Bool.self
            )
        }
    }
}

extension Array {
    fileprivate func filter(_ isKept: (Element) async throws -> Bool) async rethrows -> [Element] {
        var kept: [Element] = []
        for element in self where try await isKept(element) { kept.append(element) }
        return kept
    }
}
