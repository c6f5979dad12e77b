/// Whether a transaction may write.
public enum PGAccess: Sendable, Hashable {
    /// The server refuses to write, every statement sees the same snapshot, and the commit isn't waited for.
    case readOnly
    /// It may write, and the commit is waited for.
    case readWrite

    var begin: Statement {
        switch self {
        case .readOnly: Self.beginReadOnly
        case .readWrite: Self.beginReadWrite
        }
    }

    private static let beginReadOnly = Statement(
        control: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        prepares: true
    )
    private static let beginReadWrite = Statement(control: "BEGIN READ WRITE", prepares: true)
}

/// A query and the type of its rows, to be run together with others.
public struct PGQuery<Row: PGRow>: Sendable {
    let statement: Statement

    /// A query whose rows are of the given type.
    public init(
        _ sql: SQL,
        as row: Row.Type = Row.self,
        file: StaticString = #fileID,
        line: UInt = #line
    ) {
        statement = Statement(sql, file: file, line: line)
    }
}

/// A transaction, for as long as the closure that received it runs; used later it throws
/// ``PGError/Kind/transactionClosed``, and never touches what the connection does then.
///
/// Tasks may share it: their statements are sent in the order in which they come, without waiting for one
/// another's result. When one fails, those that follow throw its error as well, and when the task of one is
/// cancelled the transaction can't be committed any more.
public struct PGTransaction: PGSession {
    let lease: Lease
    let id: Int

    /// Runs a statement and returns its undecoded result.
    public func run(_ sql: SQL, file: StaticString, line: UInt) async throws -> PGResult {
        try await lease.run(Statement(sql, file: file, line: line), in: id)
    }

    /// Runs statements that don't depend on one another's results, all in one message: one round trip for
    /// however many there are. They see what those before them did.
    ///
    /// - Throws: the error of the first that fails; those after it aren't executed.
    public func query<each Row: PGRow>(_ queries: repeat PGQuery<each Row>) async throws -> (
        repeat [each Row]
    ) {
        var statements: [Statement] = []
        repeat statements.append((each queries).statement)
        let results = try await lease.run(together: statements, in: id)
        var next = results.startIndex
        func rows<R: PGRow>(_ query: PGQuery<R>) throws -> [R] {
            defer { next += 1 }
            return try results[next].rows()
        }
        return (repeat try rows(each queries))
    }

    /// Leaves a statement to be sent together with the commit, whose round trip it shares. If it fails nothing
    /// is committed, and the transaction throws its error. A transaction that only reads has no use for it, which
    /// is an error.
    public func executeWithCommit(_ sql: SQL, file: StaticString = #fileID, line: UInt = #line) throws {
        try lease.runWithCommit(Statement(sql, file: file, line: line), in: id)
    }

    /// Runs a text of any number of statements, separated by semicolons, inside the transaction. It must come
    /// from the program itself, such as a migration's file.
    ///
    /// - Throws: the error of the first statement that fails. A text that ends the transaction, or that
    ///   copies, is an error too.
    public func script(_ text: String, file: StaticString = #fileID, line: UInt = #line) async throws {
        try await lease.script(Statement(SQL(stringLiteral: text), file: file, line: line), in: id)
    }
}

/// A connection outside of a transaction, for as long as the closure that received it runs; used later it
/// throws ``PGError/Kind/transactionClosed``.
///
/// A statement that is run here directly is committed by itself.
public struct PGConnection: PGSession {
    let lease: Lease

    /// Runs a statement and returns its undecoded result.
    public func run(_ sql: SQL, file: StaticString, line: UInt) async throws -> PGResult {
        let statement = Statement(sql, file: file, line: line)
        return try await TransactionSpan.run("postgresql statement", lease.tracer, isolation: nil) { span in
            span?.note(statement.origin)
            return try await lease.run(statement, in: nil)
        }
    }

    /// Runs a text of any number of statements, which the server commits together unless the text itself says
    /// otherwise.
    public func script(_ text: String, file: StaticString = #fileID, line: UInt = #line) async throws {
        try await lease.script(Statement(SQL(stringLiteral: text), file: file, line: line), in: nil)
    }

    /// Runs a transaction on this connection, as ``PGPool/transaction(_:opening:retry:isolation:_:)`` does. There
    /// can be one at a time.
    @discardableResult
    public func transaction<R: Sendable>(
        _ access: PGAccess = .readWrite,
        opening: SQL? = nil,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (PGTransaction) async throws -> R
    ) async throws -> R {
        try await TransactionSpan.run("postgresql transaction", lease.tracer, isolation: isolation) { span in
            let id = try lease.begin(.init(access, opening), span)
            let result: R
            do {
                result = try await body(PGTransaction(lease: lease, id: id))
            } catch {
                await lease.rollBack(id)
                throw error
            }
            try await lease.commit(id)
            lease.sendPosted()
            return result
        }
    }
}
