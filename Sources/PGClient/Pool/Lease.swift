/// A connection while somebody has it, and the transaction that is open on it.
///
/// It lives on the reactor like its backend, so that asking the backend costs no change of thread. The
/// handles that users hold name a transaction by a number that is never used again: a handle that is kept too
/// long is told so.
actor Lease {
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
        let opening: SQL?
        var phase = Phase.fresh
        var firstError: PGError?

        init(_ access: PGAccess, _ opening: SQL?) {
            self.access = access
            self.opening = opening
        }

        mutating func note(_ error: PGError) {
            firstError = firstError ?? error
        }

        func validateOpening() throws {
            for statement in prelude { try statement.sql.validate(statement.origin) }
        }

        /// What has to be sent before the first statement.
        var prelude: [Statement] {
            [access.begin] + (opening.map { [Statement($0, file: #fileID, line: #line)] } ?? [])
        }
    }

    static let firstTransaction = 1

    nonisolated private let reactor: Reactor
    private let pool: PGPool
    private var backend: Backend
    private var transaction: Transaction?
    private var id = firstTransaction
    private var isOver = false
    /// Nothing was executed on the connection yet in this lease, so a dead one can be replaced unnoticed.
    private var isUntouched = true

    /// Something is under way that has the connection for itself: others wait until it is over.
    private var isExclusive = false
    private var gate: [CheckedContinuation<Void, Never>] = []

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        reactor.asUnownedSerialExecutor()
    }

    init(_ backend: Backend, pool: PGPool, transaction: Transaction?) {
        self.backend = backend
        self.pool = pool
        self.transaction = transaction
        reactor = backend.reactor
    }

    // MARK: Statements

    /// Runs a statement in a transaction, or outside of one if the number is nil.
    func run(_ statement: Statement, in id: Int?) async throws -> PGResult {
        try statement.sql.validate(statement.origin)
        await passGate()
        try check(id)
        let outcome =
            if transaction?.phase != .open {
                await exclusively { await self.start([statement]) }
            } else {
                await backend.send([statement])
            }
        try note(outcome, in: id)
        guard let result = outcome.results.last else {
            throw PGError(.connection, "the statement has no result", statement.origin)
        }
        return result
    }

    /// Runs a script in a transaction, or outside of one if the number is nil.
    func script(_ origin: Origin, in id: Int?) async throws {
        try SQL(stringLiteral: origin.sql).validate(origin)
        await passGate()
        try check(id)
        let outcome = await exclusively {
            if self.transaction?.phase != .open {
                let outcome = await self.start([])
                if outcome.failure != nil { return outcome }
            }
            return await self.backend.script(origin.sql, origin: origin)
        }
        // A script may remove what the cache believes in.
        try note(outcome, in: id)
        guard self.id == id, transaction != nil, await !backend.isInTransaction else { return }
        transaction?.phase = .spoiled
        throw PGError(.transactionClosed, "the script has ended the transaction that it ran in", origin)
    }

    /// Sends a transaction's first statement with what has to precede it, or a statement outside of one.
    ///
    /// A connection that was dead already is replaced once. In a transaction that is safe also when it was
    /// found dead only while sending, since nothing was committed; outside, only when it was known before.
    ///
    /// A statement that must be prepared again is, once: the server has refused it without executing
    /// anything.
    private func start(_ statements: [Statement]) async -> Outcome {
        var mayReplace = isUntouched
        var mayPrepareAgain = true
        isUntouched = false
        let statements = (transaction?.prelude ?? []) + statements
        transaction?.phase = .open
        while true {
            if mayReplace, await !backend.probe() {
                mayReplace = false
                if let failure = await replaceBackend() { return Outcome(failure: failure) }
            }
            if statements.isEmpty { return Outcome() }
            let outcome = await backend.send(statements)
            switch outcome.failure {
            case .lost(let error, answered: false)
            where mayReplace && transaction != nil && error.kind == .connection:
                mayReplace = false
                if let failure = await replaceBackend() { return Outcome(failure: failure) }
            case .refused(let error) where mayPrepareAgain && error.isStaleStatement:
                mayPrepareAgain = false
                if transaction != nil {
                    _ = await backend.send([Statement(control: "ROLLBACK")], cancellable: false)
                }
            default:
                return outcome
            }
        }
    }

    private func replaceBackend() async -> Failure? {
        do {
            backend = try await pool.replace(backend)
            return nil
        } catch let error as PGError {
            return .lost(error, answered: false)
        } catch {
            return .cancelled
        }
    }

    /// Throws if the handle is no longer, or not now, the right one.
    private func check(_ id: Int?) throws {
        try Task.checkCancellation()
        if isOver { throw PGError(.transactionClosed, "the closure that this belonged to has ended") }
        if let id, id != self.id || transaction == nil {
            throw PGError(.transactionClosed, "the transaction's closure has ended")
        }
        if id == nil, transaction != nil {
            throw PGError(.transactionClosed, "a transaction is open on this connection, and is to be used")
        }
        if transaction?.phase == .fresh { try transaction?.validateOpening() }
        if transaction?.phase == .spoiled {
            throw PGError(.transactionClosed, "the transaction was cancelled and can't go on")
        }
    }

    private func note(_ outcome: Outcome, in id: Int?) throws {
        guard let failure = outcome.failure else { return }
        if id == self.id, transaction != nil {
            switch failure {
            case .refused(let error) where error.sqlState == .inFailedTransaction:
                // The server only says that the transaction had failed; why is what the caller needs.
                throw transaction?.firstError ?? error
            case .refused(let error), .lost(let error, _): transaction?.note(error)
            case .cancelled: transaction?.phase = .spoiled
            }
        }
        throw failure.error
    }

    // MARK: Transactions

    /// Begins a transaction, of which nothing is sent yet.
    func begin(_ transaction: Transaction) async throws -> Int {
        await passGate()
        try check(nil)
        id += 1
        self.transaction = transaction
        return id
    }

    /// Commits, and waits for it if the transaction may have written.
    func commit(_ id: Int) async throws {
        await passGate()
        guard let ended = end(id) else { return }
        let commit = Statement(control: "COMMIT")
        switch (ended.phase, ended.access) {
        case (.fresh, _):
            return
        case (.spoiled, _):
            await rollBack()
            throw commitFailed(ended, "it was cancelled or ended before")
        case (.open, .readOnly):
            await backend.post([commit])
        case (.open, .readWrite):
            if backend.isClosed { throw commitFailed(ended, "the connection was lost before") }
            let outcome = await backend.send([commit], cancellable: false)
            if case .lost(var error, _)? = outcome.failure {
                error.kind = .commitUnknown
                throw error
            }
            if let failure = outcome.failure { throw failure.error }
            // The server answers ROLLBACK, without an error, to the COMMIT of a transaction that had failed.
            let tag = outcome.results.last?.commandTag ?? ""
            guard tag == "COMMIT" else { throw commitFailed(ended, "the server answered \(tag)") }
        }
    }

    /// Rolls back, and waits until the server has.
    func rollBack(_ id: Int) async {
        await passGate()
        guard let ended = end(id), ended.phase != .fresh else { return }
        await rollBack()
    }

    private func rollBack() async {
        let outcome = await backend.send([Statement(control: "ROLLBACK")], cancellable: false)
        if case .refused(let error)? = outcome.failure { await backend.close(error) }
    }

    /// From here on the transaction's handle is of no use.
    private func end(_ id: Int) -> Transaction? {
        guard id == self.id, let ended = transaction else { return nil }
        transaction = nil
        return ended
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
        guard !isOver else { return }
        isOver = true
        await rollBack(id)
        if resetting, !isUntouched { await backend.reset() }
        pool.release(backend, isClean: await backend.isClean)
    }

    // MARK: The gate

    /// Waits until nobody has the connection for themselves.
    private func passGate() async {
        while isExclusive {
            await withCheckedContinuation { gate.append($0) }
        }
    }

    private func exclusively(_ body: () async -> Outcome) async -> Outcome {
        isExclusive = true
        let outcome = await body()
        isExclusive = false
        for waiter in gate { waiter.resume() }
        gate = []
        return outcome
    }
}
