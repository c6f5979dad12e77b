import Synchronization

/// A connection while somebody has it, and the transaction that is open on it.
///
/// It has none before the first statement, which waits for one together with everything that has to precede
/// it. The handles that users hold name a transaction by a number that is never used again: a handle that is
/// kept too long is told so.
final class Lease: Sendable {
    /// A transaction as the client sees it.
    struct Transaction: Sendable {
        enum Phase: Sendable {
            /// Nothing was sent yet, not even BEGIN.
            case fresh
            case open
            /// A statement was cancelled, or the script has ended the transaction by itself.
            case spoiled
        }

        let access: PGAccess
        /// What has to be sent before the first statement.
        let prelude: [Statement]
        var phase = Phase.fresh
        var firstError: PGError?

        init(_ access: PGAccess, _ opening: SQL?) {
            self.access = access
            prelude =
                if let opening {
                    [access.begin, Statement(opening, file: #fileID, line: #line)]
                } else {
                    [access.begin]
                }
        }

        mutating func note(_ error: PGError) {
            firstError = firstError ?? error
        }

        func validateOpening() throws {
            for statement in prelude { try statement.sql.validate(statement.origin) }
        }
    }

    private enum Entrance: Sendable {
        /// To be sent with what has to precede it, by the one who has the lease for itself until ``leave()``.
        case first(prelude: [Statement])
        case next(Backend)
        case wait
    }

    private struct State: Sendable {
        /// nil before the first statement.
        var backend: Backend?
        var transaction: Transaction?
        var id = Lease.firstTransaction
        var isOver = false
        /// Nothing was executed in this lease yet, so a dead connection can be replaced unnoticed.
        var isUntouched = true
        /// The first statement is under way: others wait until it is over.
        var isStarting = false
        /// The last stream, and whether somebody still reads or writes it.
        var stream: Request?
        var isStreaming = false
        var gate: [CheckedContinuation<Void, Never>] = []

        /// Throws if the handle is no longer, or not now, the right one.
        mutating func enter(_ id: Int?) throws -> Entrance {
            if isStarting { return .wait }
            if isOver { throw PGError(.transactionClosed, "the closure that this belonged to has ended") }
            if let id, id != self.id || transaction == nil {
                throw PGError(.transactionClosed, "the transaction's closure has ended")
            }
            if id == nil, transaction != nil {
                throw PGError(
                    .transactionClosed,
                    "a transaction is open on this connection, and is to be used"
                )
            }
            if isStreaming {
                throw PGError(.transactionClosed, "a stream is still being read or written here")
            }
            switch transaction?.phase {
            case .spoiled:
                throw PGError(.transactionClosed, "the transaction was cancelled and can't go on")
            case .fresh:
                try transaction?.validateOpening()
                transaction?.phase = .open
                isStarting = true
                return .first(prelude: transaction?.prelude ?? [])
            case .open, nil:
                if let backend { return .next(backend) }
                if let error = transaction?.firstError { throw error }
                isStarting = true
                return .first(prelude: [])
            }
        }
    }

    static let firstTransaction = 1
    private static let commit = Statement(control: "COMMIT", prepares: true)

    private let pool: PGPool
    private let span: TransactionSpan?
    private let state: Mutex<State>

    init(pool: PGPool, transaction: Transaction?, span: TransactionSpan?) {
        self.pool = pool
        self.span = span
        state = Mutex(State(transaction: transaction))
    }

    // MARK: Statements

    /// Runs a statement in a transaction, or outside of one if the number is nil.
    func run(_ statement: Statement, in id: Int?) async throws -> PGResult {
        try statement.sql.validate(statement.origin)
        span?.note(statement.origin)
        let outcome =
            switch try await enter(id) {
            case .first(let prelude): await start(.statements(prelude + [statement]))
            case .next(let backend): await backend.send(.statements([statement]))
            case .wait: Outcome()
            }
        try note(outcome, in: id)
        guard let result = outcome.result else {
            throw PGError(.connection, "the statement has no result", statement.origin)
        }
        return result
    }

    /// Runs a script in a transaction, or outside of one if the number is nil.
    func script(_ origin: Origin, in id: Int?) async throws {
        try SQL(stringLiteral: origin.sql).validate(origin)
        span?.note(origin)
        switch try await enter(id) {
        case .first(let prelude) where prelude.isEmpty:
            try note(await start(.script(origin)), in: id)
        case .first(let prelude):
            try note(await start(.statements(prelude)), in: id)
            return try await script(origin, in: id)
        case .next(let backend):
            try note(await backend.send(.script(origin)), in: id)
        case .wait:
            return
        }
        try state.withLock { state in
            guard state.id == id, state.transaction != nil, state.backend?.isInTransaction == false else {
                return
            }
            state.transaction?.phase = .spoiled
            throw PGError(.transactionClosed, "the script has ended the transaction that it ran in", origin)
        }
    }

    // MARK: Streams

    /// Begins a stream, which has the transaction for itself until ``endStream(_:_:)``.
    func stream(_ work: Request.Work, in id: Int?) async throws -> (Request, Backend) {
        let origin = work.origin
        span?.note(origin)
        try SQL(stringLiteral: origin.sql).validate(origin)
        while true {
            switch try await enter(id) {
            case .first(let prelude):
                try note(await start(.statements(prelude)), in: id)
            case .next(let backend):
                let request = Request(work)
                _ = request.assign(backend)
                state.withLock { ($0.stream, $0.isStreaming) = (request, true) }
                backend.submit(request)
                return (request, backend)
            case .wait:
                break
            }
        }
    }

    /// Nobody reads or writes the stream any more.
    func endStream(_ request: Request, _ error: (any Error)? = nil) {
        state.withLock { state in
            guard state.stream === request else { return }
            state.isStreaming = false
            switch error {
            case let error as PGError: state.transaction?.note(error)
            case is CancellationError: state.transaction?.phase = .spoiled
            default: break
            }
        }
    }

    /// Waits while the first statement is under way.
    private func enter(_ id: Int?) async throws -> Entrance {
        try Task.checkCancellation()
        while true {
            let entrance = try state.withLock { try $0.enter(id) }
            guard case .wait = entrance else { return entrance }
            await withCheckedContinuation { continuation in
                let isFree = state.withLock { state in
                    if state.isStarting { state.gate.append(continuation) }
                    return !state.isStarting
                }
                if isFree { continuation.resume() }
            }
        }
    }

    private func leave() {
        let waiting = state.withLock { state in
            state.isStarting = false
            defer { state.gate = [] }
            return state.gate
        }
        for waiter in waiting { waiter.resume() }
    }

    /// Sends what comes first on a connection, or in a transaction.
    ///
    /// A connection that was dead already is replaced once. In a transaction that is safe also when it was
    /// found dead only while sending, since nothing was committed.
    ///
    /// A statement that must be prepared again is, once: the server has refused it without executing
    /// anything.
    private func start(_ work: Request.Work) async -> Outcome {
        defer { leave() }
        var (backend, mayReplace) = state.withLock { state in
            defer { state.isUntouched = false }
            return (state.backend, state.isUntouched && state.transaction != nil)
        }
        var mayPrepareAgain = true
        while true {
            let outcome: Outcome
            if let backend {
                outcome = await backend.send(work)
            } else {
                (outcome, backend) = await pool.send(work)
            }
            state.withLock { $0.backend = backend }
            switch outcome.failure {
            case .lost(let error, answered: false)
            where mayReplace && error.kind == .connection && backend != nil:
                mayReplace = false
                if let dead = backend { pool.release(dead) }
                backend = nil
            case .refused(let error) where mayPrepareAgain && error.isStaleStatement:
                mayPrepareAgain = false
                await rollBack(backend)
            default:
                return outcome
            }
        }
    }

    private func note(_ outcome: Outcome, in id: Int?) throws {
        guard let failure = outcome.failure else { return }
        try state.withLock { state in
            guard id == state.id, state.transaction != nil else { return }
            switch failure {
            case .refused(let error) where error.sqlState == .inFailedTransaction:
                // The server only says that the transaction had failed; why is what the caller needs.
                throw state.transaction?.firstError ?? error
            case .refused(let error), .lost(let error, _): state.transaction?.note(error)
            case .cancelled: state.transaction?.phase = .spoiled
            }
        }
        throw failure.error
    }

    // MARK: Transactions

    /// Begins a transaction, of which nothing is sent yet.
    func begin(_ transaction: Transaction) throws -> Int {
        try Task.checkCancellation()
        return try state.withLock { state in
            if state.isOver || state.transaction != nil { _ = try state.enter(nil) }
            state.id += 1
            state.transaction = transaction
            return state.id
        }
    }

    /// Commits, and waits for it if the transaction may have written.
    func commit(_ id: Int) async throws {
        guard let (ended, backend) = end(id) else { return }
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
            let outcome = await backend.send(.statements([Self.commit]), isCancellable: false)
            if case .lost(var error, _)? = outcome.failure {
                error.kind = .commitUnknown
                throw error
            }
            if let failure = outcome.failure { throw failure.error }
            // The server answers ROLLBACK, without an error, to the COMMIT of a transaction that had failed.
            let tag = outcome.result?.commandTag ?? ""
            guard tag == "COMMIT" else { throw commitFailed(ended, "the server answered \(tag)") }
        }
    }

    /// Rolls back, and waits until the server has.
    func rollBack(_ id: Int) async {
        guard let (ended, backend) = end(id), ended.phase != .fresh else { return }
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

    /// From here on the transaction's handle is of no use.
    private func end(_ id: Int) -> (Transaction, Backend?)? {
        state.withLock { state in
            guard id == state.id, let ended = state.transaction else { return nil }
            state.transaction = nil
            state.stream?.work.abandon()
            return (ended, state.backend)
        }
    }

    private func commitFailed(_ transaction: Transaction, _ reason: String) -> PGError {
        var error = transaction.firstError ?? PGError(.commitFailed, "")
        error.message =
            "nothing was committed: \(reason)"
            + (transaction.firstError.map { "; first error: \($0.message)" } ?? "")
        error.kind = .commitFailed
        return error
    }

    // MARK: The end

    /// Commits, and gives the connection back whatever comes of it.
    func commitAndGiveBack(_ id: Int) async throws {
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
        let (isFirst, id) = state.withLock { state in
            defer { state.isOver = true }
            return (!state.isOver, state.id)
        }
        guard isFirst else { return }
        await rollBack(id)
        guard let backend = state.withLock({ $0.backend }) else { return }
        if resetting { await backend.reset() }
        pool.release(backend)
    }
}
