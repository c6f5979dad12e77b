import Foundation
import HTTPTypes
import PGClient
import Testing

struct FriendTests {
    @Test func `the first to say it asks and the second accepts`() async throws {
        try await TestServer().run { nobody in
            let ada = try await nobody.newcomer()
            let ben = try await nobody.newcomer()
            _ = try await ben.client.send(.patch, "/v1/me", ["privacy": ["allowFriendRequests": true]])

            let asked = try await ada.client.send(.put, "/v1/friends/\(ben.uid)")
            #expect(asked.json["state"] as? String == "requested")
            let again = try await ada.client.send(.put, "/v1/friends/\(ben.uid)")
            #expect(again.json["state"] as? String == "requested")
            #expect(try await ben.client.states() == [ada.uid: "received"])

            let accepted = try await ben.client.send(.put, "/v1/friends/\(ada.uid)")
            #expect(accepted.json["state"] as? String == "friends")
            #expect(try await ada.client.states() == [ben.uid: "friends"])
        }
    }

    @Test func `someone who takes no requests looks like nobody`() async throws {
        try await TestServer().run { nobody in
            let ada = try await nobody.newcomer()
            let shy = try await nobody.newcomer()
            let there = try await ada.client.send(.put, "/v1/friends/\(shy.uid)")
            let nowhere = try await ada.client.send(.put, "/v1/friends/\(UUID())")
            #expect((there.status, nowhere.status) == (404, 404))
            #expect(there.json["code"] as? String == nowhere.json["code"] as? String)
            #expect(try await shy.client.states() == [:])
        }
    }

    @Test func `nobody is their own friend`() async throws {
        try await TestServer().run { nobody in
            let ada = try await nobody.newcomer()
            let answer = try await ada.client.send(.put, "/v1/friends/\(ada.uid)")
            #expect(answer.status == 422)
        }
    }

    @Test func `who was declined finds a request that waits, and who declined is not asked again`()
        async throws
    {
        try await TestServer().run { nobody in
            let ada = try await nobody.newcomer()
            let ben = try await nobody.newcomer()
            _ = try await ben.client.send(.patch, "/v1/me", ["privacy": ["allowFriendRequests": true]])
            #expect(try await ada.client.befriend(ben.uid) == "requested")
            let before = try await ada.client.send(.get, "/v1/friends").json
            #expect(try await ben.client.send(.delete, "/v1/friends/\(ada.uid)").status == 204)
            #expect(try await ben.client.states() == [:])
            let after = try await ada.client.send(.get, "/v1/friends").json
            #expect(before as NSDictionary == after as NSDictionary)

            #expect(try await ada.client.send(.delete, "/v1/friends/\(ben.uid)").status == 204)
            #expect(try await ada.client.states() == [:])
            #expect(try await ada.client.befriend(ben.uid) == "requested")
            #expect(try await ben.client.states() == [:])
            #expect(try await ben.client.befriend(ada.uid) == "friends")
        }
    }

    @Test func `a list names friends and those who asked, and nobody who was asked`() async throws {
        try await TestServer().run { nobody in
            var people: [(client: Client, uid: String)] = []
            for name in ["Ada", "Ben", "Chie"] {
                let person = try await nobody.newcomer()
                let change: [String: Any] = ["displayName": name, "privacy": ["allowFriendRequests": true]]
                _ = try await person.client.send(.patch, "/v1/me", change)
                people.append(person)
            }
            let (ada, ben, chie) = (people[0], people[1], people[2])
            _ = try await ada.client.befriend(ben.uid)
            _ = try await ben.client.befriend(ada.uid)
            _ = try await ben.client.befriend(chie.uid)
            #expect(try await ada.client.friendNames() == ["Ben"])
            #expect(try await ben.client.friendNames() == ["Ada", nil])
            #expect(try await chie.client.friendNames() == ["Ben"])
        }
    }

    @Test func `who accepts everybody who may ask is a friend at once`() async throws {
        try await TestServer().run { nobody in
            let ada = try await nobody.newcomer()
            let ben = try await nobody.newcomer()
            let open = ["leaderboards": ["friends": ["autoAcceptFriends": true]]]
            _ = try await ben.client.send(.patch, "/v1/me", open)
            #expect(try await ada.client.befriend(ben.uid) == "404")
            _ = try await ben.client.send(.patch, "/v1/me", ["privacy": ["allowFriendRequests": true]])
            #expect(try await ada.client.befriend(ben.uid) == "friends")
            #expect(try await ben.client.states() == [ada.uid: "friends"])
        }
    }

    @Test func `who was removed waits as if blocked, also where everybody else is accepted at once`()
        async throws
    {
        let clock = TestClock(try Date("2041-06-03T12:00:00Z", strategy: .iso8601))
        try await TestServer(clock: clock).run { nobody in
            var answers: [[String]] = []
            for (method, path) in [(HTTPRequest.Method.delete, "/v1/friends"), (.put, "/v1/friends/blocks")] {
                let ada = try await nobody.practitioner("Ada", at: clock.now, cycles: 50, on: ["friends"])
                let ben = try await nobody.practitioner("Ben", at: clock.now, on: ["friends"])
                try await ada.client.change(["leaderboards": ["friends": ["autoAcceptFriends": true]]])
                let code = try await ada.client.send(.post, "/v1/friends/code").json["code"] as? String ?? ""
                #expect(try await ben.client.befriend(ada.uid) == "friends")
                #expect(try await ben.client.board("friends") == "1 Ada, 2 Ben")

                #expect(try await ada.client.send(method, "\(path)/\(ben.uid)").status == 204)
                for _ in 1...2 {
                    #expect(try await ben.client.states() == [:])
                    let asked = try await ben.client.befriend(ada.uid)
                    let redeemed = try await ben.client.redeem(code)
                    let listed = try await ben.client.states()[ada.uid] ?? "nobody"
                    let board = try await ben.client.board("friends")
                    answers.append([asked, redeemed, listed, board])
                    #expect(try await ada.client.states() == [:])
                    #expect(try await ada.client.board("friends") == "1 Ada")
                    #expect(try await ben.client.send(.delete, "/v1/friends/\(ada.uid)").status == 204)
                }
            }
            #expect(answers == Array(repeating: ["requested", "requested", "requested", "1 Ben"], count: 4))
        }
    }

    @Test func `who removed somebody may ask them, or say yes to what they asked since`() async throws {
        try await TestServer().run { nobody in
            let ada = try await nobody.newcomer()
            let ben = try await nobody.newcomer()
            for person in [ada, ben] {
                _ = try await person.client.send(.patch, "/v1/me", ["privacy": ["allowFriendRequests": true]])
            }
            try await ada.client.change(["leaderboards": ["friends": ["autoAcceptFriends": true]]])
            #expect(try await ben.client.befriend(ada.uid) == "friends")

            #expect(try await ada.client.send(.delete, "/v1/friends/\(ben.uid)").status == 204)
            #expect(try await ada.client.befriend(ben.uid) == "requested")
            #expect(try await ben.client.states() == [ada.uid: "received"])
            #expect(try await ben.client.befriend(ada.uid) == "friends")

            #expect(try await ada.client.send(.delete, "/v1/friends/\(ben.uid)").status == 204)
            #expect(try await ben.client.befriend(ada.uid) == "requested")
            #expect(try await ada.client.befriend(ben.uid) == "friends")

            // Who went of their own accord was turned away by nobody.
            #expect(try await ben.client.send(.delete, "/v1/friends/\(ada.uid)").status == 204)
            #expect(try await ben.client.befriend(ada.uid) == "friends")
        }
    }

    @Test func `a code that was made after a removal is heard, and accepts nobody by itself`() async throws {
        try await TestServer().run { nobody in
            let ada = try await nobody.newcomer()
            let ben = try await nobody.newcomer()
            try await ada.client.change([
                "privacy": ["allowFriendRequests": true],
                "leaderboards": ["friends": ["autoAcceptFriends": true]],
            ])
            #expect(try await ben.client.befriend(ada.uid) == "friends")
            #expect(try await ada.client.send(.delete, "/v1/friends/\(ben.uid)").status == 204)
            let code = try await ada.client.send(.post, "/v1/friends/code").json["code"] as? String ?? ""
            for _ in 1...2 { #expect(try await ben.client.redeem(code) == "requested") }
            #expect(try await ada.client.states() == [ben.uid: "received"])
            // To withdraw that and ask anew is no way around it.
            #expect(try await ben.client.send(.delete, "/v1/friends/\(ada.uid)").status == 204)
            #expect(try await ben.client.befriend(ada.uid) == "requested")
            #expect(try await ada.client.states() == [:])
            #expect(try await ada.client.befriend(ben.uid) == "friends")
        }
    }

    @Test func `of two who ask each other in the same moment, both are friends`() async throws {
        try await TestServer().run { nobody in
            for _ in 1...5 {
                let ada = try await nobody.newcomer()
                let ben = try await nobody.newcomer()
                for person in [ada, ben] {
                    let change = ["privacy": ["allowFriendRequests": true]]
                    _ = try await person.client.send(.patch, "/v1/me", change)
                }
                async let one = ada.client.befriend(ben.uid)
                async let other = ben.client.befriend(ada.uid)
                #expect(Set([try await one, try await other]) == ["requested", "friends"])
                #expect(try await ada.client.states() == [ben.uid: "friends"])
            }
        }
    }

    @Test func `there is room for so many requests and friends, and no more`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let ada = try await nobody.newcomer()
            let ben = try await nobody.newcomer()
            for person in [ada, ben] {
                _ = try await person.client.send(.patch, "/v1/me", ["privacy": ["allowFriendRequests": true]])
            }
            try await server.crowd(around: ada.uid, 100, accepted: false)
            let request = try await ada.client.send(.put, "/v1/friends/\(ben.uid)")
            #expect(request.status == 409)
            #expect(request.json["code"] as? String == "friend_request_limit_reached")

            #expect(try await ben.client.befriend(ada.uid) == "requested")
            try await server.crowd(around: ada.uid, 400, accepted: true)
            let yes = try await ada.client.send(.put, "/v1/friends/\(ben.uid)")
            #expect(yes.status == 409)
            #expect(yes.json["code"] as? String == "friend_limit_reached")
        }
    }

    @Test func `ending a friendship takes it from both, and twice is no error`() async throws {
        try await TestServer().run { nobody in
            let ada = try await nobody.newcomer()
            let ben = try await nobody.newcomer()
            _ = try await ben.client.send(.patch, "/v1/me", ["privacy": ["allowFriendRequests": true]])
            _ = try await ada.client.send(.put, "/v1/friends/\(ben.uid)")
            _ = try await ben.client.send(.put, "/v1/friends/\(ada.uid)")
            for _ in 1...2 {
                #expect(try await ben.client.send(.delete, "/v1/friends/\(ada.uid)").status == 204)
            }
            #expect(try await ada.client.states() == [:])
        }
    }
}

extension TestServer {
    /// Friends of a person, or people whom they asked.
    func crowd(around uid: String, _ size: Int, accepted: Bool) async throws {
        let person = UUID(uuidString: uid) ?? UUID()
        try await asSuperuser { tx in
            _ = try await tx.execute(
                """
                with other as (
                  insert into app.user (uid) select gen_random_uuid() from generate_series(1, \(size)) returning uid
                )
                insert into app.friendship (uid, friend_uid, asked_by, accepted_at)
                select least(uid, \(person)), greatest(uid, \(person)), \(person), case when \(accepted) then now() end
                from other
                """
            )
        }
    }
}

extension Client {
    fileprivate func friendNames() async throws -> [String?] {
        let answer = try await send(.get, "/v1/friends")
        return try #require(answer.json["friends"] as? [[String: String]]).map { $0["displayName"] }
    }

    /// How this person and the others stand, by their uids.
    func states() async throws -> [String: String] {
        let answer = try await send(.get, "/v1/friends")
        let friends = try #require(answer.json["friends"] as? [[String: String]])
        return Dictionary(uniqueKeysWithValues: friends.map { ($0["uid"] ?? "", $0["state"] ?? "") })
    }

    /// How the two stand once this one has asked, or the problem's status.
    func befriend(_ uid: String) async throws -> String {
        let answer = try await send(.put, "/v1/friends/\(uid)")
        return answer.json["state"] as? String ?? "\(answer.status)"
    }

    /// The same by a code.
    func redeem(_ code: String) async throws -> String {
        let answer = try await send(.post, "/v1/friends", ["code": code])
        return answer.json["state"] as? String ?? "\(answer.status)"
    }
}
