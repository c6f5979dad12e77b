/// A five-character SQLSTATE, see "PostgreSQL Error Codes" in its manual.
public struct SQLState: RawRepresentable, Hashable, Sendable {
    /// The five characters.
    public let rawValue: String

    /// A code by its characters.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }
}

/// What went wrong between here and Postgres.
///
/// `description` says nothing that a client shouldn't read;
/// `String(reflecting:)` says everything, for a log.
public struct PGError: Error, Sendable {
    /// Where it went wrong.
    public enum Kind: String, Sendable {
        /// The server refused a statement; ``PGError/sqlState`` says why.
        case server
        /// The connection could not be made, or was lost.
        case connection
        /// No connection came free within the pool's deadline.
        case poolTimeout
        /// More are waiting for a connection than the pool allows.
        case poolExhausted
        /// The pool has been closed.
        case poolClosed
        /// The statement didn't answer within its deadline.
        case statementTimeout
        /// The transaction was used after its closure had ended.
        case transactionClosed
        /// `COMMIT` was answered by a rollback.
        case commitFailed
        /// A column is not what the code asked for.
        case decoding
        /// Another number of rows than the code asked for.
        case unexpectedRowCount
        /// A result larger than the configuration allows.
        case resultTooLarge
    }

    /// Where it went wrong.
    public let kind: Kind
    /// The server's or libpq's words.
    public var message: String
    /// The server's code.
    public var sqlState: SQLState?
    /// The constraint that was violated.
    public var constraint: String?
    /// The table it is about.
    public var table: String?
    /// The server's detail, which can hold values.
    public var detail: String?
    /// The statement.
    public var sql: String?
    /// The file that sent it.
    public var file: String?
    /// The line that sent it.
    public var line: UInt?

    init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// Whether the database can't be reached or has no room just now, so that
    /// the same request may work later.
    public var isUnavailability: Bool {
        switch kind {
        case .connection, .poolTimeout, .poolExhausted, .poolClosed, .statementTimeout: true
        default: false
        }
    }
}

extension PGError: CustomStringConvertible, CustomDebugStringConvertible {
    /// The kind and the SQLSTATE, and no more.
    public var description: String {
        sqlState.map { "PGError(\(kind.rawValue), \($0.rawValue))" } ?? "PGError(\(kind.rawValue))"
    }

    /// Everything there is to know.
    public var debugDescription: String {
        let members: [(String, String?)] = [
            ("message", message), ("constraint", constraint), ("table", table), ("detail", detail),
            ("sql", sql),
            ("at", file.map { "\($0):\(line ?? 0)" }),
        ]
        let told = members.compactMap { name, value in value.map { "\(name): \($0)" } }
        return "\(description) \(told.joined(separator: "; "))"
    }
}
