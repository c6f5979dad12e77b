import Synchronization
import Tracing

/// A bounded set of connections to one database, and the way to run transactions on them.
///
/// Connections are opened when they are needed. Whoever finds none free waits in line, for at most
/// ``PGConfiguration/acquireTimeout``. While the database can't be reached everybody fails at once with the
/// reason, and as soon as it is back the next attempt succeeds.
public final class PGPool: PGSession {
    /// The bounds that the pool keeps.
    public let configuration: PGConfiguration
    private let state: Mutex<PoolState<Backend, Request>>
    private let metrics: PoolMetrics?
    let tracer: (any Tracer)?
    private let drainWaiters = Mutex<[CheckedContinuation<Void, Never>]?>([])

    /// A pool that opens its first connections in the background.
    public init(_ configuration: PGConfiguration) {
        self.configuration = configuration
        metrics = configuration.metrics
        tracer = configuration.activeTracer
        state = Mutex(PoolState(configuration.bounds, seed: .random(in: 0...(.max))))
        if configuration.minimumConnections > 0 { perform(state.withLock { $0.start(at: .now) }) }
    }

    deinit {
        // A lease holds its pool, so what is left now is idle.
        for (backend, _) in state.withLock({ $0.beginClosing() }).close { backend.close() }
    }

    // MARK: Statements

    /// Runs one statement by itself, on whichever connection is free, and returns its undecoded result.
    ///
    /// It takes one round trip. The server commits it before it answers.
    public func run(_ sql: SQL, file: StaticString, line: UInt) async throws -> PGResult {
        try Task.checkCancellation()
        let statement = Statement(sql, file: file, line: line)
        try statement.validate()
        return try await TransactionSpan.run("postgresql statement", tracer, isolation: nil) { span in
            span?.note(statement.origin)
            return try await run(statement)
        }
    }

    private func run(_ statement: Statement) async throws -> PGResult {
        var outcome = Outcome()
        // One that has to be prepared again is: the server has refused it without executing anything. Each
        // connection may believe in what it has prepared.
        for _ in 0...configuration.maximumConnections {
            (outcome, _) = await send(.statements([statement]), releasing: true)
            guard outcome.failure?.isStale == true else { break }
        }
        if let failure = outcome.failure { throw failure.error }
        guard let result = outcome.result else {
            throw PGError(.connection, "the statement has no result", statement.origin)
        }
        return result
    }

    // MARK: Leases

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
    ///   - retry: how often it is run again after a serialization failure or a deadlock.
    ///   - isolation: the actor on which the closure runs, the caller's.
    ///   - body: runs the statements. The transaction it receives is of no use after it.
    /// - Throws: what the closure throws; ``PGError`` if there is no connection, or if the commit fails;
    ///   `CancellationError` if the task is cancelled while it waits for a connection.
    @discardableResult
    public func transaction<R: Sendable>(
        _ access: PGAccess = .readWrite,
        opening: SQL? = nil,
        retry: PGRetry = .never,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (PGTransaction) async throws -> R
    ) async throws -> R {
        try await retry.run(isolation: isolation) {
            try await TransactionSpan.run("postgresql transaction", tracer, isolation: isolation) { span in
                let lease = Lease(pool: self, transaction: .init(access, opening), span: span)
                return try await run(body, on: lease, isolation: isolation)
            }
        }
    }

    private func run<R: Sendable>(
        _ body: (PGTransaction) async throws -> R,
        on lease: Lease,
        isolation: isolated (any Actor)?
    ) async throws -> R {
        let result: R
        do {
            result = try await body(PGTransaction(lease: lease, id: LeaseState.firstTransaction))
        } catch {
            // What is still open then is rolled back.
            await lease.giveBack()
            throw error
        }
        try await lease.commitAndGiveBack(LeaseState.firstTransaction)
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
        let lease = Lease(pool: self, transaction: nil, span: nil)
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
        let deadline = Instant.now + time
        await withCheckedContinuation { continuation in
            // nil when it has been closed before.
            let isOpen = drainWaiters.withLock { waiters in
                waiters?.append(continuation)
                return waiters != nil
            }
            guard isOpen else { return continuation.resume() }
            perform(state.withLock { $0.beginClosing() })
            guard let loop = try? EventLoop.next() else { return }
            loop.schedule(at: deadline) { [weak self] in
                guard let self else { return }
                perform(state.withLock { $0.giveUpDraining() })
            }
        }
    }

    private func finishDraining() {
        let waiters = drainWaiters.withLock { waiters in
            defer { waiters = nil }
            return waiters
        }
        for waiter in waiters ?? [] { waiter.resume() }
    }

    /// How many tasks wait for a connection.
    var waiting: Int { state.withLock { $0.waiting } }
    /// Whether every connection is taken.
    var isSaturated: Bool { state.withLock { $0.leased >= $0.bounds.maximum } }

    // MARK: Requests

    /// Gives a request to a connection as soon as one is free, and waits for the outcome.
    ///
    /// - Parameter releasing: whether the connection comes back to the pool by itself.
    /// - Returns: with the outcome, the connection, if it got one.
    func send(
        _ work: Request.Work,
        isRepeatable: Bool = false,
        releasing: Bool = false
    ) async -> (Outcome, Backend?) {
        let request = Request(work, isRepeatable: isRepeatable, releasesTo: releasing ? self : nil)
        let outcome = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                request.wait(continuation)
                acquire(request)
            }
        } onCancel: {
            cancel(request)
        }
        return (outcome, request.backend)
    }

    private func acquire(_ request: Request) {
        let effects = state.withLock { state in
            // Whoever cancels takes this lock after having noted it: so either they find the request here, or
            // it is seen now.
            request.isCancelled ? nil : state.acquire(request, at: .now)
        }
        guard let effects else { return request.finish(Outcome(failure: .cancelled)) }
        noteSizes()
        perform(effects)
    }

    private func cancel(_ request: Request) {
        if let backend = request.cancel() {
            backend.cancel(request)
        } else if state.withLock({ $0.cancel(request) }) {
            request.finish(Outcome(failure: .cancelled))
        }
    }

    /// Takes a connection back.
    ///
    /// - Parameter end: what ends the transaction on it, of which nobody waits for the answer. It goes out with
    ///   whatever is sent next.
    func release(_ backend: Backend, posting end: Statement? = nil) {
        metrics?.returned(leasedAt: backend.leasedAt)
        takeBack(backend, posting: end)
    }

    /// Takes back a connection that nobody may have had.
    private func takeBack(_ backend: Backend, posting end: Statement? = nil) {
        let isClean = backend.isClean(posting: end)
        let effects = state.withLock { $0.release(backend, isClean: isClean, at: .now) }
        noteSizes()
        perform(effects, areFresh: true)
        // What was posted has gone out with the next request if somebody has waited for this connection.
        if effects.assigned == nil { backend.sendPosted() }
    }

    private func noteSizes() {
        guard let metrics else { return }
        let (waiting, leased, total) = state.withLock { ($0.waiting, $0.leased, $0.total) }
        metrics.note(waiting: waiting, leased: leased, total: total)
    }

    private func connect() async {
        do {
            let backend = try await Backend.open(configuration, metrics: metrics) { [weak self] backend in
                guard let self else { return }
                perform(state.withLock { $0.lost(backend, at: .now) })
            }
            metrics?.connected()
            perform(state.withLock { $0.connected(backend, at: .now) })
            // It may have died before the pool knew of it.
            if backend.isClosed { perform(state.withLock { $0.lost(backend, at: .now) }) }
        } catch {
            let error = error as? PGError ?? PGError(.connection, "\(error)")
            metrics?.connectFailed()
            perform(state.withLock { $0.connectFailed(error, at: .now) })
        }
    }

    /// - Parameter areFresh: whether the connections that are assigned were in use until now.
    private func perform(_ effects: PoolState<Backend, Request>.Effects, areFresh: Bool = false) {
        for (request, error) in effects.failed {
            request.finish(Outcome(failure: .lost(error, answered: false)))
        }
        for (backend, reason) in effects.close {
            metrics?.discarded(reason)
            backend.close()
        }
        if let next = effects.assigned { give(next.connection, to: next.waiter, isFresh: areFresh) }
        for _ in 0..<effects.open { Task { await connect() } }
        if effects.isDrained { finishDraining() }
        guard let time = effects.timer, let loop = try? EventLoop.next() else { return }
        loop.schedule(at: time) { [weak self] in
            guard let self else { return }
            perform(state.withLock { $0.tick(at: .now) })
        }
    }

    private func give(_ backend: Backend, to request: Request, isFresh: Bool) {
        guard request.assign(backend) else {
            request.finish(Outcome(failure: .cancelled))
            return takeBack(backend)
        }
        if let metrics {
            metrics.waited(since: request.start)
            backend.leasedAt = .now
        }
        if isFresh { return backend.submit(request) }
        if backend.submitProbing(request) { return }
        // It had died while nobody used it.
        request.unassign()
        acquire(request)
    }
}
