import Domain
import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

/// Whatever happens, in whatever order: every endpoint says to every viewer what counting everything
/// anew would. `SOAK_TOWNS` says in how many towns it is tried.
@Suite(.serialized) struct BoardPropertyTests {
    private static let towns = ProcessInfo.processInfo.environment["SOAK_TOWNS"].flatMap(UInt64.init) ?? 2

    @Test(arguments: 1...towns)
    func `after anything that people do, every board says to everyone what a naive count says`(seed: UInt64)
        async throws
    {
        // Sunday of a week, so that there are two to be on.
        let clock = TestClock(try Date("2061-05-22T12:00:00Z", strategy: .iso8601))
        let server = try await TestServer(clock: clock, keepsTokens: true, isAlone: true)
        try await server.run { nobody in
            var town = Town(server: server, nobody: nobody, clock: clock, random: SplitMix64(seed: seed))
            try await town.found(people: 5)
            try await town.expectAllBoards(after: "the founding")
            for step in 1...14 {
                let deed = step.isMultiple(of: 5) ? try await town.finalise() : try await town.doSomething()
                clock.advance(by: 900)
                try await town.expectAllBoards(after: deed)
            }
            #expect(try await server.boardDifferences() == [])
        }
    }
}
