import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

/// What somebody tries who has a list: of addresses, to find out who is here, or of addresses and passwords.
@Suite(.serialized, .timeLimit(.minutes(3))) struct GuessingTests {
    private let password = "a quiet lake at dawn"
    /// So little that what else differs would show too.
    private let cost = PasswordHashing.Cost(kibibytes: 2048, passes: 1)

    @Test(arguments: ["sign-in", "password/forgotten"])
    func `five hundred answers don't tell by their time whether an address is somebody's`(
        route: String
    ) async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock, passwordCost: cost)
        try await server.run { nobody in
            let domain = "\(UUID().text).example"
            let (_, uid) = try await nobody.newcomer()
            try await server.recordEmail(of: uid, "known@\(domain)")
            try await server.setPassword(of: uid, try await PasswordHashing(cost: cost).hash(password))

            var guesser = nobody
            /// Nanoseconds, and whether it was of somebody.
            var times: [(Int64, Bool)] = []
            for guess in 0..<1000 {
                // From elsewhere each time and slowly, so that no quota answers instead.
                guesser.address = TestServer.anyAddress()
                clock.advance(by: 40)
                // Either first half of the time, so that whatever grows grows for both.
                let isKnown = (guess % 2 == 0) != (guess / 2 % 2 == 0)
                let body = [
                    "address": "\(isKnown ? "known" : "other")@\(domain)", "password": "another lake at dawn",
                ]
                let start = ContinuousClock.now
                let answer = try await guesser.send(.post, "/v1/auth/\(route)", body)
                let time = ContinuousClock.now - start
                try #require(answer.status == (route == "sign-in" ? 401 : 202))
                times.append((time.components.attoseconds / 1_000_000_000, isKnown))
            }
            #expect(abs(Self.rankSum(times)) < 4)
        }
    }

    @Test func `who tries a list of passwords gets as far as the quota, and the server stays ready`()
        async throws
    {
        let server = try await TestServer(clock: TestClock())
        try await server.run { nobody in
            let domain = "\(UUID().text).example"
            let (_, uid) = try await nobody.newcomer()
            try await server.recordEmail(of: uid, "person-41@\(domain)")
            try await server.setPassword(of: uid, try await PasswordHashing().hash(password))

            async let unready = (0..<30).asyncMap { _ in try await nobody.send(.get, "/health/ready").status }
                .filter { $0 != 200 }
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for guess in 0..<300 {
                    group.addTask { [password] in
                        let body = ["address": "person-\(guess)@\(domain)", "password": password]
                        return try await nobody.send(.post, "/v1/auth/sign-in", body).status
                    }
                }
                return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
            }
            #expect(try await unready == [])
            // Of sixty that are let try, one may be the one; some may have found too many before them.
            #expect(statuses[429] == 240)
            #expect(statuses[200, default: 0] <= 1)
            #expect(Set(statuses.keys).isSubset(of: [200, 401, 429, 503]))
        }
    }

    /// How far the two kinds are from being drawn from one hat, in standard deviations (Mann and Whitney, 1947).
    private static func rankSum(_ times: [(Int64, Bool)]) -> Double {
        let ranks = times.sorted { $0.0 < $1.0 }.enumerated().filter(\.element.1).map {
            Double($0.offset + 1)
        }
        let (count, other) = (Double(ranks.count), Double(times.count - ranks.count))
        let expected = count * (count + other + 1) / 2
        let deviation = (count * other * (count + other + 1) / 12).squareRoot()
        return (ranks.reduce(0, +) - expected) / deviation
    }
}

extension Sequence {
    fileprivate func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows
        -> [Result]
    {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}

extension TestServer {
    fileprivate func setPassword(of uid: String, _ phc: String) async throws {
        try await asSuperuser { tx in
            _ = try await tx.execute(
                "insert into app.password (uid, phc, set_at) values (\(UUID(uuidString: uid)), \(phc), now())"
            )
        }
    }
}
