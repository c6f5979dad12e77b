/// A statement as it is sent.
struct Statement: Sendable {
    let sql: SQL
    let origin: Origin
    /// Whether it goes through the connection's cache of prepared statements.
    let prepares: Bool

    init(_ sql: SQL, file: StaticString, line: UInt) {
        self.sql = sql
        origin = Origin(sql: sql.text, file: file, line: line)
        prepares = true
    }

    /// A statement of the client's own, which isn't worth a place in the cache.
    init(control text: String) {
        sql = SQL(stringLiteral: text)
        origin = Origin(sql: text, file: #fileID, line: #line)
        prepares = false
    }
}

/// Why a segment failed.
enum Failure: Sendable {
    /// The first statement that failed, and how. The connection is still there.
    case refused(PGError)
    /// The task was cancelled, and the server has stopped.
    case cancelled
    /// The connection isn't there any more. `answered` tells whether the server had begun to answer.
    case lost(PGError, answered: Bool)

    /// What the caller of a statement gets to see.
    var error: any Error {
        switch self {
        case .refused(let error), .lost(let error, _): error
        case .cancelled: CancellationError()
        }
    }
}

/// What became of a segment.
struct Outcome: Sendable {
    var results: [PGResult] = []
    var failure: Failure?
}

/// What is sent in one go and ends with a Sync: the unit in which the server answers, and after which an
/// error is over. Or a script, which libpq's simple protocol ends by itself.
///
/// Confined to its backend's actor.
final class Segment {
    enum Step {
        /// Parses a statement and remembers it by the cache's key.
        case prepare(StatementCache.Key)
        /// Executes a statement whose result is asked for.
        case execute
        /// Removes a prepared statement.
        case deallocate
        /// Any number of statements.
        case script
    }

    let id: UInt64
    let deadline: Instant
    var steps: [(step: Step, origin: Origin)] = []
    /// The step of which the next result is.
    var position = 0

    var results: [PGResult] = []
    var error: PGError?
    var isAnswered = false
    /// A result has arrived in part: of how many bytes, as far as that can be known.
    var isArriving = false
    var arrived = 0

    /// The task was cancelled: the outcome waits until the server has been told and has stopped.
    var isCancelled = false
    /// Nobody waits for the outcome.
    var isDetached = false
    private var outcome: Outcome?
    private var waiter: CheckedContinuation<Outcome, Never>?

    init(id: UInt64, deadline: Instant) {
        self.id = id
        self.deadline = deadline
    }

    var isScript: Bool {
        if case .script? = steps.first?.step { true } else { false }
    }

    /// The step of which the next result is; nil when only the Sync is missing.
    var current: (step: Step, origin: Origin)? {
        steps.indices.contains(position) ? steps[position] : nil
    }

    func finish(_ outcome: Outcome) {
        if let waiter {
            self.waiter = nil
            waiter.resume(returning: outcome)
        } else {
            self.outcome = outcome
        }
    }

    /// Resumes the continuation when the segment is over, at once if it is.
    func wait(_ continuation: CheckedContinuation<Outcome, Never>) {
        if let outcome {
            continuation.resume(returning: outcome)
        } else {
            waiter = continuation
        }
    }
}
