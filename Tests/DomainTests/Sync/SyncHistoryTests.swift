import Foundation
import Testing

@testable import Domain

/// What must hold for every history of three devices that take over one
/// another's totals. `SOAK_HISTORIES` says how many are tried.
struct `Three devices that sync` {
    @Test(arguments: [(false, false), (false, true), (true, false), (true, true)])
    func `end with the same state, with each session once, whatever the network and their clocks did`(
        withClear: Bool,
        atOnce: Bool
    ) async throws {
        for seed in 1...max(1, UInt64(SyncHistory.tried / 4)) {
            // Others wait for answers meanwhile, and there are few threads.
            await Task.yield()
            let actions = SyncHistory.actions(seed: seed, withClear: withClear, atOnce: atOnce)
            guard !SyncHistory.problems(after: actions).isEmpty else { continue }
            let minimal = SyncHistory.minimal(actions)
            Issue.record("seed \(seed): \(SyncHistory.problems(after: minimal)) after \(minimal)")
            return
        }
    }
}
