/// How often a transaction is run again that the server has broken off because of others: a serialization
/// failure (40001) or a deadlock (40P01), after both of which nothing of it is left.
///
/// Everything that the closure does beside the transaction is done again as well, so only the caller can know
/// whether it may be repeated.
public struct PGRetry: Sendable {
    /// How often it is run at most.
    public var attempts: Int
    /// The pause before the second attempt is anything up to this; before every further one up to twice as much
    /// as before.
    public var pause: Duration

    /// - Parameters:
    ///   - attempts: how often it is run at most.
    ///   - pause: up to how long the first pause lasts.
    public init(attempts: Int, pause: Duration = .milliseconds(20)) {
        self.attempts = attempts
        self.pause = pause
    }

    /// Run once.
    public static let never = PGRetry(attempts: 1)

    // Inlined: an async call costs more than what it does.
    @inline(always)
    func run<R: Sendable>(
        isolation: isolated (any Actor)?,
        _ body: () async throws -> R
    ) async throws -> R {
        var attempt = 1
        while true {
            do {
                return try await body()
            } catch let error as PGError where attempt < attempts && error.isTransient {
                // Full jitter: those who have collided don't collide again.
                let ceiling = pause.nanoseconds.multipliedReportingOverflow(by: 1 << min(attempt - 1, 20))
                let pause = Int64.random(in: 0...(ceiling.overflow ? .max : ceiling.partialValue))
                try await Task.sleep(for: .nanoseconds(pause))
                attempt += 1
            }
        }
    }
}

extension PGError {
    /// The server has broken off the transaction because of others, and the same may work now.
    var isTransient: Bool { sqlState == .serializationFailure || sqlState == .deadlockDetected }
}
