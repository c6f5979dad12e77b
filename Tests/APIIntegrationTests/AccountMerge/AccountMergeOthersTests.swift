import Domain
import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

/// What others see of two accounts that become one: companies, friends, who is blocked, boards.
struct AccountMergeOthersTests {
    private let end = Practice.noon

    @Test func `a company is left, with a line in its record, and not without its last owner`() async throws {
        let server = try await TestServer(clock: TestClock(end), keepsTokens: true, isAlone: true)
        try await server.run { nobody in
            let (ada, goes) = try await nobody.practitioner("Ada", at: end)
            let (ben, _) = try await nobody.newcomer()
            let (olga, owner) = try await nobody.newcomer()
            let acme = try await server.company("Acme", owner: owner)
            try await server.recordEmail(of: goes, "ada@\(acme.domain)")
            #expect(try await ada.join(acme.id).status == 200)
            #expect(try await olga.board("company?organization=\(acme.id)") == "1 Ada")
            let birch = try await server.company("Birch", owner: goes)
            #expect(try await ada.merge(into: ben).json["code"] as? String == "last_owner")
            #expect(try await ada.board("company?organization=\(acme.id)") == "1 Ada")

            try await server.asSuperuser { tx in
                try await tx.execute(
                    "delete from app.organization where organization_id = \(UUID(uuidString: birch.id))"
                )
            }
            #expect(try await ada.merge(into: ben).status == 200)
            #expect(try await olga.board("company?organization=\(acme.id)") == "empty")
            #expect(try await ben.board("company?organization=\(acme.id)") == "404")
            let record =
                try await olga.send(.get, "/v1/organizations/\(acme.id)/audit").json["events"]
                as? [[String: Any]]
            let lines = try #require(record).map { "\($0["action"] ?? "") \($0["target"] ?? "")" }
            #expect(lines.contains("member.left user:\(goes)"))
        }
    }

    @Test func `whom one of them has blocked stays blocked, and is no friend any more`() async throws {
        try await TestServer().run { nobody in
            let (ada, _) = try await nobody.newcomer()
            let (ben, stays) = try await nobody.newcomer()
            let frank = try await nobody.friend(of: ben, stays)
            let me = try await frank.send(.get, "/v1/me").json["uid"] as? String
            let uid = try #require(me)
            #expect(try await ada.send(.put, "/v1/friends/blocks/\(uid)").status == 204)
            #expect(try await ada.merge(into: ben).status == 200)
            #expect(try await frank.states() == [:])
            let blocks = try await ben.send(.get, "/v1/friends/blocks").json["blocks"] as? [[String: Any]]
            #expect(blocks?.map { $0["uid"] as? String } == [uid])
            #expect(try await frank.send(.put, "/v1/friends/\(stays)").status == 404)
        }
    }

    @Test func `who has blocked the one has blocked the other, and may be asked in vain`() async throws {
        try await TestServer().run { nobody in
            let (goes, goesID) = try await nobody.newcomer()
            let (stays, staysID) = try await nobody.newcomer()
            let ada = try await nobody.friend(of: stays, staysID)
            let adaID = try #require(try await ada.send(.get, "/v1/me").json["uid"] as? String)
            // One's own other account is nobody to go on blocking.
            for client in [ada, stays] {
                #expect(try await client.send(.put, "/v1/friends/blocks/\(goesID)").status == 204)
            }
            #expect(try await ada.states() == [staysID: "friends"])
            #expect(try await goes.merge(into: stays).status == 200)

            func blocked(by client: Client) async throws -> [String?] {
                let answer = try await client.send(.get, "/v1/friends/blocks")
                return (answer.json["blocks"] as? [[String: Any]] ?? []).map { $0["uid"] as? String }
            }
            #expect(try await blocked(by: ada) == [staysID])
            #expect(try await blocked(by: stays) == [])
            #expect(try await ada.states() == [:])
            #expect(try await stays.states() == [:])
            #expect(try await stays.befriend(adaID) == "requested")
            #expect(try await ada.states() == [:])
        }
    }

    @Test func `a closed week doesn't have what came with an account, and what is wrong there is found`()
        async throws
    {
        let clock = TestClock(end)
        let server = try await TestServer(clock: clock, keepsTokens: true, isAlone: true)
        try await server.run { nobody in
            let (laptop, _) = try await nobody.veteran(until: end)
            var (desktop, stays) = try await nobody.veteran(until: end.addingTimeInterval(-7200), "desktop")
            // Of a week in which the other account had nothing.
            let early = end.addingTimeInterval(-30 * 86_400)
            try await desktop.sync([Practice.session(startedAt: early, cycles: 40)])
            let weeks = [end, end.addingTimeInterval(-7 * 86_400), early].map {
                Week(of: LocalDay(of: Instant($0), in: .utc))
            }
            clock.advance(by: Season(weeks[0]).finalAt.date.timeIntervalSince(clock.now))
            for week in weeks { try await server.finalise(Season(week)) }
            clock.advance(by: 600)
            #expect(try await laptop.client.merge(into: desktop.client).status == 200)
            #expect(try await server.boardDifferences() == [])

            try await server.asSuperuser {
                _ = try await $0.execute(
                    "update app.standing set weekly_xp = 777 where period = \(weeks[2].description)"
                )
            }
            let found = try await server.boardDifferences()
            #expect(found == ["user \(stays), standing \(weeks[2]): weekly_xp is 777, expected 45"])
        }
    }
}
