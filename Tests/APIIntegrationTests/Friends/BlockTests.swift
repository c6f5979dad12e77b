import Foundation
import HTTPTypes
import Testing

struct BlockTests {
    @Test func `a block ends the friendship, and who is blocked finds a request that waits`() async throws {
        try await TestServer().run { nobody in
            let ada = try await nobody.newcomer()
            let ben = try await nobody.newcomer()
            let stranger = try await nobody.newcomer()
            _ = try await ada.client.send(.patch, "/v1/me", ["privacy": ["allowFriendRequests": true]])
            let code = try await ada.client.send(.post, "/v1/friends/code").json["code"] as? String ?? ""
            _ = try await ben.client.befriend(ada.uid)
            _ = try await ada.client.befriend(ben.uid)

            #expect(try await ada.client.block(ben.uid) == 204)
            #expect(try await ada.client.states() == [:])
            #expect(try await ben.client.states() == [:])
            #expect(try await ada.client.blocks() == [ben.uid])
            #expect(try await ben.client.blocks() == [])

            // The same answers as for somebody whom she has not answered yet.
            for person in [ben, stranger] {
                #expect(try await person.client.befriend(ada.uid) == "requested")
                #expect(try await person.client.redeem(code) == "requested")
                #expect(try await person.client.states() == [ada.uid: "requested"])
            }
            #expect(try await ada.client.states() == [stranger.uid: "received"])
            // And as for somebody who doesn't exist, when she takes no requests.
            _ = try await ada.client.send(.patch, "/v1/me", ["privacy": ["allowFriendRequests": false]])
            _ = try await ben.client.send(.delete, "/v1/friends/\(ada.uid)")
            #expect(try await ben.client.befriend(ada.uid) == "404")
        }
    }

    @Test func `after a block one asks anew, and hears nothing of what was asked meanwhile`() async throws {
        try await TestServer().run { nobody in
            let ada = try await nobody.newcomer()
            let ben = try await nobody.newcomer()
            for person in [ada, ben] {
                _ = try await person.client.send(.patch, "/v1/me", ["privacy": ["allowFriendRequests": true]])
            }
            for _ in 1...2 { #expect(try await ada.client.block(ben.uid) == 204) }
            #expect(try await ben.client.befriend(ada.uid) == "requested")
            let refused = try await ada.client.send(.put, "/v1/friends/\(ben.uid)")
            #expect(refused.status == 409)
            #expect(refused.json["code"] as? String == "friend_blocked")

            for _ in 1...2 {
                #expect(try await ada.client.send(.delete, "/v1/friends/blocks/\(ben.uid)").status == 204)
            }
            #expect(try await ada.client.blocks() == [])
            #expect(try await ada.client.states() == [:])
            #expect(try await ada.client.befriend(ben.uid) == "friends")
        }
    }

    @Test func `somebody who doesn't exist is blocked like somebody who does`() async throws {
        try await TestServer().run { nobody in
            let ada = try await nobody.newcomer()
            let nowhere = UUID().uuidString.lowercased()
            #expect(try await ada.client.block(nowhere) == 204)
            #expect(try await ada.client.blocks() == [nowhere])
            #expect(try await ada.client.block("nobody") == 404)
        }
    }

    @Test func `nobody blocks themself`() async throws {
        try await TestServer().run { nobody in
            let ada = try await nobody.newcomer()
            let answer = try await ada.client.send(.put, "/v1/friends/blocks/\(ada.uid)")
            #expect(answer.status == 422)
            #expect(answer.json["field"] as? String == "uid")
        }
    }

    @Test func `two behind a block are off each other's boards, and ranks count them on the global one`()
        async throws
    {
        let clock = TestClock(try Date("2041-06-03T12:00:00Z", strategy: .iso8601))
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            var people: [String: (client: Client, uid: String)] = [:]
            for (name, cycles) in [("Ada", 50), ("Ben", 60), ("Chie", 40), ("Dan", 30)] {
                people[name] = try await nobody.practitioner(name, at: clock.now, cycles: cycles)
            }
            let ada = try #require(people["Ada"]), ben = try #require(people["Ben"])
            let acme = try await server.company("Acme", owner: ada.uid)
            for name in ["Ben", "Chie", "Dan"] {
                let person = try #require(people[name])
                try await server.recordEmail(of: person.uid, "\(name)@\(acme.domain)")
                _ = try await person.client.join(acme.id)
                _ = try await person.client.befriend(ada.uid)
                _ = try await ada.client.befriend(person.uid)
            }
            let company = "company?organization=\(acme.id)&metric=weeklyConsistency"
            #expect(try await ada.client.board("global") == "1 Ben, 2 Ada, 3 Chie, 4 Dan")
            #expect(try await ada.client.board("friends") == "1 Ben, 2 Ada, 3 Chie, 4 Dan")
            #expect(try await ada.client.names(on: company) == ["Ada", "Ben", "Chie", "Dan"])

            #expect(try await ada.client.block(ben.uid) == 204)
            #expect(try await ada.client.board("global") == "2 Ada, 3 Chie, 4 Dan")
            #expect(try await ada.client.board("friends") == "1 Ada, 2 Chie, 3 Dan")
            #expect(try await ada.client.names(on: company) == ["Ada", "Chie", "Dan"])
            #expect(try await ben.client.board("global") == "1 Ben, 3 Chie, 4 Dan")
            #expect(try await ben.client.names(on: company) == ["Ben", "Chie", "Dan"])
            let chie = try #require(people["Chie"]).client
            #expect(try await chie.board("global") == "1 Ben, 2 Ada, 3 Chie, 4 Dan")

            // Pages are of those who can be seen, and all of them are reached.
            var path: String? = "/v1/leaderboards/global?limit=1"
            var ranks: [[Int]] = []
            while let next = path {
                let page = try await ben.client.send(.get, next).json
                #expect(page["total"] as? Int == 4)
                let entries = try #require(page["entries"] as? [[String: Any]])
                ranks.append(entries.compactMap { $0["rank"] as? Int })
                path = (page["nextCursor"] as? String).map { "/v1/leaderboards/global?limit=1&cursor=\($0)" }
            }
            #expect(ranks == [[1], [3], [4]])
            #expect(try await ada.client.board("global?around=me&limit=2") == "2 Ada, 3 Chie")

            _ = try await ada.client.send(.delete, "/v1/friends/blocks/\(ben.uid)")
            #expect(try await ada.client.board("global") == "1 Ben, 2 Ada, 3 Chie, 4 Dan")
            #expect(try await ada.client.board("friends") == "1 Ada, 2 Chie, 3 Dan")
        }
    }
}

extension Client {
    fileprivate func block(_ uid: String) async throws -> Int {
        try await send(.put, "/v1/friends/blocks/\(uid)").status
    }

    fileprivate func blocks() async throws -> [String] {
        let answer = try await send(.get, "/v1/friends/blocks")
        return try #require(answer.json["blocks"] as? [[String: String]]).compactMap { $0["uid"] }
    }

    fileprivate func names(on board: String) async throws -> [String] {
        let answer = try await send(.get, "/v1/leaderboards/\(board)")
        return try #require(answer.json["entries"] as? [[String: Any]]).compactMap {
            $0["displayName"] as? String
        }
        .sorted()
    }
}
