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

    @Test
    func
        `fifty stolen passwords a second, each from elsewhere, let in whom they are right for and hold up nobody`()
        async throws
    {
        let (perSecond, seconds, wrong) = (50, 5, "another lake at dawn")
        let server = try await TestServer()
        try await server.run { nobody in
            let domain = "\(UUID().text).example"
            let phc = try await PasswordHashing().hash(password)
            // Of ten addresses in the list one is here, and of half of these the password is right.
            let people = try await (0..<perSecond * seconds / 10).asyncMap { number in
                let (_, uid) = try await nobody.newcomerFromElsewhere()
                try await server.recordEmail(of: uid, "person-\(10 * number)@\(domain)")
                try await server.setPassword(of: uid, phc)
                return uid
            }
            let (member, _) = try await nobody.newcomerFromElsewhere()

            let clock = ContinuousClock()
            let start = clock.now
            async let watch = Self.statuses(until: start + .seconds(seconds), of: member)
            let answers = try await withThrowingTaskGroup(of: Guess.self) { group in
                for number in 0..<perSecond * seconds {
                    group.addTask { [password] in
                        try await clock.sleep(until: start + .seconds(1) * number / perSecond)
                        var guesser = nobody
                        guesser.address = TestServer.anyAddress()
                        let body = [
                            "address": "person-\(number)@\(domain)",
                            "password": number % 20 == 0 ? password : wrong,
                        ]
                        let answer = try await guesser.send(.post, "/v1/auth/sign-in", body)
                        return Guess(
                            number: number,
                            status: answer.status,
                            uid: answer.json["uid"] as? String
                        )
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }

            let statuses = answers.reduce(into: [:]) { $0[$1.status, default: 0] += 1 }
            #expect(Set(statuses.keys).isSubset(of: [200, 401, 429, 503]))
            let letIn = answers.filter { $0.status == 200 }
            #expect(letIn.allSatisfy { $0.number % 20 == 0 })
            #expect(letIn.allSatisfy { $0.uid == people[$0.number / 10] })
            // Somebody whose password was right and who was not let in was told to come again.
            let right = answers.filter { $0.number % 20 == 0 }
            #expect(right.allSatisfy { [200, 503].contains($0.status) })
            let others = answers.filter { $0.number % 20 != 0 }
            #expect(others.allSatisfy { [401, 503].contains($0.status) })
            // Meanwhile a probe and somebody who is signed in were answered, each time.
            let watched = try await watch
            #expect(watched.count > 10)
            #expect(watched.allSatisfy { $0 == 200 })
        }
    }

    private struct Guess: Sendable {
        let number, status: Int
        let uid: String?
    }

    private static func statuses(until end: ContinuousClock.Instant, of member: Client) async throws -> [Int]
    {
        var statuses: [Int] = []
        // A thousand requests a minute is what an account has.
        while .now < end, statuses.count < 1000 {
            for path in ["/health/ready", "/health/live", "/v1/me"] {
                statuses.append(try await member.send(.get, path).status)
            }
        }
        return statuses
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

extension Client {
    fileprivate func newcomerFromElsewhere() async throws -> (client: Client, uid: String) {
        var client = self
        client.address = TestServer.anyAddress()
        return try await client.newcomer()
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
