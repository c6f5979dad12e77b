import Foundation
import HTTPTypes
import Testing

/// How often a sync waits for Postgres.
@Suite(.timeLimit(.minutes(1))) struct SyncRoundTripTests {
    private let end = Practice.noon

    private func session(_ minutesAgo: Double) -> [String: Any] {
        Practice.session(startedAt: end.addingTimeInterval(-minutesAgo * 60), cycles: 50)
    }

    @Test func `a batch waits for Postgres twice, and the state is read in one round trip`() async throws {
        let server = try await TestServer(clock: TestClock(Practice.noon), isBehindProxy: true)
        let proxy = try #require(server.proxy)
        try await server.run { nobody in
            var (laptop, _) = try await nobody.veteran(until: end)
            // What is prepared once for a connection is prepared, and other devices were told of that sync.
            try await laptop.sync([session(200)])
            _ = try await laptop.client.send(.get, "/v1/sync/state")
            _ = await proxy.receivedAtRest

            // They are told of this one in a third, which nobody waits for: it gets no answer.
            proxy.restart(holdingTurn: 3)
            let answer = try await laptop.sync([session(100)])
            #expect(answer.outcomes == ["sessions 0 accepted"])
            proxy.restart()
            _ = await proxy.receivedAtRest

            // The second says that the transaction is over.
            proxy.restart(holdingTurn: 2)
            let state = try await laptop.client.send(.get, "/v1/sync/state")
            #expect(state.status == 200)
            #expect(state.json["totalXP"] as? Int == answer.state["totalXP"] as? Int)
            proxy.restart()
        }
    }
}
