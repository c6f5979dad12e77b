import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

/// What becomes of the practice of two accounts that become one.
struct AccountMergeTests {
    private let end = Practice.noon

    @Test func `two accounts become one when both have said yes, with everything that they had`() async throws
    {
        let server = try await TestServer(clock: TestClock(end), keepsTokens: true, isAlone: true)
        try await server.run { nobody in
            let (laptop, goes) = try await nobody.veteran(until: end)
            var (desktop, stays) = try await nobody.veteran(until: end.addingTimeInterval(-7200), "desktop")
            try await server.recordEmail(of: goes, "ada@old.example")
            let frank = try await nobody.friend(of: laptop.client, goes)

            let code = try await laptop.client.openMerge()
            let typed = code.lowercased().replacing("-", with: "")
            let preview = try await desktop.client.send(.get, "/v1/me/merges/\(typed)")
            #expect(preview.status == 200)
            #expect(preview.practice(of: "from")?["totalXP"] == 1350)
            #expect(preview.practice(of: "into")?["totalXP"] == 1350)
            #expect(preview.practice()?["totalXP"] == 2700)
            #expect(preview.practice()?["totalSessions"] == 60)
            #expect(preview.json["addressesLeft"] as? [String] == ["ada@old.example"])
            #expect(try await laptop.client.send(.get, "/v1/me/merge").json["state"] as? String == "waiting")
            #expect(try await laptop.client.confirmMerge(into: stays).status == 409)
            #expect(try await desktop.client.send(.post, "/v1/me/merges/\(code)").status == 204)
            let agreed = try await laptop.client.send(.get, "/v1/me/merge").json
            #expect(agreed["state"] as? String == "agreed")
            let seen = try #require(agreed["preview"] as? [String: Any])
            #expect(NSDictionary(dictionary: seen) == NSDictionary(dictionary: preview.json))

            let elsewhere = try await laptop.client.confirmMerge(into: goes)
            #expect(elsewhere.json["code"] as? String == "merge_not_agreed")
            let merged = try await laptop.client.confirmMerge(into: stays)
            #expect(merged.status == 200)
            #expect(merged.json["uid"] as? String == stays)
            #expect((merged.json["practice"] as? [String: Int]) == preview.practice())
            #expect(try await laptop.client.send(.get, "/v1/me").status == 401)

            let state = try await desktop.client.send(.get, "/v1/sync/state").json
            #expect(state["totalXP"] as? Int == 2700)
            let emails =
                try await desktop.client.send(.get, "/v1/me/emails").json["emails"] as? [[String: Any]]
            #expect(emails?.isEmpty == true, "What lets somebody in stays behind,")
            try await server.recordEmail(of: stays, "ada@old.example")
            #expect(try await frank.states() == [stays: "requested"], "and a friend asks.")
            #expect(try await desktop.client.states().values.sorted() == ["received"])
            let record =
                try await desktop.client.send(.get, "/v1/me/audit-events").json["events"] as? [[String: Any]]
            let lines = try #require(record).map { "\($0["action"] ?? "") \($0["detail"] ?? "")" }
            #expect(Set(lines) == ["account.created ", "account.merge-agreed ", "account.merged \(goes)"])

            // Signed in to the account that stayed, the laptop goes on where it was.
            var moved = BatchDevice("laptop", of: desktop.client)
            (moved.epoch, moved.baseVersion, moved.totalXP) = (
                laptop.epoch, laptop.baseVersion, laptop.totalXP
            )
            moved.totalXP += 7
            try await moved.sync([Practice.session(startedAt: end.addingTimeInterval(-600), cycles: 50)])
            try await desktop.sync()
            #expect(desktop.totalXP == 2700 + 50 + 5 + 7)
            #expect(moved.totalXP == desktop.totalXP)
            #expect(try await server.boardDifferences() == [])
            let left = try await server.asSuperuser { tx in
                try await tx.queryOne(
                    "select count(*) from app.user where uid = \(UUID(uuidString: goes))",
                    as: Int.self
                )
            }
            #expect(left == 0)
        }
    }

    @Test func `a device that has synced with both accounts counts once`() async throws {
        let server = try await TestServer(clock: TestClock(end), isAlone: true)
        try await server.run { nobody in
            let (old, _) = try await nobody.veteran(until: end)
            let (new, _) = try await nobody.veteran(until: end)
            try await old.client.merge(into: new.client)
            let state = try await new.client.send(.get, "/v1/sync/state").json
            #expect(state["totalXP"] as? Int == 1350)
            #expect(state["totalSessions"] as? Int == 30)
            #expect(try await server.boardDifferences() == [])
        }
    }

    @Test func `a device of both goes on, and counts nothing twice`() async throws {
        let server = try await TestServer(clock: TestClock(end), keepsTokens: true, isAlone: true)
        try await server.run { nobody in
            var (old, _) = try await nobody.veteran(until: end)
            var (new, _) = try await nobody.veteran(until: end)
            var desktop = BatchDevice("desktop", of: new.client)
            try await desktop.sync([Practice.session(startedAt: end.addingTimeInterval(-20_000), cycles: 50)])
            // The same laptop: what it took over in one account has nothing to do with the other, and what it shows
            // without a session in one may be in what it shows in the other.
            old.totalXP += 9
            try await old.sync()
            try await new.sync([Practice.session(startedAt: end.addingTimeInterval(-10_000), cycles: 50)])
            try await old.client.merge(into: new.client)
            new.totalXP += 7
            try await new.sync([Practice.session(startedAt: end.addingTimeInterval(-600), cycles: 50)])
            try await desktop.sync()
            #expect(new.totalXP == 1350 + 3 * 55 + 7)
            #expect(desktop.totalXP == new.totalXP)
            #expect(try await server.boardDifferences() == [])
        }
    }

    @Test
    func `a device of the account that ended hears of what comes after, however often it had synced there`()
        async throws
    {
        let server = try await TestServer(clock: TestClock(end), isAlone: true)
        try await server.run { nobody in
            var (laptop, _) = try await nobody.veteran(until: end)
            for _ in 0..<3 {
                laptop.totalXP += 3
                try await laptop.sync()
            }
            // The same practice in one batch: the account that stays has had fewer versions, and gains nothing.
            var sameLaptop = BatchDevice("laptop", of: try await nobody.newcomer().client)
            sameLaptop.totalXP = 9
            try await sameLaptop.sync(Practice.sessions(until: end, days: 10, cycles: 40))
            #expect(sameLaptop.baseVersion < laptop.baseVersion)
            try await laptop.client.merge(into: sameLaptop.client)

            var desktop = BatchDevice("desktop", of: sameLaptop.client)
            try await desktop.sync(
                [Practice.session(startedAt: end.addingTimeInterval(-20_000), cycles: 50)],
                state: ["preferredPatterns": ["value": ["morning": "boxing"]]]
            )
            var moved = BatchDevice("laptop", of: sameLaptop.client)
            (moved.epoch, moved.baseVersion, moved.totalXP) = (
                laptop.epoch, laptop.baseVersion, laptop.totalXP
            )
            let answer = try await moved.sync()
            #expect(moved.baseVersion > laptop.baseVersion)
            #expect(moved.totalXP == 1359 + 55)
            #expect((answer.json["sessions"] as? [Any])?.count == 1)
            #expect(answer.state["preferredPatterns"] as? [String: String] == ["morning": "boxing"])
        }
    }

    @Test func `what was cleared in the account that ended stays cleared`() async throws {
        let clock = TestClock(end)
        let server = try await TestServer(clock: clock, keepsTokens: true, isAlone: true)
        try await server.run { nobody in
            var (laptop, _) = try await nobody.veteran(until: end)
            let challenge = Practice.challenge(on: end)
            try await laptop.sync(claims: [challenge])
            let stale = laptop
            clock.advance(by: 60)
            let device = ["id": "laptop", "name": "laptop", "timeZone": "UTC"]
            let reset = try await laptop.client.send(.post, "/v1/sync/reset", ["device": device, "epoch": 1])
            (laptop.epoch, laptop.totalXP) = (2, 0)
            laptop.baseVersion = try #require(reset.json["syncVersion"] as? Int)
            clock.advance(by: 600)
            try await laptop.sync([
                Practice.session(startedAt: clock.now.addingTimeInterval(-500), cycles: 10, minutes: 5)
            ])
            var (desktop, _) = try await nobody.veteran(until: end.addingTimeInterval(-7200), "desktop")
            try await laptop.client.merge(into: desktop.client)
            var state = try await desktop.client.send(.get, "/v1/sync/state").json
            #expect(state["totalXP"] as? Int == 1350 + 12)
            // One that never heard of the clear brings everything again.
            var moved = BatchDevice("laptop", of: desktop.client)
            (moved.epoch, moved.baseVersion) = (stale.epoch, stale.baseVersion)
            let again = try await moved.sync(
                Practice.sessions(until: end, days: 10, cycles: 40),
                claims: [challenge]
            )
            #expect(again.outcomes.last == "challengeClaims 0 rejected takenBeforeClear")
            state = try await desktop.client.send(.get, "/v1/sync/state").json
            #expect(state["totalXP"] as? Int == 1350 + 12)
            // Those that knew of nothing but their own account go on, though its epoch is another now.
            desktop.totalXP += 7
            try await desktop.sync([
                Practice.session(startedAt: clock.now.addingTimeInterval(-200), cycles: 3, minutes: 2)
            ])
            #expect(desktop.totalXP == 1350 + 12 + 4 + 7)
            var current = BatchDevice("laptop", of: desktop.client)
            (current.epoch, current.baseVersion, current.totalXP) = (
                laptop.epoch, laptop.baseVersion, laptop.totalXP
            )
            current.totalXP += 5
            try await current.sync()
            #expect(current.totalXP == 1350 + 12 + 4 + 7 + 5)
            #expect(try await server.boardDifferences() == [])
        }
    }

    @Test func `what was written last, and every unlock, is kept`() async throws {
        let clock = TestClock(end)
        try await TestServer(clock: clock, keepsTokens: true, isAlone: true).run { nobody in
            var (laptop, _) = try await nobody.veteran(until: end)
            var (desktop, _) = try await nobody.veteran(until: end.addingTimeInterval(-7200), "desktop")
            try await laptop.sync(state: [
                "preferredPatterns": ["value": ["morning": "boxing", "evening": "chill"]],
                "unlockedPatterns": ["value": ["a"]],
            ])
            clock.advance(by: 60)
            try await desktop.sync(state: [
                "preferredPatterns": ["value": ["morning": "relaxing"]], "unlockedPatterns": ["value": ["b"]],
            ])
            try await laptop.client.merge(into: desktop.client)
            let state = try await desktop.client.send(.get, "/v1/sync/state").json
            #expect(
                state["preferredPatterns"] as? [String: String] == [
                    "morning": "relaxing", "evening": "chill",
                ]
            )
            #expect((state["unlockedPatterns"] as? [String])?.sorted() == ["a", "b"])
        }
    }
}
