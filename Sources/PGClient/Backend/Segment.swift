/// A request while it is under way on a connection.
struct Segment {
    /// What the server does at a step.
    enum Action {
        /// Parses a statement, and remembers it.
        case prepare
        /// Executes a statement whose result is asked for.
        case execute
        /// Executes a statement whose result is asked for though others follow.
        case keep
        /// Ends the transaction before this segment, whose end nobody waits for.
        case end
        /// Removes a prepared statement.
        case deallocate
        /// Any number of statements.
        case script
        /// Executes a statement whose rows are handed out one by one.
        case rows
        case copyOut
        case copyIn
    }

    struct Step {
        let action: Action
        let statement: Statement
    }

    /// How far a COPY is.
    enum Copying {
        case out, `in`
    }

    let request: Request
    var deadline: Instant
    var steps: [Step] = []
    /// The step of which the next result is.
    var position = 0

    /// Of the last statement so far.
    var result: PGResult?
    /// Of the statements that keep theirs.
    var kept: [PGResult] = []
    private var firstError = FirstError()
    var error: PGError? { firstError.error }
    /// What ends the transaction before has failed, so nothing of the segment itself was executed.
    private(set) var hasFailedBefore = false
    var isAnswered = false
    /// A result has arrived in part: of how many bytes, as far as that can be known.
    var isArriving = false
    var arrived = 0
    /// The task was cancelled: the outcome waits until the server has been told and has stopped.
    var isCancelled = false
    /// Data of a COPY is under way.
    var copying: Copying?

    /// - Parameter capacity: how many steps there will be, about.
    init(_ request: Request, deadline: Instant, capacity: Int) {
        self.request = request
        self.deadline = deadline
        steps.reserveCapacity(capacity)
    }

    /// Its reader has to catch up before more is handed out.
    var isHeldUp = false
    var isReaderBehind: Bool {
        if isCancelled { return false }
        return switch request.work {
        case .rows(_, let buffer): buffer.isFull
        case .copyOut(_, let buffer): buffer.isFull
        default: false
        }
    }

    /// The step of which the next result is; nil when only the Sync is missing.
    var current: Step? {
        position < steps.count ? steps[position] : nil
    }

    /// The outcome of a segment that has ended with its Sync.
    ///
    /// - Parameter first: what the transaction has failed of, if it has.
    func outcome(after first: FirstError) -> Outcome {
        if isCancelled { return Outcome(failure: .cancelled) }
        if isSkipped(after: first), let first = first.error {
            return Outcome(failure: .skipped(because: first))
        }
        if let error { return Outcome(failure: .refused(error)) }
        return Outcome(result: result, kept: kept)
    }

    /// Whether it was refused only since the transaction had failed. One that was to be prepared by what failed isn't
    /// there, which the server finds out before it looks at the transaction.
    func isSkipped(after first: FirstError) -> Bool {
        guard let error, let first = first.error else { return false }
        return error.sqlState == .inFailedTransaction || error.isStaleStatement && !first.isStaleStatement
    }

    mutating func note(_ error: PGError) {
        guard self.error == nil else { return }
        firstError.note(error)
        if steps[min(position, steps.count)...].contains(where: { $0.action == .end }) {
            hasFailedBefore = true
        }
    }

    /// The outcome of a segment whose connection was closed. Whether an error is about the connection is
    /// decided by that and not by its code, which may be anything or missing.
    func outcome(lostTo reason: PGError) -> Outcome {
        if isCancelled { return Outcome(failure: .cancelled) }
        var error = hasFailedBefore ? reason : error ?? reason
        if error.kind == .server { error.kind = reason.kind }
        // The server answers a segment as a whole, so before it has begun to, the blame is on what it was
        // sent for.
        let origin = (isAnswered ? current : steps.last)?.statement.origin
        return Outcome(failure: .lost(error.with(origin), answered: isAnswered && !hasFailedBefore))
    }
}
