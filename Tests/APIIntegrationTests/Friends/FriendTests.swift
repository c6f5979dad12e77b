import Foundation
import HTTPTypes
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

extension Client {
    fileprivate func states() async throws -> [String: String] {
        let answer = try await send(.get, "/v1/friends")
        let friends = try #require(answer.json["friends"] as? [[String: String]])
        return Dictionary(uniqueKeysWithValues: friends.map { ($0["uid"] ?? "", $0["state"] ?? "") })
    }
}
