import Testing

@testable import PGClient

@Suite(.timeLimit(.minutes(1))) struct `The pool's rules in random schedules` {
    private static let perPart = 300

    /// In parts, so that they run in parallel.
    @Test(arguments: 0..<4) func `Whatever happens, in whatever order, the pool keeps its promises`(
        part: Int
    ) async throws {
        var seen: Set<String> = []
        for seed in part * Self.perPart..<(part + 1) * Self.perPart {
            let simulation = PoolSimulation(seed: UInt64(seed))
            // The first violation is enough: its seed and step say how to meet it again.
            try simulation.run(steps: 300)
            seen.formUnion(simulation.seen)
            // Others test with a clock.
            await Task.yield()
        }
        // A promise is worth nothing if the occasion to break it never came.
        let kinds: [PGError.Kind] = [.connection, .poolTimeout, .poolExhausted, .poolClosed]
        let reasons = DiscardReason.allCases.map(\.rawValue)
        #expect(seen == Set(kinds.map(\.rawValue) + reasons + PoolSimulation.occasions))
    }
}
