import CLibpq
import Synchronization

/// A connection that any thread may use: a ``Pipeline`` behind a lock, and its socket on the loop.
///
/// Whoever sends does so on their own thread, and the loop's thread reads: so a statement costs one change of
/// threads, on its way back, or none for a task that runs on the loop's. The lock is held for a few microseconds,
/// and a connection belongs to one lease at a time, so hardly anybody ever waits for it.
final class Backend: EventLoopClient {
    private let loop: EventLoop
    private let configuration: PGConfiguration
    private let pipeline: Mutex<Pipeline>
    private let metrics: PoolMetrics?
    private let onClose: @Sendable (Backend) -> Void
    private let leased = Atomic<Int64>(0)

    /// Opens a connection.
    ///
    /// - Parameters:
    ///   - onNotification: called on any thread; it must not block.
    ///   - onClose: called once, when it is no longer there, on any thread.
    static func open(
        _ configuration: PGConfiguration,
        metrics: PoolMetrics? = nil,
        onNotification: (@Sendable (PGNotification) -> Void)? = nil,
        onClose: @escaping @Sendable (Backend) -> Void
    ) async throws -> Backend {
        let loop = try EventLoop.next()
        let handle = try await Connecting(configuration).connect(loop)
        let backend = Backend(handle, configuration, loop, metrics, onNotification, onClose)
        try backend.watch()
        return backend
    }

    private init(
        _ handle: NewHandle,
        _ configuration: PGConfiguration,
        _ loop: EventLoop,
        _ metrics: PoolMetrics?,
        _ onNotification: (@Sendable (PGNotification) -> Void)?,
        _ onClose: @escaping @Sendable (Backend) -> Void
    ) {
        self.loop = loop
        self.configuration = configuration
        self.metrics = metrics
        self.onClose = onClose
        pipeline = Mutex(Pipeline(handle, configuration, loop, onNotification))
        PQsetNoticeProcessor(handle.handle, passNotice, Unmanaged.passUnretained(self).toOpaque())
    }

    private func watch() throws {
        let isWatched = use { pipeline in
            pipeline.token = loop.watch(pipeline.socket, client: self)
            if pipeline.token == nil { pipeline.close(PGError(.connection, "")) }
            return pipeline.token != nil
        }
        if !isWatched { throw PGError(.connection, "the socket can't be watched") }
    }

    // MARK: Sending

    /// Sends statements in one go and waits until the server has answered all of them, or has refused one and
    /// skipped the rest.
    ///
    /// - Parameter isCancellable: whether cancelling the task cancels the statements in the server.
    func send(_ work: Request.Work, isCancellable: Bool = true, isRepeatable: Bool = false) async -> Outcome {
        let request = Request(work, isRepeatable: isRepeatable)
        _ = request.assign(self)
        submit(request)
        return isCancellable ? await request.cancellableOutcome() : await request.outcome()
    }

    func submit(_ request: Request) {
        use { $0.submit(request) }
    }

    /// Sends a request if the connection is still alive, as far as this host knows.
    func submitProbing(_ request: Request) -> Bool {
        use { pipeline in
            pipeline.receive()
            guard pipeline.handle != nil else { return false }
            pipeline.submit(request)
            return true
        }
    }

    /// Has a statement that ends a transaction sent together with what is sent next, or by
    /// ``sendPosted()``. Nobody waits for it; if it leaves the connection inside a transaction, the
    /// connection is closed.
    func post(_ statement: Statement) {
        use { $0.post(statement) }
    }

    /// Sends what was posted, if nothing has taken it along.
    func sendPosted() {
        use { $0.sendPosted() }
    }

    func cancel(_ request: Request) {
        use { $0.cancel(request) }
    }

    /// Goes on reading once the reader of a stream has caught up.
    func readOn() {
        use { $0.readOn() }
    }

    /// Sends data of a COPY, for which its writer has to be ready.
    func write(_ data: [UInt8]) {
        use { $0.write(data) }
    }

    /// Ends a COPY to the server. Nothing of it is kept if there is a failure.
    func endCopy(failure: String? = nil) {
        use { pipeline in
            pipeline.endCopy(failure: failure)
            // The server may have answered before, and will then say nothing more.
            pipeline.receive()
        }
    }

    /// Makes the session as if it were new, or closes it.
    func reset() async {
        // Whatever is in flight is over after this.
        _ = await send(.statements([]), isCancellable: false)
        var statements = [Statement(control: "DISCARD ALL")]
        if isInTransaction { statements.insert(Statement(control: "ROLLBACK"), at: 0) }
        use { $0.forgetStatements() }
        // Each in a segment of its own: DISCARD refuses to share one.
        for statement in statements {
            let outcome = await send(.statements([statement]), isCancellable: false)
            if case .refused(let error)? = outcome.failure { close(error) }
        }
    }

    // MARK: State

    /// When it was last given to somebody.
    var leasedAt: Instant {
        get { Instant(nanoseconds: leased.load(ordering: .relaxed)) }
        set { leased.store(newValue.nanoseconds, ordering: .relaxed) }
    }

    /// Whether the connection is gone. It may be gone without anybody having noticed.
    var isClosed: Bool { use { $0.handle == nil } }

    /// Whether it can be given to somebody else, after having posted what ends a transaction.
    func isClean(posting end: Statement?) -> Bool {
        use { pipeline in
            if let end { pipeline.post(end) }
            return pipeline.isClean
        }
    }

    /// Whether the server is inside a transaction. Only to be asked when nothing is in flight.
    var isInTransaction: Bool { use { $0.isInTransaction } }

    func close(_ reason: PGError = PGError(.connection, "the connection was closed")) {
        use { $0.close(reason) }
    }

    func socketReady() -> Bool {
        let effects = pipeline.withLockIfAvailable { pipeline in
            pipeline.receive()
            return pipeline.takeEffects()
        }
        guard let effects else { return false }
        carryOut(effects)
        return true
    }

    // MARK: The lock

    private func use<R: Sendable>(_ body: (inout Pipeline) -> R) -> R {
        let (result, effects) = pipeline.withLock { pipeline in
            let result = body(&pipeline)
            return (result, pipeline.takeEffects())
        }
        carryOut(effects)
        return result
    }

    private func carryOut(_ effects: Pipeline.Effects) {
        metrics?.note(effects.traffic)
        if let timer = effects.timer {
            // Not weakly, which makes every reference to it slower to count.
            loop.schedule(at: timer) { self.use { $0.checkDeadlines(timer) } }
        }
        for call in effects.cancelCalls {
            Blocking.run {
                call.send()
                if call.isAwaited { self.use { $0.cancelReturned() } }
            }
        }
        if effects.hasClosed { onClose(self) }
        for answer in effects.answered { answer.request.finish(answer.outcome) }
    }

    fileprivate func pass(notice: String) {
        configuration.onNotice?(notice)
    }
}

/// The address is the backend's, which outlives its handle: the loop holds it while its socket is watched.
private func passNotice(_ backend: UnsafeMutableRawPointer?, _ message: UnsafePointer<CChar>?) {
    guard let backend, let message else { return }
    Unmanaged<Backend>.fromOpaque(backend).takeUnretainedValue()
        .pass(notice: PGError.trimmed(String(cString: message)))
}
