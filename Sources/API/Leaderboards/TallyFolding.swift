import Foundation
import Logging
import PGClient
import ServiceLifecycle

/// Keeps the counts that ranks come from short: what syncs added is folded into them,
/// every second. Ranks are right without it, and slower.
struct TallyFolding: Service {
    static let interval = Duration.seconds(1)
    /// So many that a fold takes no longer than a request may.
    private static let most = 5_000

    let pool: PGPool
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    while try await fold() == Self.most {}
                    try await Task.sleep(for: Self.interval)
                } catch is CancellationError {
                    return
                } catch {
                    logger.warning("counts were not folded", metadata: ["error": "\(error)"])
                    try? await Task.sleep(for: .seconds(10))
                }
            }
        }
    }

    private func fold() async throws -> Int {
        try await pool.transaction { tx in
            try await tx.queryOne("select app.fold_global_tally(\(Int32(Self.most)))", as: Int.self)
        }
    }
}
