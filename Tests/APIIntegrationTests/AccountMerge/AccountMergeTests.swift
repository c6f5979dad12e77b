import Domain
import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

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

    @Test func `who has a password says it before the account ends`() async throws {
        try await TestServer().run { nobody in
            let (ada, _) = try await nobody.newcomer()
            let (ben, uid) = try await nobody.newcomer()
            let password = "a quiet lake at dawn"
            #expect(try await ada.send(.put, "/v1/me/password", ["password": password]).status == 204)
            let refused = try await ada.merge(into: ben)
            #expect(refused.status == 422)
            #expect(refused.json["field"] as? String == "currentPassword")
            #expect(try await ada.confirmMerge(into: uid, password: password).status == 200)
        }
    }

    @Test func `a code is nobody's after half an hour, when it was taken back, and for the one who shows it`()
        async throws
    {
        let clock = TestClock()
        try await TestServer(clock: clock, keepsTokens: true, isAlone: true).run { nobody in
            let (ada, _) = try await nobody.newcomer()
            let (ben, benID) = try await nobody.newcomer()
            let first = try await ada.openMerge()
            #expect(try await ada.send(.post, "/v1/me/merges/\(first)").status == 404)
            #expect(try await ada.send(.delete, "/v1/me/merge").status == 204)
            #expect(try await ben.send(.get, "/v1/me/merges/\(first)").status == 404)
            let second = try await ada.openMerge()
            #expect(try await ben.send(.post, "/v1/me/merges/\(second)").status == 204)
            clock.advance(by: 1800)
            #expect(try await ben.send(.get, "/v1/me/merges/\(second)").status == 404)
            #expect(try await ada.send(.get, "/v1/me/merge").status == 404)
            #expect(
                try await ada.confirmMerge(into: benID).json["code"] as? String == "merge_not_agreed"
            )
            #expect(try await ben.send(.get, "/v1/me/merges/nonsense").status == 404)
        }
    }

    @Test func `who agrees first is the one, and another ask begins anew`() async throws {
        try await TestServer().run { nobody in
            let (ada, _) = try await nobody.newcomer()
            let (ben, benID) = try await nobody.newcomer()
            let (eve, _) = try await nobody.newcomer()
            let code = try await ada.openMerge()
            #expect(try await ben.send(.post, "/v1/me/merges/\(code)").status == 204)
            #expect(try await eve.send(.post, "/v1/me/merges/\(code)").status == 404)
            #expect(try await eve.send(.get, "/v1/me/merges/\(code)").status == 404)
            #expect(try await ben.send(.post, "/v1/me/merges/\(code)").status == 204)
            #expect(try await ben.send(.delete, "/v1/me/merge").status == 204)
            #expect(try await ada.confirmMerge(into: benID).status == 409)
            let again = try await ada.openMerge()
            #expect(try await ben.send(.post, "/v1/me/merges/\(again)").status == 204)
            _ = try await ada.openMerge()
            #expect(try await ada.confirmMerge(into: benID).status == 409)
        }
    }

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
            clock.advance(by: 600)
            let weeks = [end, end.addingTimeInterval(-7 * 86_400), early].map {
                Week(of: LocalDay(of: Instant($0), in: .utc))
            }
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

extension Client {
    fileprivate func openMerge() async throws -> String {
        try #require(try await send(.post, "/v1/me/merge").json["code"] as? String)
    }

    @discardableResult
    fileprivate func merge(into other: Client) async throws -> Answer {
        let code = try await openMerge()
        #expect(try await other.send(.post, "/v1/me/merges/\(code)").status == 204)
        let uid = try #require(try await other.send(.get, "/v1/me").json["uid"] as? String)
        return try await confirmMerge(into: uid)
    }

    fileprivate func confirmMerge(into uid: String, password: String? = nil) async throws -> Answer {
        var body = ["into": uid]
        body["currentPassword"] = password
        return try await send(.post, "/v1/me/merge/confirm", body)
    }

    /// A new person who is a friend of this one's already.
    fileprivate func friend(of other: Client, _ uid: String) async throws -> Client {
        let (friend, friendUID) = try await newcomer()
        _ = try await friend.send(.patch, "/v1/me", ["privacy": ["allowFriendRequests": true]])
        _ = try await other.send(.put, "/v1/friends/\(friendUID)")
        #expect(try await friend.send(.put, "/v1/friends/\(uid)").json["state"] as? String == "friends")
        return friend
    }
}

extension Client.Answer {
    /// Of one of the accounts, or of what comes of both.
    fileprivate func practice(of side: String? = nil) -> [String: Int]? {
        guard let side else { return json["result"] as? [String: Int] }
        return (json[side] as? [String: Any])?["practice"] as? [String: Int]
    }
}
