import Synchronization

/// A bounded set of connections to one database, and the way to run transactions on them.
///
/// Connections are opened when they are needed. Whoever finds none free waits in line, for at most
/// ``PGConfiguration/acquireTimeout``. While the database can't be reached everybody fails at once with the
/// reason, and as soon as it is back the next attempt succeeds.
public final class PGPool: Sendable {
    /// The bounds that the pool keeps.
    public let configuration: PGConfiguration
    private let state: Mutex<PoolState>
    private let lastWaiter = Atomic<UInt64>(0)

    /// A pool without any connection yet.
    public init(_ configuration: PGConfiguration) {
        self.configuration = configuration
        state = Mutex(PoolState(configuration))
    }

    deinit {
        // A lease holds its pool, so what is left now is idle.
        for backend in state.withLock({ $0.beginClosing() }).close { backend.closeSoon() }
    }

    /// Runs a transaction.
    ///
    /// Its BEGIN goes out together with the opening and the first statement. If the closure returns, the
    /// transaction is committed; if it throws, it is rolled back and the error passed on. A transaction whose
    /// closure runs no statement sends nothing, not even its opening.
    ///
    /// The commit of a read-only transaction isn't waited for: with one statement it takes one round trip,
    /// while one that writes takes two. Once the closure has returned, cancelling the task doesn't stop the
    /// commit.
    ///
    /// - Parameters:
    ///   - access: whether it may write.
    ///   - opening: a statement that runs before all others, such as one that says for whom they are. If it
    ///     fails, the first statement throws its error.
    ///   - body: runs the statements. The transaction it receives is of no use after it.
    /// - Throws: what the closure throws; ``PGError`` if there is no connection, or if the commit fails;
    ///   `CancellationError` if the task is cancelled while it waits for a connection.
    @discardableResult
    public func transaction<R: Sendable>(
        _ access: PGAccess = .readWrite,
        opening: SQL? = nil,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (PGTransaction) async throws -> R
    ) async throws -> R {
        let lease = Lease(try await acquire(), pool: self, transaction: .init(access, opening))
        let result: R
        do {
            result = try await body(PGTransaction(lease: lease, id: Lease.firstTransaction))
        } catch {
            // What is still open then is rolled back.
            await lease.giveBack()
            throw error
        }
        try await lease.commitAndGiveBack(Lease.firstTransaction)
        return result
    }

    /// Lends a connection for what outlives a transaction, such as an advisory lock of the session.
    /// Afterwards its session is reset with `DISCARD ALL`, or the connection is closed.
    ///
    /// - Throws: what the closure throws; ``PGError`` if there is no connection; `CancellationError` if the
    ///   task is cancelled while it waits for one.
    @discardableResult
    public func withConnection<R: Sendable>(
        isolation: isolated (any Actor)? = #isolation,
        _ body: (PGConnection) async throws -> R
    ) async throws -> R {
        let lease = Lease(try await acquire(), pool: self, transaction: nil)
        let result: R
        do {
            result = try await body(PGConnection(lease: lease))
        } catch {
            await lease.giveBack(resetting: true)
            throw error
        }
        await lease.giveBack(resetting: true)
        return result
    }

    /// Closes the pool: nobody gets a connection any more, those who wait fail, and those who have one may
    /// finish.
    ///
    /// - Parameter time: how long to wait for them, before their connections are closed too.
    public func close(within time: Duration = .seconds(10)) async {
        perform(state.withLock { $0.beginClosing() })
        let deadline = Instant.now + time
        await withCheckedContinuation { waiter in
            perform(state.withLock { $0.drain(waiter) })
            guard let reactor = try? Reactor.shared() else { return }
            reactor.execute(at: deadline) { [weak self] in
                guard let self else { return }
                perform(state.withLock { $0.giveUpDraining() })
            }
        }
    }

    /// How many tasks wait for a connection.
    var waiting: Int { state.withLock { $0.waiting } }
    /// Whether every connection is taken.
    var isSaturated: Bool { state.withLock { $0.isSaturated } }

    // MARK: Leasing

    private func acquire() async throws -> Backend {
        try Task.checkCancellation()
        var effects = PoolState.Effects()
        let idle = try state.withLock { try $0.takeIdle(at: .now, &effects) }
        perform(effects)
        if let idle { return idle }
        let id = lastWaiter.add(1, ordering: .relaxed).newValue
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let now = Instant.now
                let waiter = PoolState.Waiter(
                    id: id,
                    deadline: now + configuration.acquireTimeout,
                    continuation: continuation
                )
                perform(
                    state.withLock { state in
                        // The handler below runs before or after this lock, never in between.
                        guard Task.isCancelled else { return state.enqueue(waiter, at: now) }
                        return .init(resume: [(continuation, .failure(CancellationError()))])
                    }
                )
            }
        } onCancel: {
            perform(state.withLock { $0.cancel(id) })
        }
    }

    func release(_ backend: Backend, isClean: Bool) {
        perform(state.withLock { $0.release(backend, isClean: isClean, at: .now) })
    }

    /// A new connection for one that was leased and found dead before anything was executed on it.
    func replace(_ dead: Backend) async throws -> Backend {
        let backend = try await open()
        state.withLock { $0.replace(dead, with: backend) }
        return backend
    }

    private func open() async throws -> Backend {
        let backend = Backend(configuration, reactor: try .shared()) { [weak self] backend in
            self?.state.withLock { $0.lost(backend) }
        }
        try await backend.open()
        return backend
    }

    private func connect() async {
        do {
            let backend = try await open()
            perform(state.withLock { $0.connected(backend) })
        } catch {
            perform(state.withLock { $0.connectFailed(error, at: .now, jitter: .random(in: 0...1)) })
        }
    }

    private func perform(_ effects: PoolState.Effects) {
        for (continuation, result) in effects.resume { continuation.resume(with: result) }
        for waiter in effects.drained { waiter.resume() }
        for backend in effects.close { backend.closeSoon() }
        for _ in 0..<effects.open { Task { await connect() } }
        guard let time = effects.expireAt, let reactor = try? Reactor.shared() else { return }
        reactor.execute(at: time) { [weak self] in
            guard let self else { return }
            perform(state.withLock { $0.expire(at: .now) })
        }
    }
}
