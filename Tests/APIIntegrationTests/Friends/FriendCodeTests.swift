import Foundation
import HTTPTypes
import PGClient
import Testing

struct FriendCodeTests {
    @Test func `a code asks who gave it away, though they take no requests`() async throws {
        try await TestServer().run { nobody in
            let ada = try await nobody.newcomer()
            let ben = try await nobody.newcomer()
            let code = try await ada.client.newCode()
            #expect(code.wholeMatch(of: /BM-[0-9A-HJKMNP-TV-Z]{6}-[0-9A-HJKMNP-TV-Z]{6}/) != nil)
            #expect(try await ben.client.befriend(ada.uid) == "404")

            let typed = code.lowercased().replacing("-", with: " ")
            let answer = try await ben.client.send(.post, "/v1/friends", ["code": typed])
            #expect(answer.status == 200)
            #expect(answer.json as? [String: String] == ["uid": ada.uid, "state": "requested"])
            #expect(try await ada.client.states() == [ben.uid: "received"])
            #expect(try await ada.client.befriend(ben.uid) == "friends")
            #expect(try await ben.client.redeem(code) == "friends")
        }
    }

    @Test func `a code is shown until it is replaced or taken back, and then it is none`() async throws {
        try await TestServer().run { nobody in
            let ada = try await nobody.newcomer()
            let ben = try await nobody.newcomer()
            #expect(try await ada.client.currentCode() == nil)
            let first = try await ada.client.newCode()
            #expect(try await ada.client.currentCode() == first)
            let second = try await ada.client.newCode()
            #expect(first != second)
            #expect(try await ada.client.currentCode() == second)
            #expect(try await ben.client.redeem(first) == "404")

            for _ in 1...2 {
                #expect(try await ada.client.send(.delete, "/v1/friends/code").status == 204)
            }
            #expect(try await ada.client.currentCode() == nil)
            #expect(try await ben.client.redeem(second) == "404")
            #expect(try await ben.client.states() == [:])
        }
    }

    @Test func `a code says when it ends, and ends then`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let ada = try await nobody.newcomer()
            let ben = try await nobody.newcomer()
            let code = try await ada.client.newCode()
            let answer = try await ada.client.send(.get, "/v1/friends/code").json
            let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
            let made = try Date(try #require(answer["madeAt"] as? String), strategy: format)
            let ends = try Date(try #require(answer["expiresAt"] as? String), strategy: format)
            #expect(abs(ends.timeIntervalSince(made) - 30 * 86_400) < 1)

            let uid = UUID(uuidString: ada.uid)
            try await server.asSuperuser { tx in
                _ = try await tx.execute(
                    "update app.friend_code set made_at = now() - interval '30 days' where uid = \(uid)"
                )
            }
            #expect(try await ada.client.currentCode() == nil)
            #expect(try await ben.client.redeem(code) == "404")
        }
    }

    @Test func `what the database keeps of a code is not the code`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let ada = try await nobody.newcomer()
            let code = try await ada.client.newCode()
            let uid = UUID(uuidString: ada.uid)
            let (kept, isPlainDigest) = try await server.asSuperuser { tx in
                try await tx.queryOne(
                    """
                    select to_jsonb(c)::text, digest = sha256(convert_to(\(code), 'UTF8'))
                    from app.friend_code c where uid = \(uid)
                    """,
                    as: (String, Bool).self
                )
            }
            #expect(!kept.contains(code) && !kept.contains(code.dropFirst(3).replacing("-", with: "")))
            #expect(!isPlainDigest)

            // Nor is it one for a server with another key.
            let stranger = try await TestServer()
            try await stranger.run { nobody in
                let ben = try await nobody.newcomer()
                #expect(try await ben.client.redeem(code) == "404")
            }
        }
    }

    @Test func `a code that nobody could redeem is not shown`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let ada = try await nobody.newcomer()
            _ = try await ada.client.newCode()
            let uid = UUID(uuidString: ada.uid)
            // As after a change of the server's key.
            try await server.asSuperuser { tx in
                _ = try await tx.execute(
                    "update app.friend_code set seed = gen_random_uuid() where uid = \(uid)"
                )
            }
            #expect(try await ada.client.currentCode() == nil)
        }
    }

    @Test(arguments: ["", "BM-123", "1234567890AB", "BM-UUUUUU-UUUUUU"])
    func `what can't be a code is refused by field, and doesn't count`(code: String) async throws {
        try await TestServer().run { nobody in
            let ada = try await nobody.newcomer()
            for _ in 1...12 {
                let answer = try await ada.client.send(.post, "/v1/friends", ["code": code])
                #expect(answer.status == 422)
                #expect(answer.json["field"] as? String == "code")
            }
        }
    }

    @Test func `nobody comes by their own code`() async throws {
        try await TestServer().run { nobody in
            let ada = try await nobody.newcomer()
            let code = try await ada.client.newCode()
            let answer = try await ada.client.send(.post, "/v1/friends", ["code": code])
            #expect(answer.status == 422)
            #expect(answer.json["field"] as? String == "code")
        }
    }

    @Test func `ten codes within the hour, and then one is told how long to wait`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let ada = try await nobody.newcomer()
            let ben = try await nobody.newcomer()
            let chie = try await nobody.newcomer()
            let good = try await ada.client.newCode()
            for number in 1...10 {
                #expect(try await ben.client.redeem("BM-000000-00000\(number % 10)") == "404")
            }
            let refused = try await ben.client.send(.post, "/v1/friends", ["code": good])
            #expect(refused.status == 429)
            #expect(refused.json["code"] as? String == "too_many_codes")
            let wait = try #require(refused.retryAfter.flatMap(Int.init))
            #expect((3500...3600).contains(wait))
            #expect(try await ada.client.states() == [:])
            // It is each person's own count.
            #expect(try await chie.client.redeem(good) == "requested")

            let uid = UUID(uuidString: ben.uid)
            try await server.asSuperuser { tx in
                _ = try await tx.execute(
                    "update app.friend_code_attempt set since = since - make_interval(secs => \(Double(wait))) where uid = \(uid)"
                )
            }
            #expect(try await ben.client.redeem(good) == "requested")
        }
    }
}

extension Client {
    fileprivate func newCode() async throws -> String {
        let answer = try await send(.post, "/v1/friends/code")
        try #require(answer.status == 201)
        return try #require(answer.json["code"] as? String)
    }

    fileprivate func currentCode() async throws -> String? {
        let answer = try await send(.get, "/v1/friends/code")
        return answer.status == 200 ? answer.json["code"] as? String : nil
    }
}
