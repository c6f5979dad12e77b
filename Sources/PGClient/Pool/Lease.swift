import Synchronization
import Tracing

/// A connection while somebody has it, and the transaction that is open on it.
///
/// It has none before the first statement, which waits for one together with everything that has to precede
/// it. The handles that users hold name a transaction by a number that is never used again: a handle that is
/// kept too long is told so.
final class Lease: Sendable {
    private static let commit = Statement(control: "COMMIT", prepares: true)

    private let pool: PGPool
    private let state: Mutex<LeaseState>

    init(pool: PGPool, transaction: LeaseState.Transaction?, span: TransactionSpan?) {
        self.pool = pool
        state = Mutex(LeaseState(transaction: transaction, span: span))
    }

    /// Where spans go.
    var tracer: (any Tracer)? { pool.tracer }

    // MARK: Statements

    /// Runs a statement in a transaction, or outside of one if the number is nil.
    func run(_ statement: Statement, in id: Int?) async throws -> PGResult {
        let outcome = try await run([statement], in: id)
        guard let result = outcome.result else {
            throw PGError(.connection, "the statement has no result", statement.origin)
        }
        return result
    }

    /// Runs statements in one message, and returns their results.
    func run(together statements: [Statement], in id: Int) async throws -> [PGResult] {
        try await run(statements, keeping: statements.count, in: id).kept
    }

    // Inlined, as `send` is: an async call costs more than what they do.
    @inline(always)
    private func run(_ statements: [Statement], keeping kept: Int = 0, in id: Int?) async throws -> Outcome {
        for statement in statements { try prepare(statement) }
        // By itself, a statement that is refused as out of date leaves nothing behind.
        var mayPrepareAgain = id == nil
        while true {
            let outcome =
                switch try await send({ .statements(statements, keeping: kept) }, in: id) {
                case .first(let beginning):
                    await start(
                        .statements(beginning?.followed(by: statements) ?? statements, keeping: kept),
                        in: id
                    )
                case .sent(let request, _): await request.cancellableOutcome()
                case .wait: Outcome()
                }
            if mayPrepareAgain, outcome.failure?.isStale == true {
                mayPrepareAgain = false
                continue
            }
            try note(outcome, in: id)
            return outcome
        }
    }

    private func prepare(_ statement: Statement) throws {
        try statement.validate()
        if pool.tracer != nil { state.withLock { $0.span }?.note(statement.origin) }
    }

    /// Leaves a statement to go out together with the commit.
    func runWithCommit(_ statement: Statement, in id: Int) throws {
        try prepare(statement)
        try state.withLock { try $0.leaveLast(statement, in: id) }
    }

    /// Runs a script in a transaction, or outside of one if the number is nil.
    func script(_ statement: Statement, in id: Int?) async throws {
        try prepare(statement)
        let backend = try await sendAlone(.script(statement), in: id) { request in
            try note(await request.cancellableOutcome(), in: id)
        }
        try state.withLock { state in
            guard state.id == id, state.transaction != nil, !backend.isInTransaction else { return }
            state.transaction?.phase = .spoiled
            throw PGError(
                .transactionClosed,
                "the script has ended the transaction that it ran in",
                statement.origin
            )
        }
    }

    // MARK: Streams

    /// Begins a stream, which has the transaction for itself until ``endStream(_:_:)``.
    func stream(_ work: Request.Work, in id: Int?) async throws -> (Request, Backend) {
        if let statement = work.last { try prepare(statement) }
        var sent: Request?
        let backend = try await sendAlone(work, in: id) { sent = $0 }
        guard let sent else { throw PGError(.transactionClosed, "the stream wasn't sent", work.origin) }
        return (sent, backend)
    }

    /// Nobody reads or writes the stream any more.
    func endStream(_ request: Request, _ error: (any Error)? = nil) {
        state.withLock { state in
            guard state.stream === request else { return }
            state.isStreaming = false
            switch error {
            case let error as PGError: state.transaction?.firstError.note(error)
            case is CancellationError: state.transaction?.phase = .spoiled
            default: break
            }
        }
    }

    // MARK: Sending

    /// Sends what can't share a message, after everything that has to precede it.
    private func sendAlone(
        _ work: Request.Work,
        in id: Int?,
        _ body: (Request) async throws -> Void
    ) async throws -> Backend {
        while true {
            switch try await send({ work }, in: id) {
            case .first(let beginning):
                let statements = beginning?.followed(by: []) ?? []
                try note(await start(.statements(statements), in: id), in: id)
            case .sent(let request, let backend):
                try await body(request)
                return backend
            case .wait:
                break
            }
        }
    }

    /// Sends a request, or has it sent with what has to precede it; waits while the first is under way.
    @inline(always)
    private func send(_ work: () -> Request.Work, in id: Int?) async throws -> LeaseState.Entrance {
        while true {
            try Task.checkCancellation()
            let entrance = try state.withLock { try $0.send(work, in: id) }
            guard case .wait = entrance else { return entrance }
            await untilStartedOrCancelled()
        }
    }

    private func untilStartedOrCancelled() async {
        let number = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        await withTaskCancellationHandler {
            await untilStarted(number) { Task.isCancelled }
        } onCancel: {
            let waiter = state.withLock { state in
                state.gate.firstIndex { $0.number == number }.map { state.gate.remove(at: $0) }
            }
            waiter?.continuation.resume()
        }
    }

    /// - Parameter isOver: looked at under the lock under which whoever ends the wait looks for it.
    private func untilStarted(_ number: Int = 0, orIf isOver: () -> Bool = { false }) async {
        await withCheckedContinuation { continuation in
            let mustWait = state.withLock { state in
                guard state.isStarting, !isOver() else { return false }
                state.gate.append(.init(number: number, continuation: continuation))
                return true
            }
            if !mustWait { continuation.resume() }
        }
    }

    /// Waits until no first statement is under way, which a task may have left behind, and then changes the
    /// state before another can be.
    private func whenStarted<R: Sendable>(_ change: (inout LeaseState) -> R) async -> R {
        while true {
            if let result = state.withLock({ $0.isStarting ? nil : change(&$0) }) { return result }
            await untilStarted()
        }
    }

    /// Lets those in who have waited, and who are told if the first has failed.
    private func leave(_ backend: Backend?, _ failure: Failure?) {
        let waiting = state.withLock { state in
            state.backend = backend
            state.isStarting = false
            if let failure { state.note(failure) }
            defer { state.gate = [] }
            return state.gate
        }
        for waiter in waiting { waiter.continuation.resume() }
    }

    /// Sends what comes first on a connection, or in a transaction.
    ///
    /// A connection that was dead already is replaced once. In a transaction that is safe also when it was
    /// found dead only while sending, since nothing was committed.
    ///
    /// A statement that must be prepared again is, once: the server has refused it without executing
    /// anything.
    private func start(_ work: Request.Work, in id: Int?) async -> Outcome {
        var (backend, mayReplace) = state.withLock { state in
            defer { state.isUntouched = false }
            return (state.backend, state.isUntouched && id != nil)
        }
        var mayPrepareAgain = true
        while true {
            let outcome: Outcome
            if let backend {
                outcome = await backend.send(work, isRepeatable: mayReplace)
            } else {
                (outcome, backend) = await pool.send(work, isRepeatable: mayReplace)
            }
            switch outcome.failure {
            case .lost(let error, answered: false) where mayReplace && error.kind == .connection:
                guard let dead = backend else {
                    leave(nil, outcome.failure)
                    return outcome
                }
                mayReplace = false
                pool.release(dead)
                backend = nil
            case .refused(let error) where mayPrepareAgain && error.isStaleStatement:
                mayPrepareAgain = false
                await rollBack(backend)
            default:
                leave(backend, outcome.failure)
                return outcome
            }
        }
    }

    private func note(_ outcome: Outcome, in id: Int?) throws {
        guard let failure = outcome.failure else { return }
        state.withLock { state in
            guard id == state.id, state.transaction != nil else { return }
            state.note(failure)
        }
        throw failure.error
    }

    // MARK: Transactions

    /// Begins a transaction, of which nothing is sent yet.
    func begin(_ transaction: LeaseState.Transaction, _ span: TransactionSpan?) throws -> Int {
        try Task.checkCancellation()
        return try state.withLock { try $0.begin(transaction, span) }
    }

    /// Commits, and waits for it if the transaction may have written.
    func commit(_ id: Int) async throws {
        try await beginIfSomethingIsLeft(id)
        guard let (ended, backend) = await end(id) else { return }
        switch (ended.phase, ended.access) {
        case (.fresh, _):
            return
        case (.spoiled, _):
            await rollBack(backend)
            throw commitFailed(ended, "it was cancelled or ended before")
        case (.open, .readOnly):
            if let stream = unfinishedStream {
                // Left early: there is nothing to be kept, so the rest needn't be sent.
                backend?.cancel(stream)
                return await rollBack(backend)
            }
            backend?.post(Self.commit)
        case (.open, .readWrite):
            guard let backend, !backend.isClosed else {
                throw commitFailed(ended, "the connection was lost before")
            }
            let outcome = await backend.send(.statements(ended.last + [Self.commit]), isCancellable: false)
            if case .lost(var error, _)? = outcome.failure {
                error.kind = .commitUnknown
                throw error
            }
            if let failure = outcome.failure {
                // One of the last has failed, so the server hasn't come to the COMMIT.
                if backend.isInTransaction { await rollBack(backend) }
                if case .skipped(let error) = failure {
                    throw commitFailed(ended, "a statement had failed before", error)
                }
                throw failure.error
            }
            // The server answers ROLLBACK, without an error, to the COMMIT of a transaction that had failed.
            let tag = outcome.result?.commandTag ?? ""
            guard tag == "COMMIT" else { throw commitFailed(ended, "the server answered \(tag)") }
        }
    }

    /// What is to go out with the commit needs a transaction, and there is none before the first statement.
    private func beginIfSomethingIsLeft(_ id: Int) async throws {
        let isNeeded = state.withLock { state in
            id == state.id && state.transaction?.phase == .fresh && state.transaction?.last.isEmpty == false
        }
        guard isNeeded else { return }
        _ = try await run(together: [], in: id)
    }

    /// Sends the commit of a read, with which a release would wait for the next transaction.
    func sendPosted() {
        state.withLock { $0.backend }?.sendPosted()
    }

    /// Rolls back, and waits until the server has.
    func rollBack(_ id: Int) async {
        guard let (ended, backend) = await end(id), ended.phase != .fresh else { return }
        // Left by an error: nobody reads the rest, which may take long.
        if let stream = unfinishedStream { backend?.cancel(stream) }
        await rollBack(backend)
    }

    private func rollBack(_ backend: Backend?) async {
        guard let backend, !backend.isClosed else { return }
        let outcome = await backend.send(.statements([Statement(control: "ROLLBACK")]), isCancellable: false)
        if case .refused(let error)? = outcome.failure { backend.close(error) }
    }

    private var unfinishedStream: Request? {
        state.withLock { $0.stream }.flatMap { $0.isAnswered ? nil : $0 }
    }

    /// From here on the transaction's handle is of no use, and nothing more is sent for it.
    private func end(_ id: Int) async -> (LeaseState.Transaction, Backend?)? {
        let ended: (LeaseState.Transaction, Backend?)? = await whenStarted { state in
            guard id == state.id, let ended = state.transaction else { return nil }
            (state.transaction, state.span) = (nil, nil)
            state.stream?.work.abandon()
            return (ended, state.backend)
        }
        // A stream that nobody reads to its end has to be read on.
        ended?.1?.readOn()
        return ended
    }

    private func commitFailed(
        _ transaction: LeaseState.Transaction,
        _ reason: String,
        _ cause: PGError? = nil
    ) -> PGError {
        let first = transaction.firstError.error ?? cause
        var error = first ?? PGError(.commitFailed, "")
        error.message =
            "nothing was committed: \(reason)" + (first.map { "; first error: \($0.message)" } ?? "")
        error.kind = .commitFailed
        return error
    }

    // MARK: The end

    /// Commits, and gives the connection back whatever comes of it.
    func commitAndGiveBack(_ id: Int) async throws {
        // A read of which nothing is under way: there is nothing to wait for.
        if let backend = state.withLock({ $0.endRead(id) }) {
            return pool.release(backend, posting: Self.commit)
        }
        do {
            try await commit(id)
        } catch {
            await giveBack()
            throw error
        }
        await giveBack()
    }

    /// Gives the connection back to the pool, clean or closed.
    ///
    /// - Parameter resetting: whether it was lent for more than a transaction, so that its session may have
    ///   changed.
    func giveBack(resetting: Bool = false) async {
        // Most often the transaction has ended already.
        if !resetting, let backend = state.withLock({ $0.endIdle() }) { return pool.release(backend) }
        await rollBack(state.withLock { $0.id })
        let backend = await whenStarted { state in
            defer { (state.isOver, state.backend) = (true, nil) }
            return state.backend
        }
        guard let backend else { return }
        if resetting { await backend.reset() }
        pool.release(backend)
    }
}
