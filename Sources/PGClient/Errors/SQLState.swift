/// The five-character code with which the server says what went wrong.
public struct SQLState: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The code, such as `23505`.
    public let rawValue: String

    /// Any code, also one that a function raises with `errcode`.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// The first two characters, which codes of one kind share: `23` for every violated constraint.
    public var `class`: String { String(rawValue.prefix(2)) }

    /// The code itself.
    public var description: String { rawValue }

    /// 0A000, also "cached plan must not change result type"
    public static let featureNotSupported = SQLState(rawValue: "0A000")
    /// 22001
    public static let stringDataRightTruncation = SQLState(rawValue: "22001")
    /// 22003
    public static let numericValueOutOfRange = SQLState(rawValue: "22003")
    /// 22008
    public static let datetimeFieldOverflow = SQLState(rawValue: "22008")
    /// 22021, also a NUL in a text
    public static let characterNotInRepertoire = SQLState(rawValue: "22021")
    /// 22P02
    public static let invalidTextRepresentation = SQLState(rawValue: "22P02")
    /// 23502
    public static let notNullViolation = SQLState(rawValue: "23502")
    /// 23503
    public static let foreignKeyViolation = SQLState(rawValue: "23503")
    /// 23505
    public static let uniqueViolation = SQLState(rawValue: "23505")
    /// 23514
    public static let checkViolation = SQLState(rawValue: "23514")
    /// 23P01
    public static let exclusionViolation = SQLState(rawValue: "23P01")
    /// 25006
    public static let readOnlyTransaction = SQLState(rawValue: "25006")
    /// 25P02: an earlier statement of the transaction failed
    public static let inFailedTransaction = SQLState(rawValue: "25P02")
    /// 26000: a prepared statement isn't there
    public static let invalidStatementName = SQLState(rawValue: "26000")
    /// 40001
    public static let serializationFailure = SQLState(rawValue: "40001")
    /// 40P01
    public static let deadlockDetected = SQLState(rawValue: "40P01")
    /// 42501, also a violated row security policy
    public static let insufficientPrivilege = SQLState(rawValue: "42501")
    /// 42601
    public static let syntaxError = SQLState(rawValue: "42601")
    /// 42703
    public static let undefinedColumn = SQLState(rawValue: "42703")
    /// 42P01
    public static let undefinedTable = SQLState(rawValue: "42P01")
    /// 42P05: a prepared statement is there already
    public static let duplicatePreparedStatement = SQLState(rawValue: "42P05")
    /// 53300
    public static let tooManyConnections = SQLState(rawValue: "53300")
    /// 55P03
    public static let lockNotAvailable = SQLState(rawValue: "55P03")
    /// 57014: a timeout of the server, or a cancel
    public static let queryCanceled = SQLState(rawValue: "57014")
    /// 57P01
    public static let adminShutdown = SQLState(rawValue: "57P01")
    /// P0001: `raise exception` without a code
    public static let raiseException = SQLState(rawValue: "P0001")
}
