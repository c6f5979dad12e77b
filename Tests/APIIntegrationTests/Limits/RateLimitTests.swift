import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

struct RateLimitTests {
    @Test func `one address makes so many accounts in an hour, and is told when there is another`()
        async throws
    {
        let clock = TestClock()
        try await TestServer(clock: clock).run { nobody in
            for _ in 1...30 {
                #expect(try await nobody.send(.post, "/v1/auth/anonymous").status == 201)
            }
            let answer = try await nobody.send(.post, "/v1/auth/anonymous")
            #expect(answer.status == 429)
            #expect(answer.contentType == "application/problem+json")
            #expect(answer.json["code"] as? String == "too_many_requests")
            #expect(answer.headers[.cacheControl] == "no-store")
            #expect(answer.retryAfter == "120")
            #expect(answer.headers[.rateLimitPolicy] == "\"create-account-address\";q=30;w=3600")
            #expect(answer.headers[.rateLimit] == "\"create-account-address\";r=0;t=120")

            clock.advance(by: 119)
            #expect(try await nobody.send(.post, "/v1/auth/anonymous").status == 429)
            clock.advance(by: 1)
            #expect(try await nobody.send(.post, "/v1/auth/anonymous").status == 201)
            #expect(try await nobody.send(.post, "/v1/auth/anonymous").status == 429)
        }
    }

    @Test func `who changes the end of an IPv6 address is the same, and another network is another`()
        async throws
    {
        let server = try await TestServer(clock: TestClock())
        try await server.run { nobody in
            var client = nobody
            let network = server.address.split(separator: ":").prefix(4).joined(separator: ":")
            var statuses: [Int] = []
            for host in 1...31 {
                client.address = "\(network)::\(host)"
                statuses.append(try await client.send(.post, "/v1/auth/anonymous").status)
            }
            #expect(statuses == Array(repeating: 201, count: 30) + [429])
            client.address = try await TestServer().address
            #expect(try await client.send(.post, "/v1/auth/anonymous").status == 201)
        }
    }

    @Test func `two servers count together`() async throws {
        let clock = TestClock()
        let (one, other) = (try await TestServer(clock: clock), try await TestServer(clock: clock))
        // Whose addresses are digested by one key, as two processes of one service do it.
        let twin = Limits(pool: other.server.pool, key: one.server.tokens.limitKey, now: { clock.now })
        let source = try #require(SourceAddress(one.address))
        for _ in 1...15 {
            try await one.server.limits.take(.createAccount, from: source)
            try await twin.take(.createAccount, from: source)
        }
        for limits in [one.server.limits, twin] {
            await #expect(throws: Problem.self) { try await limits.take(.createAccount, from: source) }
        }
        await one.server.pool.close()
        await other.server.pool.close()
    }

    @Test func `a sign-in is refreshed so often, and nobody else can use that up`() async throws {
        let clock = TestClock()
        try await TestServer(clock: clock).run { nobody in
            let answer = try await nobody.send(.post, "/v1/auth/anonymous")
            let token = try #require(answer.json["refreshToken"] as? String)
            let uid = try #require(RefreshToken(token)?.uid)
            // Others know the uid, and no more.
            for _ in 1...40 {
                let guess = RefreshToken(uid: uid).text
                let answer = try await nobody.send(.post, "/v1/auth/refresh", ["refreshToken": guess])
                #expect(answer.status == 401)
            }
            for _ in 1...20 {
                let answer = try await nobody.send(.post, "/v1/auth/refresh", ["refreshToken": token])
                #expect(answer.status == 200)
            }
            let answer21 = try await nobody.send(.post, "/v1/auth/refresh", ["refreshToken": token])
            #expect(answer21.status == 429)
            #expect(answer21.headers[.rateLimitPolicy] == "\"refresh-account\";q=20;w=600")
        }
    }

    @Test func `codes are guessed so often from one address, whatever accounts it has`() async throws {
        try await TestServer(clock: TestClock()).run { nobody in
            var statuses: [Int] = []
            for _ in 1...7 {
                let (client, _) = try await nobody.newcomer()
                for _ in 1...9 {
                    let body = ["code": "BM-000000-000000"]
                    statuses.append(try await client.send(.post, "/v1/friends", body).status)
                }
            }
            #expect(statuses == Array(repeating: 404, count: 60) + [429, 429, 429])
        }
    }

    @Test func `whether sync is open is asked so often from one address, by what may be wrong as well`()
        async throws
    {
        let clock = TestClock()
        try await TestServer(clock: clock).run { nobody in
            let path = "/v1/sync/eligibility"
            let state = ["currentLevel": 5, "totalSessions": 25, "currentStreak": 3, "accountAge": 7]
            var statuses: [Int] = []
            for number in 1...60 {
                let body = number.isMultiple(of: 2) ? state : [:]
                statuses.append(try await nobody.send(.post, path, body).status)
            }
            #expect(statuses == (1...60).map { $0.isMultiple(of: 2) ? 200 : 422 })
            let (member, _) = try await nobody.newcomer()
            for client in [nobody, member] {
                let refused = try await client.send(.post, path, state)
                #expect(refused.status == 429)
                #expect(refused.headers[.rateLimitPolicy] == "\"ask-eligibility-address\";q=60;w=60")
                #expect(refused.retryAfter == "1")
            }
            var neighbour = nobody
            neighbour.address = TestServer.anyAddress()
            #expect(try await neighbour.send(.post, path, state).status == 200)
            clock.advance(by: 1)
            #expect(try await nobody.send(.post, path, state).status == 200)
            #expect(try await nobody.send(.post, path, state).status == 429)
        }
    }

    @Test func `an account asks this process so often in a minute, for whatever it likes`() async throws {
        let clock = TestClock()
        try await TestServer(clock: clock).run { nobody in
            let (client, _) = try await nobody.newcomer()
            let (other, _) = try await nobody.newcomer()
            for _ in 1...1200 {
                try #require(try await client.send(.get, "/v1/nowhere").status == 404)
            }
            let answer = try await client.send(.get, "/v1/me")
            #expect(answer.status == 429)
            #expect(answer.headers[.rateLimitPolicy] == "\"request-account\";q=1200;w=60")
            #expect(answer.headers[.rateLimit] == "\"request-account\";r=0;t=1")
            #expect(try await other.send(.get, "/v1/me").status == 200)
            clock.advance(by: 1)
            #expect(try await client.send(.get, "/v1/me").status == 200)
        }
    }

    @Test func `no more accounts are kept in mind than the limit`() throws {
        let allowance = AccountAllowance(limit: 10)
        let now = Date(timeIntervalSince1970: 0)
        for _ in 1...1200 { try allowance.take("mine", at: now) }
        #expect(throws: Problem.self) { try allowance.take("mine", at: now) }
        for other in 0..<10 { try allowance.take("\(other)", at: now) }
        try allowance.take("mine", at: now)
    }

    @Test func `what is free again is forgotten`() async throws {
        let postgres = try await blocking { try OwnPostgres() }
        defer { postgres.remove() }
        let clock = TestClock()
        let server = try await TestServer(clock: clock, postgres: postgres)
        let source = try #require(SourceAddress(server.address))
        func rows() async throws -> Int {
            try await server.asSuperuser { tx in
                try await tx.queryOne("select count(*) from app.rate_limit", as: Int.self)
            }
        }
        try await server.server.limits.take(.redeemFriendCode, from: source)
        #expect(try await rows() == 1)
        clock.advance(by: 59)
        try await server.server.limits.forget()
        #expect(try await rows() == 1)
        clock.advance(by: 1)
        try await server.server.limits.forget()
        #expect(try await rows() == 0)
        await server.server.pool.close()
    }
}
