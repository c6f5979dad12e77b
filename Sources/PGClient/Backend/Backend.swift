import CLibpq
import Synchronization

/// One connection: a libpq handle, its socket on the reactor, and what is under way on it.
///
/// It knows about segments, deadlines and cancelling, and nothing about transactions or pools. Its isolated
/// methods run on the reactor's thread and never block there.
actor Backend: ReactorClient {
    nonisolated let reactor: Reactor
    nonisolated let configuration: PGConfiguration
    /// When the connection should be replaced by a new one.
    nonisolated let expiry: Instant
    nonisolated private let closed = Atomic<Bool>(false)
    nonisolated private let onClose: @Sendable (Backend) -> Void

    /// nil before libpq has made one, and after it was closed.
    var handle: OpaquePointer?
    var socket: Int32 = -1
    var token: UInt64?
    var opening: Opening?

    var inFlight: [Segment] = []
    /// Cancelled segments that are over, but whose cancel call hasn't returned: until then it could still hit
    /// what comes next.
    var cancelling: [Segment] = []
    var cancelCalls = 0
    var cancelDeadline: Instant?
    var drainWaiters: [CheckedContinuation<Void, Never>] = []
    var isWaitingToWrite = false
    var nextTimer: Instant?

    var segments: UInt64 = 0
    var cache = StatementCache(bound: 128)
    /// Prepared statements were forgotten here that may still be there.
    var hasOrphans = false

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        reactor.asUnownedSerialExecutor()
    }

    init(_ configuration: PGConfiguration, reactor: Reactor, onClose: @escaping @Sendable (Backend) -> Void) {
        self.configuration = configuration
        self.reactor = reactor
        self.onClose = onClose
        // Connections that were opened together shouldn't all be replaced together.
        let lifetime = Double(configuration.maximumLifetime.nanoseconds) * Double.random(in: 0.9...1.1)
        expiry = .now + .nanoseconds(Int64(min(lifetime, 9e18)))
    }

    /// Whether the connection is gone. It may be gone without anybody having noticed.
    nonisolated var isClosed: Bool {
        closed.load(ordering: .acquiring)
    }

    /// Whether it can be given to somebody else: open, outside a transaction, and with no cancel under way
    /// that could hit them. What is still in flight ends before anything that they send begins.
    var isClean: Bool {
        guard let handle, cancelCalls == 0 else { return false }
        return inFlight.isEmpty
            ? PQtransactionStatus(handle) == PQTRANS_IDLE : inFlight.allSatisfy(\.isDetached)
    }

    /// Whether the server is inside a transaction. Only to be asked when nothing is in flight.
    var isInTransaction: Bool {
        guard let handle else { return false }
        return PQtransactionStatus(handle) != PQTRANS_IDLE
    }

    // MARK: Reading

    nonisolated func socketReady() {
        assumeIsolated { $0.advance() }
    }

    private func advance() {
        if opening != nil { return pollOpening() }
        receive()
    }

    /// Takes in what has arrived and hands out what is complete.
    func receive() {
        guard handle != nil else { return }
        if isWaitingToWrite { flush() }
        let isAlive = consume()
        handOut()
        guard let handle else { return }
        guard isAlive, PQstatus(handle) == CONNECTION_OK else { return close(connectionError()) }
        dropNotifications(handle)
    }

    /// Reads from the socket into libpq's buffer. False when the connection is dead; what came before it died
    /// can still be handed out.
    private func consume() -> Bool {
        guard let handle else { return false }
        let segment = inFlight.first
        // Only a result that didn't arrive in one piece is worth a look at how large it becomes.
        let watched = segment.flatMap { $0.isArriving ? $0 : nil }
        let before = watched == nil ? 0 : Int(pgc_socket_pending(socket))
        guard PQconsumeInput(handle) == 1 else { return false }
        // OpenSSL may hold decrypted bytes, for which the socket will not become readable again.
        var pending = pgc_tls_pending(handle)
        while pending != 0 {
            guard PQconsumeInput(handle) == 1 else { return false }
            pending = pending < 0 ? 0 : pgc_tls_pending(handle)
        }
        segment?.isArriving = PQisBusy(handle) == 1
        guard let watched, watched.isArriving else { return true }
        // libpq doesn't tell how much it has read: usually what its buffer of 16 kB takes, or one TLS record,
        // which the server makes of 8 kB.
        let usual = PQsslInUse(handle) == 1 ? 8_192 : 16_384
        watched.arrived += max(min(before, usual), before - Int(pgc_socket_pending(socket)))
        guard watched.arrived / 2 > configuration.maximumResultBytes else { return true }
        watched.error = watched.error ?? tooLarge(watched.current?.origin)
        return false
    }

    /// Hands out every result that is complete. `PQgetResult` is never asked while it would block.
    private func handOut() {
        while let handle, let segment = inFlight.first, PQisBusy(handle) == 0 {
            guard let result = PQgetResult(handle) else {
                if PQstatus(handle) != CONNECTION_OK { return }
                if segment.isScript {
                    finishScript(segment)
                } else {
                    segment.position += 1
                    guard segment.position <= segment.steps.count else {
                        return close(PGError(.connection, "libpq has lost count of the results"))
                    }
                }
                continue
            }
            segment.isAnswered = true
            segment.arrived = 0
            take(result, for: segment)
        }
    }

    private func take(_ result: OpaquePointer, for segment: Segment) {
        let status = PQresultStatus(result)
        if status == PGRES_PIPELINE_SYNC {
            PQclear(result)
            return complete(segment)
        }
        let current = segment.current
        let origin = current?.origin ?? Origin(sql: "", file: #fileID, line: #line)
        switch status {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
            if PQresultMemorySize(result) > configuration.maximumResultBytes {
                segment.error = segment.error ?? tooLarge(origin)
            }
            if case .execute? = current?.step {
                segment.results.append(PGResult(result, origin: origin))
            } else {
                PQclear(result)
            }
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
            PQclear(result)
            segment.error =
                segment.error ?? PGError(.invalidStatement, "COPY can't be run as a statement", origin)
            close(PGError(.connection, "closed to end a COPY", origin))
        default:
            // After a FATAL error libpq makes up a second one when the socket closes: the first says why.
            segment.error = segment.error ?? PGError(result, origin: origin)
            if case .prepare(let key)? = current?.step { cache.remove(key) }
            PQclear(result)
        }
    }

    func complete(_ segment: Segment) {
        inFlight.removeFirst()
        if let error = segment.error, error.isStaleStatement {
            cache.removeAll()
            hasOrphans = true
        }
        if segment.isCancelled, cancelCalls > 0 {
            cancelling.append(segment)
        } else {
            segment.finish(segment.naturalOutcome)
        }
        if inFlight.isEmpty { finishDraining() }
        if cancelCalls == 0, !inFlight.contains(where: \.isCancelled) { cancelDeadline = nil }
        if inFlight.isEmpty, segment.isDetached, isInTransaction {
            close(PGError(.connection, "the connection was left in a transaction"))
        }
    }

    func finishDraining() {
        for waiter in drainWaiters { waiter.resume() }
        drainWaiters = []
    }

    private func dropNotifications(_ handle: OpaquePointer) {
        while let notification = PQnotifies(handle) { PQfreemem(notification) }
    }

    private func tooLarge(_ origin: Origin?) -> PGError {
        PGError(
            .resultTooLarge,
            "the result takes more than \(configuration.maximumResultBytes) bytes",
            origin
        )
    }

    // MARK: Closing

    func connectionError() -> PGError {
        PGError(.connection, handle.map(PGError.message(of:)) ?? "the connection is closed")
    }

    /// Closes the connection as soon as the reactor comes to it.
    nonisolated func closeSoon() {
        reactor.execute {
            self.assumeIsolated { $0.close(PGError(.connection, "the connection was closed")) }
        }
    }

    /// Closes the connection. Everything in flight fails with its own first error, or else with this one.
    func close(_ reason: PGError) {
        closed.store(true, ordering: .releasing)
        guard let handle else { return }
        if let token { reactor.unwatch(socket, token: token) }
        PQfinish(handle)
        self.handle = nil
        token = nil
        let failed = cancelling + inFlight
        inFlight = []
        cancelling = []
        for segment in failed { segment.finish(segment.outcome(lostTo: reason)) }
        finishDraining()
        onClose(self)
    }
}

extension Segment {
    /// The outcome of a segment that has ended with its Sync.
    var naturalOutcome: Outcome {
        if isCancelled { return Outcome(failure: .cancelled) }
        if let error { return Outcome(failure: .refused(error)) }
        return Outcome(results: results)
    }

    /// The outcome of a segment whose connection was closed. Whether an error is about the connection is
    /// decided by that and not by its code, which may be anything or missing.
    func outcome(lostTo reason: PGError) -> Outcome {
        if isCancelled { return Outcome(failure: .cancelled) }
        var error = error ?? reason
        if error.kind == .server { error.kind = reason.kind }
        // The server answers a segment as a whole, so before it has begun to, the blame is on what it was
        // sent for.
        let origin = isAnswered ? current?.origin : steps.last?.origin
        return Outcome(failure: .lost(error.with(origin), answered: isAnswered))
    }
}
