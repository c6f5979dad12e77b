/// What went wrong with the database.
///
/// ``description`` is mute: it says the kind and the SQLSTATE and nothing that a client shouldn't read, such
/// as values, SQL or the names of tables. ``debugDescription`` says everything, and belongs into a log.
/// Beware that Swift prints what is *inside* a collection or an `Optional` by its debug description.
public struct PGError: Error, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// Who failed, and so what can be done about it.
    public enum Kind: String, Sendable, Hashable {
        /// The server refused a statement; ``PGError/sqlState`` says why.
        case server
        /// There is no connection, or it was lost. A SQLSTATE is there only if the server still sent one.
        case connection
        /// The connection wasn't there in time.
        case connectTimeout
        /// The statement's result wasn't there in time; the connection was closed.
        case statementTimeout
        /// No connection of the pool became free in time.
        case poolTimeout
        /// Too many tasks wait for a connection already.
        case poolExhausted
        /// The pool has been closed.
        case poolClosed
        /// The transaction or the connection was used after its closure had ended, or in a way that its state
        /// doesn't allow.
        case transactionClosed
        /// A value couldn't be read as the Swift type that was asked for.
        case decoding
        /// The result is larger than ``PGConfiguration/maximumResultBytes``.
        case resultTooLarge
        /// There were more or fewer rows than the caller said.
        case unexpectedRowCount
        /// The transaction was rolled back instead of committed: one of its statements had failed.
        case commitFailed
        /// The connection was lost after COMMIT was sent: the transaction may have been committed or not.
        case commitUnknown
        /// The statement can't be sent: too many parameters or too large ones, a NUL in its text, a COPY.
        case invalidStatement
    }

    /// Who failed.
    public var kind: Kind
    /// The server's code, if it sent one. Without one a lost connection can still have had any reason.
    public var sqlState: SQLState?
    /// The message of the server, of libpq, or of this client.
    public var message: String
    /// More about it from the server. It can contain values.
    public var detail: String?
    /// What the server would try.
    public var hint: String?
    /// Where in the server's functions it happened.
    public var context: String?
    /// The schema of the table.
    public var schema: String?
    /// The table that was concerned.
    public var table: String?
    /// The column that was concerned.
    public var column: String?
    /// The constraint that was violated.
    public var constraint: String?
    /// The statement's text, without its values.
    public var sql: String?
    /// The file that sent the statement, as `#fileID`.
    public var file: String?
    /// The line that sent the statement.
    public var line: UInt?

    init(_ kind: Kind, _ message: String, _ origin: Origin? = nil) {
        self.kind = kind
        self.message = message
        sql = origin?.sql
        file = origin.map { "\($0.file)" }
        line = origin?.line
    }

    /// Whether the database can't be reached or has no room just now, so that the same may work later. The
    /// commit of unknown outcome isn't among these: it may have worked already.
    public var isUnavailability: Bool {
        switch kind {
        case .connection, .connectTimeout, .poolTimeout, .poolExhausted, .poolClosed, .statementTimeout: true
        default: false
        }
    }

    /// The kind and the SQLSTATE only: safe to show to anybody.
    public var description: String {
        "database error: \(kind.rawValue)" + (sqlState.map { " \($0)" } ?? "")
    }

    /// Everything, for a log.
    public var debugDescription: String {
        let fields: [(String, String?)] = [
            ("detail", detail), ("hint", hint), ("context", context), ("schema", schema), ("table", table),
            ("column", column), ("constraint", constraint), ("sql", sql),
            ("at", file.map { "\($0):\(line ?? 0)" }),
        ]
        return fields.reduce(into: "\(description): \(message)") { text, field in
            if let value = field.1 { text += "; \(field.0): \(value)" }
        }
    }
}

/// The statement that an error belongs to.
struct Origin: Sendable {
    /// In UTF-8: most origins are never asked for their text.
    var text: [UInt8]
    var file: StaticString
    var line: UInt

    var sql: String { String(decoding: text, as: UTF8.self) }
}

extension PGError {
    /// The plan or the prepared statement isn't what the client believes: to be prepared again. The server
    /// says so before it executes anything.
    var isStaleStatement: Bool {
        switch sqlState {
        case .invalidStatementName?, .duplicatePreparedStatement?: true
        case .featureNotSupported?: message.hasPrefix("cached plan must not change")
        default: false
        }
    }

    func with(_ origin: Origin?) -> PGError {
        var error = self
        if error.sql == nil, let origin {
            error.sql = origin.sql
            error.file = "\(origin.file)"
            error.line = origin.line
        }
        return error
    }
}
