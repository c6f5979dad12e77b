import Foundation
import HTTPTypes
import Testing

@testable import API

struct EmailTests {
    @Test func `an address is a person's by the code that was mailed there, and not before`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (founder, owner) = try await nobody.newcomer()
            _ = founder
            let acme = try await server.company("Acme", owner: owner)
            let (ada, uid) = try await nobody.newcomer()
            let address = "ada@\(acme.domain)"

            let asked = try await ada.send(.post, "/v1/me/emails", ["address": address])
            #expect(asked.status == 202)
            #expect(asked.json["address"] as? String == address)
            #expect(try await ada.emails() == ["\(address) waits"])
            #expect(try await ada.join(acme.id).status == 404)

            let code = try await server.mailedCode(to: address, of: uid)
            #expect(code.wholeMatch(of: /[0-9]{6}/) != nil)
            #expect(try await ada.verify(address, code) == 204)
            #expect(try await ada.emails() == ["\(address) verified"])
            #expect(try await ada.join(acme.id).status == 200)
            // Asked again, as after an answer that was lost.
            #expect(try await ada.verify(address, code) == 204)
        }
    }

    @Test func `a code is good for ten minutes, and only the newest`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (ada, uid) = try await nobody.newcomer()
            let address = "ada@\(UUID().text).example"
            _ = try await ada.send(.post, "/v1/me/emails", ["address": address])
            let first = try await server.mailedCode(to: address, of: uid)
            clock.advance(by: 1)
            var second = first
            while second == first {
                _ = try await ada.send(.post, "/v1/me/emails", ["address": address])
                second = try await server.mailedCode(to: address, of: uid)
                clock.advance(by: 1)
            }
            #expect(try await ada.verify(address, first) == 422)
            clock.advance(by: 600)
            #expect(try await ada.verify(address, second) == 422)
            #expect(try await ada.emails() == [])
        }
    }

    @Test func `after five wrong codes the right one is none either`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (ada, uid) = try await nobody.newcomer()
            let address = "ada@\(UUID().text).example"
            _ = try await ada.send(.post, "/v1/me/emails", ["address": address])
            let code = try await server.mailedCode(to: address, of: uid)
            for _ in 1...5 {
                let answer = try await ada.send(
                    .post,
                    "/v1/me/emails/verify",
                    ["address": address, "code": "wrong"]
                )
                #expect(answer.status == 422)
                #expect(answer.json["code"] as? String == "code_not_good")
                #expect(answer.json["field"] as? String == "code")
            }
            #expect(try await ada.verify(address, code) == 422)
        }
    }

    @Test func `nobody else can use the code`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let (ada, uid) = try await nobody.newcomer()
            let (eve, _) = try await nobody.newcomer()
            let address = "ada@\(UUID().text).example"
            for person in [ada, eve] {
                _ = try await person.send(.post, "/v1/me/emails", ["address": address])
            }
            let code = try await server.mailedCode(to: address, of: uid)
            #expect(try await eve.verify(address, code) == 422)
            #expect(try await ada.verify(address, code) == 204)
        }
    }

    @Test func `whether an address is somebody's is told to those alone who read its mail`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let (ada, uid) = try await nobody.newcomer()
            let (eve, other) = try await nobody.newcomer()
            let domain = "\(UUID().text).example"
            try await server.recordEmail(of: uid, "Ada@\(domain)")

            let taken = try await eve.send(.post, "/v1/me/emails", ["address": "ada@\(domain)"])
            let free = try await eve.send(.post, "/v1/me/emails", ["address": "eve@\(domain)"])
            #expect(taken.status == 202)
            #expect(free.status == 202)
            #expect(taken.json.keys.sorted() == free.json.keys.sorted())
            #expect(try await eve.verify("ada@\(domain)", "000000x") == 422)

            let code = try await server.mailedCode(to: "ada@\(domain)", of: other)
            let answer = try await eve.send(
                .post,
                "/v1/me/emails/verify",
                ["address": "ada@\(domain)", "code": code]
            )
            #expect(answer.status == 409)
            #expect(answer.json["code"] as? String == "email_taken")
            #expect(try await ada.emails() == ["Ada@\(domain) verified"])
        }
    }

    @Test func `an address is taken back, and is then free for others`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let (ada, uid) = try await nobody.newcomer()
            let (eve, other) = try await nobody.newcomer()
            let address = "team+1@\(UUID().text).example"
            try await server.recordEmail(of: uid, address)
            #expect(try await eve.remove(address) == 404)
            #expect(try await ada.remove(address) == 204)
            #expect(try await ada.remove(address) == 404)
            #expect(try await ada.emails() == [])

            _ = try await eve.send(.post, "/v1/me/emails", ["address": address])
            let code = try await server.mailedCode(to: address, of: other)
            #expect(try await eve.verify(address, code) == 204)
        }
    }

    @Test func `nobody causes more than five messages an hour`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            let (ada, _) = try await nobody.newcomer()
            let address = "ada@\(UUID().text).example"
            for _ in 1...5 {
                #expect(try await ada.send(.post, "/v1/me/emails", ["address": address]).status == 202)
            }
            clock.advance(by: 600)
            let refused = try await ada.send(.post, "/v1/me/emails", ["address": address])
            #expect(refused.status == 429)
            #expect(refused.json["code"] as? String == "too_much_mail")
            #expect(refused.retryAfter == "3000")
            clock.advance(by: 3000)
            #expect(try await ada.send(.post, "/v1/me/emails", ["address": address]).status == 202)
        }
    }

    @Test func `a person has at most ten addresses`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let (ada, uid) = try await nobody.newcomer()
            let domain = "\(UUID().text).example"
            for number in 1...10 { try await server.recordEmail(of: uid, "a\(number)@\(domain)") }
            let answer = try await ada.send(.post, "/v1/me/emails", ["address": "a11@\(domain)"])
            #expect(answer.status == 409)
            #expect(answer.json["code"] as? String == "email_limit_reached")
        }
    }

    @Test(arguments: [
        "", "ada", "ada@example", "ada@example.org\r\nRCPT TO:<eve@example.org>", "ä@example.org",
    ])
    func `what is no address is refused by its field`(address: String) async throws {
        try await TestServer().run { nobody in
            let (ada, _) = try await nobody.newcomer()
            let answer = try await ada.send(.post, "/v1/me/emails", ["address": address])
            #expect(answer.status == 422)
            #expect(answer.json["field"] as? String == "address")
        }
    }
}

extension Client {
    fileprivate func emails() async throws -> [String] {
        let list = try await send(.get, "/v1/me/emails").json["emails"] as? [[String: Any]]
        return try #require(list).map {
            "\($0["address"] ?? "") \($0["verifiedAt"] == nil ? "waits" : "verified")"
        }
    }

    fileprivate func remove(_ address: String) async throws -> Int {
        try await send(.post, "/v1/me/emails/remove", ["address": address]).status
    }

    fileprivate func verify(_ address: String, _ code: String) async throws -> Int {
        try await send(.post, "/v1/me/emails/verify", ["address": address, "code": code]).status
    }
}
