import HTTPTypes
import Testing

extension Client {
    func openMerge() async throws -> String {
        try #require(try await send(.post, "/v1/me/merge").json["code"] as? String)
    }

    @discardableResult
    func merge(into other: Client) async throws -> Answer {
        let code = try await openMerge()
        #expect(try await other.send(.post, "/v1/me/merges/\(code)").status == 204)
        let uid = try #require(try await other.send(.get, "/v1/me").json["uid"] as? String)
        return try await confirmMerge(into: uid)
    }

    func confirmMerge(into uid: String, password: String? = nil) async throws -> Answer {
        var body = ["into": uid]
        body["currentPassword"] = password
        return try await send(.post, "/v1/me/merge/confirm", body)
    }

    /// A new person who is a friend of this one's already.
    func friend(of other: Client, _ uid: String) async throws -> Client {
        let (friend, friendUID) = try await newcomer()
        _ = try await friend.send(.patch, "/v1/me", ["privacy": ["allowFriendRequests": true]])
        _ = try await other.send(.put, "/v1/friends/\(friendUID)")
        #expect(try await friend.send(.put, "/v1/friends/\(uid)").json["state"] as? String == "friends")
        return friend
    }
}

extension Client.Answer {
    /// Of one of the accounts, or of what comes of both.
    func practice(of side: String? = nil) -> [String: Int]? {
        guard let side else { return json["result"] as? [String: Int] }
        return (json[side] as? [String: Any])?["practice"] as? [String: Int]
    }
}
