/// Which transaction a lease has, how far it is, and what may be sent now. It isn't safe by itself: ``Lease`` has it
/// behind a lock.
struct LeaseState: Sendable {
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
        let beginning: Beginning
        var phase = Phase.fresh
        /// What goes out together with the commit.
        var last: [Statement] = []
        var firstError = FirstError()

        init(_ access: PGAccess, _ opening: SQL?) {
            self.access = access
            beginning = Beginning(
                begin: access.begin,
                opening: opening.map { Statement($0, file: #fileID, line: #line) }
            )
        }
    }

    /// What has to be sent before the first statement.
    struct Beginning: Sendable {
        let begin: Statement
        let opening: Statement?

        /// The first statements, with what has to precede them.
        func followed(by statements: [Statement]) -> [Statement] {
            var all: [Statement] = []
            all.reserveCapacity(statements.count + 2)
            all.append(begin)
            if let opening { all.append(opening) }
            all += statements
            return all
        }
    }

    /// How a statement gets into a lease.
    enum Entrance: Sendable {
        /// To be sent with what begins the transaction, if there is one, by the one who has the lease for itself
        /// until ``leave(_:_:)``.
        case first(after: Beginning?)
        /// It was sent.
        case sent(Request, Backend)
        case wait
    }

    /// Somebody who waits until the first statement is over.
    struct Waiter: Sendable {
        let number: Int
        let continuation: CheckedContinuation<Void, Never>
    }

    /// The number of a lease's first transaction.
    static let firstTransaction = 1

    /// nil before the first statement.
    var backend: Backend?
    var transaction: Transaction?
    var id = LeaseState.firstTransaction
    var isOver = false
    /// Nothing was executed in this lease yet, so a dead connection can be replaced unnoticed.
    var isUntouched = true
    /// The first statement is under way: others wait until it is over.
    var isStarting = false
    /// The last stream, and whether somebody still reads or writes it.
    var stream: Request?
    var isStreaming = false
    var gate: [Waiter] = []
    var lastWaiter = 0
    /// Of the transaction, if somebody traces it.
    var span: TransactionSpan?

    /// Sends a request, unless something has to precede it. Both happen under the lease's lock: once the
    /// transaction has ended, nothing of it can reach the connection any more, which may be somebody
    /// else's then.
    ///
    /// Throws if the handle is no longer, or not now, the right one.
    mutating func send(_ work: () -> Request.Work, in id: Int?) throws -> Entrance {
        if isStarting { return .wait }
        try check(id)
        if transaction?.phase == .fresh {
            try transaction?.beginning.opening?.validate()
            transaction?.phase = .open
            isStarting = true
            return .first(after: transaction?.beginning)
        }
        guard let backend else {
            if transaction != nil { throw transaction?.firstError.error ?? Self.closed }
            isStarting = true
            return .first(after: nil)
        }
        let request = Request(work())
        if request.work.isStream { (stream, isStreaming) = (request, true) }
        _ = request.assign(backend)
        backend.submit(request)
        return .sent(request, backend)
    }

    private func check(_ id: Int?) throws {
        if isOver { throw Self.closed }
        if let id, id != self.id || transaction == nil { throw Self.closed }
        if id == nil, transaction != nil {
            throw PGError(
                .transactionClosed,
                "a transaction is open on this connection, and is to be used"
            )
        }
        if isStreaming {
            throw PGError(.transactionClosed, "a stream is still being read or written here")
        }
        if transaction?.phase == .spoiled {
            throw PGError(.transactionClosed, "the transaction was cancelled and can't go on")
        }
    }

    mutating func leaveLast(_ statement: Statement, in id: Int) throws {
        try check(id)
        guard transaction?.access == .readWrite else {
            throw PGError(
                .invalidStatement,
                "a transaction that only reads doesn't wait for its commit",
                statement.origin
            )
        }
        transaction?.last.append(statement)
    }

    mutating func begin(_ transaction: Transaction, _ span: TransactionSpan?) throws -> Int {
        if isOver { throw Self.closed }
        if self.transaction != nil {
            throw PGError(.transactionClosed, "a transaction is open on this connection already")
        }
        id += 1
        (self.transaction, self.span) = (transaction, span)
        return id
    }

    /// Ends the lease and the read that is open, if nothing of it has to be waited for: a first statement or a
    /// stream.
    mutating func endRead(_ id: Int) -> Backend? {
        guard id == self.id, !isStarting, stream == nil, let transaction,
            transaction.access == .readOnly, transaction.phase == .open
        else { return nil }
        self.transaction = nil
        return endIdle()
    }

    /// Ends the lease, if no transaction is open or about to be.
    mutating func endIdle() -> Backend? {
        guard transaction == nil, !isStarting else { return nil }
        isOver = true
        defer { backend = nil }
        return backend
    }

    mutating func note(_ failure: Failure) {
        switch failure {
        case .refused(let error), .skipped(let error), .lost(let error, _):
            transaction?.firstError.note(error)
        case .cancelled: transaction?.phase = .spoiled
        }
    }

    private static var closed: PGError {
        PGError(.transactionClosed, "the closure that this belonged to has ended")
    }
}
