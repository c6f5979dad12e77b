import CLibpq

/// One libpq connection and what is under way on it. It knows about segments, deadlines and cancelling, and
/// nothing about transactions or pools.
///
/// It isn't safe by itself: ``Backend`` lets one thread in at a time. Nothing in here blocks. What has to
/// happen outside of the lock is gathered in ``effects``.
struct Pipeline: ~Copyable {
    /// What follows from a call, to be done when the lock is released.
    struct Effects {
        var answered: [Answer] = []
        /// When the deadlines have to be looked at.
        var timer: Instant?
        /// A call that asks the server to cancel, to be made on a thread that may block.
        var cancelCalls: [CancelCall] = []
        var hasClosed = false
        var traffic = Traffic()
    }

    struct Answer {
        let request: Request
        let outcome: Outcome
    }

    let configuration: PGConfiguration
    let loop: EventLoop
    let onNotification: (@Sendable (PGNotification) -> Void)?
    /// nil after it was closed.
    var handle: OpaquePointer?
    /// A number of our own for libpq's socket: libpq closes its own when the connection ends, and the number
    /// is somebody else's as soon as that has happened.
    let socket: Int32
    var token: UInt64?
    var effects = Effects()

    var inFlight: [Segment] = []
    /// Rows of a stream that its reader hasn't been told of.
    var rows = RowCopies()
    /// A statement that ends a transaction and is to go out with whatever is sent next.
    var posted: Statement?
    /// Requests that wait until what is in flight is over: a script doesn't share the connection.
    var queue: [Request] = []
    /// Cancelled segments that are over, but whose cancel call hasn't returned: until then it could still hit
    /// what comes next.
    var cancelling: [Request] = []
    var cancelCalls = 0
    var cancelDeadline: Instant?
    var isWaitingToWrite = false
    /// The reader of a stream is behind: nothing is read from the socket.
    var isHeldUp = false
    /// The socket has ended, but what came before wasn't all handed out.
    var hasEnded = false
    var nextTimer: Instant?

    var cache = StatementCache(bound: 128)
    /// What the transaction has failed of that the server is in, in the order of its answers. It may also be what a
    /// statement by itself has failed of that was the last.
    var transactionError = FirstError()
    /// Prepared statements were forgotten here that may still be there.
    var hasOrphans = false

    init(
        _ new: NewHandle,
        _ configuration: PGConfiguration,
        _ loop: EventLoop,
        _ onNotification: (@Sendable (PGNotification) -> Void)?
    ) {
        self.onNotification = onNotification
        handle = new.handle
        socket = pgc_duplicate(PQsocket(new.handle))
        self.configuration = configuration
        self.loop = loop
    }

    /// Whether it can be given to somebody else: open, outside a transaction, and with no cancel under way
    /// that could hit them. What is still in flight ends before anything that they send begins.
    var isClean: Bool {
        guard let handle, cancelCalls == 0, queue.isEmpty else { return false }
        if inFlight.isEmpty { return posted != nil || PQtransactionStatus(handle) == PQTRANS_IDLE }
        return inFlight.allSatisfy(\.request.isDetached)
    }

    /// Whether the first in flight is a stream whose reader has to catch up.
    var isReaderBehind: Bool { !inFlight.isEmpty && inFlight[0].isHeldUp }

    /// Whether the server is inside a transaction. Only to be asked when nothing is in flight.
    var isInTransaction: Bool {
        guard let handle else { return false }
        return PQtransactionStatus(handle) != PQTRANS_IDLE
    }

    /// What follows from the calls since the last time this was called.
    mutating func takeEffects() -> Effects {
        var taken = Effects()
        swap(&taken, &effects)
        return taken
    }

    // MARK: Closing

    func connectionError() -> PGError {
        PGError(.connection, handle.map(PGError.message(of:)) ?? "the connection is closed")
    }

    /// Closes the connection. Everything in flight fails with its own first error, or else with this one.
    mutating func close(_ reason: PGError) {
        guard let handle else { return }
        passRows()
        unwatch()
        PQfinish(handle)
        pgc_close(socket)
        self.handle = nil
        posted = nil
        effects.answered += cancelling.map { Answer(request: $0, outcome: Outcome(failure: .cancelled)) }
        effects.answered += inFlight.map { Answer(request: $0.request, outcome: $0.outcome(lostTo: reason)) }
        effects.answered += queue.map { request in
            let failure = Failure.lost(reason.with(request.work.origin), answered: false)
            return Answer(request: request, outcome: Outcome(failure: failure))
        }
        cancelling = []
        inFlight = []
        queue = []
        cancelDeadline = nil
        effects.hasClosed = true
    }
}
