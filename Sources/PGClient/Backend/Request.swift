import Synchronization

/// A statement as it is sent. It is kept in several places on its way, each of which would have to count a
/// reference for each of its parts if it were a struct.
final class Statement: Sendable {
    let sql: SQL
    private let file: StaticString
    private let line: UInt
    /// Whether it goes through the connection's cache of prepared statements.
    let prepares: Bool
    /// Whether it is the client's own.
    let isControl: Bool

    var origin: Origin { Origin(text: sql.utf8, file: file, line: line) }
    let key: StatementCache.Key

    init(_ sql: SQL, prepares: Bool = true, file: StaticString, line: UInt) {
        self.sql = sql
        self.file = file
        self.line = line
        self.prepares = prepares
        isControl = false
        key = StatementCache.Key(text: sql.utf8, types: sql.types)
    }

    /// A statement of the client's own.
    init(control text: String, prepares: Bool = false) {
        sql = SQL(stringLiteral: text)
        file = #fileID
        line = #line
        self.prepares = prepares
        isControl = true
        key = StatementCache.Key(text: sql.utf8, types: [])
    }

    /// Why it can't be sent at all, if it can't: libpq would cut the text at a NUL.
    func validate() throws {
        if sql.parameterCount > 65_535 {
            throw PGError(
                .invalidStatement,
                "\(sql.parameterCount) parameters, and the protocol allows 65535",
                origin
            )
        }
        if let excess = SQL.excess(of: sql.parameters, text: sql.utf8.count) {
            throw PGError(.invalidStatement, "\(excess), and the server takes less than 1 GiB", origin)
        }
        if sql.containsNUL { throw PGError(.invalidStatement, "the text contains a NUL", origin) }
    }
}

/// Why a request failed. Indirect, since an error is large and few outcomes have one.
indirect enum Failure: Sendable {
    /// The first statement that failed, and how. The connection is still there.
    case refused(PGError)
    /// The transaction had failed before, and what of: the server only says that it had.
    case skipped(because: PGError)
    /// The task was cancelled, and the server has stopped.
    case cancelled
    /// There is no connection, or not any more. `answered` tells whether the server had begun to answer.
    case lost(PGError, answered: Bool)

    /// What the caller of a statement gets to see.
    var error: any Error {
        switch self {
        case .refused(let error), .skipped(let error), .lost(let error, _): error
        case .cancelled: CancellationError()
        }
    }

    /// Whether a statement has to be prepared again, and nothing of it was executed.
    var isStale: Bool {
        if case .refused(let error) = self { error.isStaleStatement } else { false }
    }
}

/// What became of a request.
struct Outcome: Sendable {
    /// Of the last statement.
    var result: PGResult?
    /// Of those that keep theirs, in order.
    var kept: [PGResult] = []
    var failure: Failure?
}

/// What somebody wants a connection to do, on its way there and back: it may wait for a connection, be
/// cancelled wherever it is, and is answered once: that is why its continuation doesn't have to be a checked
/// one, which would be the largest single cost of a small statement.
final class Request: Sendable {
    enum Work: Sendable {
        /// Statements that are sent in one go and end with a Sync: the unit in which the server answers, and
        /// after which an error is over. The result is the last one's, or those of the last few are
        /// kept.
        case statements([Statement], keeping: Int = 0)
        /// A text of any number of statements, which libpq's simple protocol ends by itself.
        case script(Statement)
        /// One statement whose rows go into a buffer as they come.
        case rows(Statement, into: StreamBuffer<RowBatch>)
        /// A COPY from the server whose data goes into a buffer as it comes.
        case copyOut(Statement, into: StreamBuffer<[UInt8]>)
        /// A COPY to the server.
        case copyIn(Statement, CopyWriter)

        /// Whether it has its transaction for itself until its end.
        var isStream: Bool {
            switch self {
            case .statements, .script: false
            case .rows, .copyOut, .copyIn: true
            }
        }

        /// Whether it goes by the simple protocol, with the connection for itself.
        var isExclusive: Bool {
            switch self {
            case .statements, .rows: false
            case .script, .copyOut, .copyIn: true
            }
        }
    }

    private struct State: Sendable {
        var backend: Backend?
        var isCancelled = false
        var waiter: UnsafeContinuation<Outcome, Never>?
        var outcome: Outcome?
    }

    let work: Work
    /// Nobody waits for the outcome.
    let isDetached: Bool
    /// It may be sent again if nothing of it was executed, so it may share a message with what ends the
    /// transaction before.
    let isRepeatable: Bool
    /// The pool to which the connection goes back as soon as this is answered.
    private let pool: PGPool?
    /// When it was made.
    let start = Instant.now
    private let state = Mutex(State())

    init(
        _ work: Work,
        isDetached: Bool = false,
        isRepeatable: Bool = false,
        releasesTo pool: PGPool? = nil
    ) {
        self.isRepeatable = isRepeatable
        self.work = work
        self.isDetached = isDetached
        self.pool = pool
    }

    /// The connection that it was given to.
    var backend: Backend? { state.withLock { $0.backend } }

    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Gives it to a connection, unless it was cancelled before.
    func assign(_ backend: Backend) -> Bool {
        state.withLock { state in
            if state.isCancelled { return false }
            state.backend = backend
            return true
        }
    }

    /// Takes it back from a connection that couldn't send it.
    func unassign() {
        state.withLock { $0.backend = nil }
    }

    /// Notes that nobody wants it any more, and tells which connection has to be told, if any.
    func cancel() -> Backend? {
        state.withLock { state in
            state.isCancelled = true
            return state.backend
        }
    }

    /// Whether the server has nothing more to say about it.
    var isAnswered: Bool { state.withLock { $0.outcome != nil } }

    func finish(_ outcome: Outcome) {
        let (waiter, backend) = state.withLock { state in
            state.outcome = outcome
            defer { state.waiter = nil }
            return (state.waiter, state.backend)
        }
        work.finish(outcome)
        if let pool, let backend { pool.release(backend) }
        waiter?.resume(returning: outcome)
    }

    /// Waits until it is answered, and has it cancelled if the task is. Only for one that a connection has.
    func cancellableOutcome() async -> Outcome {
        await withTaskCancellationHandler {
            await outcome()
        } onCancel: {
            cancel()?.cancel(self)
        }
    }

    /// Waits until it is answered.
    func outcome() async -> Outcome {
        await withUnsafeContinuation { wait($0) }
    }

    /// Resumes the continuation when it is answered, at once if it is.
    func wait(_ continuation: UnsafeContinuation<Outcome, Never>) {
        let outcome = state.withLock { state in
            if state.outcome == nil { state.waiter = continuation }
            return state.outcome
        }
        if let outcome { continuation.resume(returning: outcome) }
    }
}

extension Request.Work {
    /// The statement that it is for: those before it only precede it.
    var last: Statement? {
        switch self {
        case .statements(let statements, _): statements.last
        case .rows(let statement, _), .script(let statement), .copyOut(let statement, _),
            .copyIn(let statement, _):
            statement
        }
    }

    var origin: Origin { last?.origin ?? Origin(text: [], file: #fileID, line: #line) }

    /// Nobody reads what comes from now on.
    func abandon() {
        let error = PGError(
            .transactionClosed,
            "the transaction has ended before its stream was read",
            origin
        )
        switch self {
        case .rows(_, let buffer): buffer.abandon(error)
        case .copyOut(_, let buffer): buffer.abandon(error)
        case .copyIn, .statements, .script: break
        }
    }

    /// Tells the reader of a stream that it is over.
    fileprivate func finish(_ outcome: Outcome) {
        let end: Result<Void, any Error> = outcome.failure.map { .failure($0.error) } ?? .success(())
        switch self {
        case .rows(_, let buffer): buffer.finish(end)
        case .copyOut(_, let buffer): buffer.finish(end)
        case .copyIn(_, let writer): writer.finish()
        case .statements, .script: break
        }
    }
}
