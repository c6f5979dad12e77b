import Domain
import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

/// Each way to be gone × each place where one was seen. What is read is what another connection
/// to the database sees at the moment at which the change is answered, and not what a handler says.
struct BoardVanishingTests {
    /// Where Ben sees Ada, his friend and colleague.
    private enum Surface: String, CaseIterable {
        case globalBoard, globalStreak, globalCount, globalTotals, globalSeason, globalStreakSeason
        case friendsBoard, friendsStreak, friendsAllTime, friendsSeason
        case companyBoard, companySeason

        /// Whether she is there.
        func shows(_ ada: UUID) -> SQL {
            switch self {
            case .globalBoard:
                "exists (select from board.global where uid = \(ada) and period = '2047-W20')"
            case .globalStreak:
                "exists (select from board.global where uid = \(ada) and period = '2047-W20' and weekly_streak is not null)"
            case .globalCount:
                """
                (select sum(people) from board.global_count
                  where period = '2047-W20' and metric = 'weekly_xp' and level in (1, 2)) = 2
                """
            case .globalTotals: "exists (select from board.global_total where uid = \(ada))"
            case .globalSeason:
                "exists (select from board.global_season_rank where uid = \(ada) and metric = 'weekly_xp')"
            case .globalStreakSeason:
                "exists (select from board.global_season_rank where uid = \(ada) and metric = 'weekly_streak')"
            case .friendsBoard:
                "exists (select from board.friends where uid = \(ada) and period = '2047-W20')"
            case .friendsStreak:
                "exists (select from board.friends where uid = \(ada) and period = '2047-W20' and weekly_streak is not null)"
            case .friendsAllTime:
                "exists (select from board.friends where uid = \(ada) and period = 'all-time' and total_sessions is not null)"
            case .friendsSeason:
                "exists (select from board.friends where uid = \(ada) and period = '2047-W19')"
            case .companyBoard:
                "exists (select from board.company where uid = \(ada) and period = '2047-W20')"
            case .companySeason: "exists (select from board.company_season_rank where uid = \(ada))"
            }
        }

        static let global: Set<Surface> = [
            .globalBoard, .globalStreak, .globalCount, .globalTotals, .globalSeason, .globalStreakSeason,
        ]
        static let friends: Set<Surface> = [.friendsBoard, .friendsStreak, .friendsAllTime, .friendsSeason]
        static let company: Set<Surface> = [.companyBoard, .companySeason]
    }

    private struct Way {
        let name: String
        let vanishesFrom: Set<Surface>
        let change: (Town) async throws -> Client.Answer
        /// Nil for what can't be taken back.
        var undo: ((Town) async throws -> Client.Answer)?

        /// A member of the profile that is set, and set back.
        init(_ member: String, to value: Any, from former: Any, vanishesFrom surfaces: Set<Surface>) {
            func body(_ value: Any) -> [String: Any] {
                let parts = member.split(separator: ".").map(String.init)
                return parts.dropLast().reversed().reduce([parts[parts.count - 1]: value]) { [$1: $0] }
            }
            name = "\(member) \(value)"
            vanishesFrom = surfaces
            change = { try await $0.ada.send(.patch, "/v1/me", body(value)) }
            undo = { try await $0.ada.send(.patch, "/v1/me", body(former)) }
        }

        init(
            _ name: String,
            vanishesFrom surfaces: Set<Surface>,
            change: @escaping (Town) async throws -> Client.Answer,
            undo: ((Town) async throws -> Client.Answer)? = nil
        ) {
            (self.name, vanishesFrom, self.change, self.undo) = (name, surfaces, change, undo)
        }

        static var all: [Way] {
            // Ranks of the global board count everyone who opted in, behind a block or not.
            let behindBlock = Surface.global.subtracting([.globalCount]).union(Surface.friends).union(
                Surface.company
            )
            return [
                Way("leaderboards.global.enabled", to: false, from: true, vanishesFrom: Surface.global),
                Way("privacy.hideFromGlobalLeaderboard", to: true, from: false, vanishesFrom: Surface.global),
                Way(
                    "privacy.friendsOnlyVisible",
                    to: true,
                    from: false,
                    vanishesFrom: Surface.global.union(Surface.company)
                ),
                Way("privacy.shareProgress", to: false, from: true, vanishesFrom: Set(Surface.allCases)),
                Way(
                    "privacy.shareStreaks",
                    to: false,
                    from: true,
                    vanishesFrom: [.globalStreak, .globalStreakSeason, .friendsStreak]
                ),
                Way("privacy.showDetailedStats", to: false, from: true, vanishesFrom: [.globalTotals]),
                Way(
                    "leaderboards.global.statsSharing",
                    to: "standard",
                    from: "detailed",
                    vanishesFrom: [.globalTotals]
                ),
                Way("leaderboards.friends.enabled", to: false, from: true, vanishesFrom: Surface.friends),
                Way(
                    "leaderboards.friends.shareDetailedProgress",
                    to: false,
                    from: true,
                    vanishesFrom: [.friendsAllTime]
                ),
                Way("leaderboards.company.enabled", to: false, from: true, vanishesFrom: Surface.company),
                Way("the company has no board", vanishesFrom: Surface.company) {
                    try await $0.showsBoard(false)
                } undo: {
                    try await $0.showsBoard(true)
                },
                Way("the friendship ends", vanishesFrom: Surface.friends) {
                    try await $0.ada.send(.delete, "/v1/friends/\($0.benID)")
                } undo: {
                    try await $0.befriend()
                },
                Way("Ada blocks Ben", vanishesFrom: behindBlock) {
                    try await $0.ada.send(.put, "/v1/friends/blocks/\($0.benID)")
                } undo: {
                    _ = try await $0.ada.send(.delete, "/v1/friends/blocks/\($0.benID)")
                    return try await $0.befriend()
                },
                Way("Ben blocks Ada", vanishesFrom: behindBlock) {
                    try await $0.ben.send(.put, "/v1/friends/blocks/\($0.adaID)")
                } undo: {
                    _ = try await $0.ben.send(.delete, "/v1/friends/blocks/\($0.adaID)")
                    return try await $0.befriend()
                },
                Way("Ada leaves the company", vanishesFrom: Surface.company) {
                    try await $0.ada.send(.delete, "/v1/organizations/\($0.acme)/membership")
                },
            ]
        }
    }

    /// Ada, Ben and where they work.
    private struct Town {
        let ada, ben: Client
        let adaID, benID, acme: String

        func befriend() async throws -> Client.Answer {
            _ = try await ada.send(.put, "/v1/friends/\(benID)")
            return try await ben.send(.put, "/v1/friends/\(adaID)")
        }

        func showsBoard(_ isEnabled: Bool) async throws -> Client.Answer {
            try await ben.send(.patch, "/v1/organizations/\(acme)", ["leaderboard": ["enabled": isEnabled]])
        }
    }

    @Test func `who goes is gone from every place that the rules say, in the same transaction`() async throws
    {
        let clock = TestClock(try Date("2047-05-19T12:00:00Z", strategy: .iso8601))
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            let ada = try await nobody.practitioner("Ada", at: clock.now)
            let ben = try await nobody.practitioner("Ben", at: clock.now)
            let acme = try await server.company("Acme", owner: ben.uid)
            try await server.recordEmail(of: ada.uid, "ada@\(acme.domain)")
            _ = try await ada.client.join(acme.id)
            try await ada.client.change([
                "privacy": ["showDetailedStats": true],
                "leaderboards": ["global": ["statsSharing": "detailed"]],
            ])
            let town = Town(
                ada: ada.client,
                ben: ben.client,
                adaID: ada.uid,
                benID: ben.uid,
                acme: acme.id
            )
            _ = try await town.befriend()
            try await server.finalise(Season(try #require(Week("2047-W19"))))

            let other = PGPool(PGConfiguration(server.database))
            let (adaID, benID) = (
                try #require(UUID(uuidString: ada.uid)), try #require(UUID(uuidString: ben.uid))
            )
            let binding: SQL = "select app.bind(\(benID), \(UUID(uuidString: acme.id)))"
            func seen() async throws -> Set<Surface> {
                var seen: Set<Surface> = []
                for surface in Surface.allCases {
                    let shows = try await other.transaction(.readOnly, opening: binding) { tx in
                        try await tx.queryOne(
                            "select coalesce(\(surface.shows(adaID)), false)",
                            as: Bool.self
                        )
                    }
                    if shows { seen.insert(surface) }
                }
                return seen
            }
            let everywhere = Set(Surface.allCases)
            #expect(try await seen() == everywhere)
            for way in Way.all {
                let answer = try await way.change(town)
                let seenThen = try await seen()
                #expect(seenThen == everywhere.subtracting(way.vanishesFrom), "\(way.name)")
                #expect((200..<300).contains(answer.status), "\(way.name)")
                guard let undo = way.undo else { continue }
                let undone = try await undo(town)
                #expect((200..<300).contains(undone.status), "\(way.name), undone")
                #expect(try await seen() == everywhere, "\(way.name), undone")
            }
            try await server.asSuperuser {
                _ = try await $0.execute("delete from app.user where uid = \(adaID)")
            }
            #expect(try await seen() == [])
            await other.close()
        }
    }

    @Test func `a change of mind and what it hides are one transaction`() async throws {
        let clock = TestClock(try Date("2047-06-23T12:00:00Z", strategy: .iso8601))
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (_, uid) = try await nobody.practitioner("Ada", at: clock.now)
            let (_, viewer) = try await nobody.newcomer()
            let (adaID, viewerID) = (
                try #require(UUID(uuidString: uid)), try #require(UUID(uuidString: viewer))
            )
            let (mine, others) = (
                PGPool(PGConfiguration(server.database)), PGPool(PGConfiguration(server.database))
            )
            func seenByOthers() async throws -> [Int] {
                try await others.transaction(.readOnly, opening: "select app.bind(\(viewerID))") { tx in
                    [
                        try await tx.queryOne(
                            "select count(*) from board.global where period = '2047-W25'",
                            as: Int.self
                        ),
                        try await tx.queryOne(
                            "select coalesce(sum(people), 0)::bigint from board.global_count where period = '2047-W25' and level in (1, 2)",
                            as: Int.self
                        ),
                    ]
                }
            }
            let before = try await seenByOthers()
            #expect(before == [1, 2])
            try await mine.transaction(opening: "select app.bind(\(adaID))") { tx in
                try await tx.execute("update app.user set global_board = false where uid = \(adaID)")
                #expect(
                    try await tx.queryOne(
                        "select count(*) from board.global where period = '2047-W25'",
                        as: Int.self
                    ) == 0
                )
                #expect(try await seenByOthers() == before)
            }
            #expect(try await seenByOthers() == [0, 0])
            await mine.close()
            await others.close()
        }
    }
}
