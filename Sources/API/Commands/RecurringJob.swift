import Logging
import ServiceLifecycle

/// Work that the server does by itself, again and again, until it is stopped. What fails
/// is logged and tried again, sooner than the next time would be.
struct RecurringJob: Service {
    private static let pauseAfterFailure = Duration.seconds(10)

    /// For the log: what was not done, when it has failed.
    let name: String
    let interval: Duration
    let logger: Logger
    let work: @Sendable () async throws -> Void

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await work()
                    try await Task.sleep(for: interval)
                } catch is CancellationError {
                    return
                } catch {
                    logger.warning("a job has failed", metadata: ["job": "\(name)", "error": "\(error)"])
                    try? await Task.sleep(for: Self.pauseAfterFailure)
                }
            }
        }
    }
}

/// Goes on while the step says that there is more to do, without hurry: each step is followed by a pause of four times
/// as long, so that most of the time is for those who ask meanwhile.
func unhurried(_ step: () async throws -> Bool) async throws {
    while true {
        let began = ContinuousClock.now
        guard try await step() else { return }
        try await Task.sleep(for: (ContinuousClock.now - began) * 4)
    }
}
