import CLibpq

/// One libpq connection and what is under way on it. It knows about segments, deadlines and cancelling, and
/// nothing about transactions or pools.
///
/// It isn't safe by itself: ``Backend`` lets one thread in at a time. Nothing in here blocks. What has to
/// happen outside of the lock is gathered in ``effects``.
final class Pipeline {
    /// What follows from a call, to be done when the lock is released.
    struct Effects {
        var answered: [(Request, Outcome)] = []
        /// When the deadlines have to be looked at.
        var timer: Instant?
        /// A call that asks the server to cancel, to be made on a thread that may block.
        var cancelCalls: [CancelCall] = []
        var hasClosed = false
        var traffic = Traffic()
    }

    private let configuration: PGConfiguration
    private let loop: EventLoop
    private let onNotification: (@Sendable (PGNotification) -> Void)?
    /// nil after it was closed.
    private(set) var handle: OpaquePointer?
    /// A number of our own for libpq's socket: libpq closes its own when the connection ends, and the number
    /// is somebody else's as soon as that has happened.
    let socket: Int32
    var token: UInt64?
    private var effects = Effects()

    private var inFlight: [Segment] = []
    /// Rows of a stream that its reader hasn't been told of, and how many bytes they have.
    private var rows: (handles: [OpaquePointer], bytes: Int) = ([], 0)
    /// A statement that ends a transaction and is to go out with whatever is sent next.
    private var posted: Statement?
    /// Requests that wait until what is in flight is over: a script doesn't share the connection.
    private var queue: [Request] = []
    /// Cancelled segments that are over, but whose cancel call hasn't returned: until then it could still hit
    /// what comes next.
    private var cancelling: [Request] = []
    private var cancelCalls = 0
    private var cancelDeadline: Instant?
    private var isWaitingToWrite = false
    /// The reader of a stream is behind: nothing is read from the socket.
    private var isHeldUp = false
    /// The socket has ended, but what came before wasn't all handed out.
    private var hasEnded = false
    private var nextTimer: Instant?

    private var cache = StatementCache(bound: 128)
    /// Prepared statements were forgotten here that may still be there.
    private var hasOrphans = false

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

    /// Whether the server is inside a transaction. Only to be asked when nothing is in flight.
    var isInTransaction: Bool {
        guard let handle else { return false }
        return PQtransactionStatus(handle) != PQTRANS_IDLE
    }

    /// What follows from the calls since the last time this was called.
    func takeEffects() -> Effects {
        defer { effects = Effects() }
        return effects
    }

    // MARK: Sending

    /// Keeps a statement that ends a transaction, and of which nobody waits for the answer, until something
    /// else is sent or ``flush()`` is called.
    func post(_ statement: Statement) {
        posted = statement
    }

    /// Sends what was posted, if nothing has taken it along.
    func sendPosted() {
        guard handle != nil, posted != nil else { return }
        write([], for: Request(.statements([]), isDetached: true))
        flush()
    }

    /// Sends a request as soon as it can be.
    func submit(_ request: Request) {
        if !request.isRepeatable { sendPosted() }
        if queue.isEmpty, mayStart(request) {
            start(request)
        } else {
            queue.append(request)
        }
    }

    private func mayStart(_ request: Request) -> Bool {
        // A cancel that hasn't returned could still hit it.
        if cancelCalls > 0 { return false }
        return request.work.isExclusive
            ? inFlight.isEmpty : inFlight.first?.request.work.isExclusive != true
    }

    /// The connection is gone, and nothing of the request was sent.
    private func refuse(_ request: Request) {
        let failure = Failure.lost(connectionError().with(request.work.origin), answered: false)
        effects.answered.append((request, Outcome(failure: failure)))
    }

    private func start(_ request: Request) {
        if request.isCancelled {
            return effects.answered.append((request, Outcome(failure: .cancelled)))
        }
        switch request.work {
        case .statements(let statements):
            if hasOrphans, posted != nil || (inFlight.isEmpty && !isInTransaction) { removeOrphans() }
            write(statements, for: request)
            flush()
        case .rows(let statement, let buffer):
            write([statement], as: .rows(buffer), for: request)
            flush()
        case .script(let origin):
            startExclusive(origin, .script, for: request)
        case .copyOut(let origin, let buffer):
            startExclusive(origin, .copyOut(buffer), for: request)
        case .copyIn(let origin, let writer):
            startExclusive(origin, .copyIn(writer), for: request)
        }
    }

    private func startNext() {
        while let next = queue.first, mayStart(next) {
            queue.removeFirst()
            start(next)
        }
    }

    private func newSegment(_ request: Request, capacity: Int = 1) -> Segment {
        let deadline = Instant.now + configuration.statementTimeout
        let segment = Segment(request, deadline: deadline, capacity: capacity)
        arm(segment.deadline)
        return segment
    }

    private func write(_ statements: [Statement], as step: Segment.Step = .execute, for request: Request) {
        guard let handle else { return refuse(request) }
        var segment = newSegment(request, capacity: statements.count + 1)
        var isWritten = true
        if let posted {
            // Without a Sync of its own it costs neither side an extra message.
            isWritten = write(posted, as: .end, to: handle, &segment)
            self.posted = nil
        }
        for statement in statements where isWritten {
            isWritten = write(statement, as: step, to: handle, &segment)
        }
        inFlight.append(segment)
        guard isWritten, PQpipelineSync(handle) == 1 else { return close(connectionError()) }
        if inFlight.count == 1 { askForSingleRows() }
    }

    private func write(
        _ statement: Statement,
        as step: Segment.Step,
        to handle: OpaquePointer,
        _ segment: inout Segment
    ) -> Bool {
        let sql = statement.sql
        effects.traffic.sent += sql.size
        guard statement.prepares, configuration.preparesStatements else {
            segment.steps.append((step, statement.origin))
            return sql.send(to: handle)
        }
        let key = StatementCache.Key(text: sql.text, types: sql.types)
        let name: StatementCache.Name
        switch cache.use(key, isPinned: statement.isControl) {
        case .prepared(let known):
            name = known
        case .new(let new, let evicted):
            name = new
            if let evicted {
                segment.steps.append((.deallocate, statement.origin))
                guard SQL(stringLiteral: "DEALLOCATE \(evicted)").send(to: handle) else { return false }
            }
            segment.steps.append((.prepare(key), statement.origin))
            guard sql.prepare(as: new, on: handle) else { return false }
        }
        segment.steps.append((step, statement.origin))
        return sql.send(to: handle, prepared: name)
    }

    /// In a segment of its own: if it fails, nothing else does.
    private func removeOrphans() {
        cache.removeAll()
        write(
            [Statement(control: "DEALLOCATE ALL")],
            as: .deallocate,
            for: Request(.statements([]), isDetached: true)
        )
        // With what ended the transaction before, and was prepared for that.
        forgetStatements()
    }

    /// Scripts and COPY go by the simple protocol, for which libpq has to leave the pipeline mode.
    private func startExclusive(_ origin: Origin, _ step: Segment.Step, for request: Request) {
        guard let handle else { return refuse(request) }
        var segment = newSegment(request)
        segment.steps.append((step, origin))
        inFlight.append(segment)
        guard PQexitPipelineMode(handle) == 1, PQsendQuery(handle, origin.sql) == 1 else {
            return close(connectionError())
        }
        flush()
    }

    private func finishExclusive() {
        guard let handle, PQenterPipelineMode(handle) == 1 else { return close(connectionError()) }
        complete()
    }

    /// Forgets every prepared statement, which the server is about to do as well.
    func forgetStatements() {
        cache.removeAll()
        hasOrphans = false
    }

    /// Lets libpq write what it has buffered; what the socket doesn't take now, it takes when it is writable.
    func flush() {
        guard let handle, let token else { return }
        switch PQflush(handle) {
        case 0 where isWaitingToWrite: isWaitingToWrite = false
        case 1 where !isWaitingToWrite: isWaitingToWrite = true
        case -1: return close(connectionError())
        default: return
        }
        loop.update(socket, token: token, interest: interest)
        if !isWaitingToWrite { copyWriter?.becomeReady() }
    }

    private var interest: Interest {
        var interest: Interest = isHeldUp ? [] : .readable
        if isWaitingToWrite { interest.insert(.writable) }
        return interest
    }

    // MARK: Reading

    /// Takes in what has arrived and hands out what is complete.
    func receive() {
        guard handle != nil else { return }
        if isWaitingToWrite { flush() }
        // What a reader was too slow for is still in libpq's buffer, which would only grow by more.
        if isHeldUp { handOut() }
        if inFlight.first?.isHeldUp != true {
            if !hasEnded, !consume() { hasEnded = true }
            handOut()
        }
        passRows()
        guard let handle else { return }
        holdUp(inFlight.first?.isHeldUp ?? false)
        if isHeldUp { return }
        if hasEnded || PQstatus(handle) != CONNECTION_OK { return close(connectionError()) }
        takeNotifications(handle)
    }

    private func takeNotifications(_ handle: OpaquePointer) {
        while let notification = PQnotifies(handle) {
            onNotification?(PGNotification(notification.pointee))
            PQfreemem(notification)
        }
    }

    /// Goes on reading once the reader of a stream has caught up.
    func readOn() {
        guard isHeldUp, !inFlight.isEmpty else { return }
        inFlight[0].isHeldUp = inFlight[0].isReaderBehind
        receive()
    }

    private func holdUp(_ isHeldUp: Bool) {
        guard isHeldUp != self.isHeldUp else { return }
        self.isHeldUp = isHeldUp
        if let token { loop.update(socket, token: token, interest: interest) }
        extendDeadline()
    }

    private func unwatch() {
        if let token { loop.unwatch(socket, token: token) }
        token = nil
    }

    /// Reads from the socket into libpq's buffer. False when the connection is dead; what came before it died
    /// can still be handed out.
    private func consume() -> Bool {
        guard let handle else { return false }
        // Only a result that didn't arrive in one piece is worth a look at how large it becomes.
        let isWatched = inFlight.first?.isArriving ?? false
        let before = isWatched ? Int(pgc_socket_pending(socket)) : 0
        guard PQconsumeInput(handle) == 1 else { return false }
        // OpenSSL may hold decrypted bytes, for which the socket will not become readable again.
        var pending = pgc_tls_pending(handle)
        while pending != 0 {
            guard PQconsumeInput(handle) == 1 else { return false }
            pending = pending < 0 ? 0 : pgc_tls_pending(handle)
        }
        guard !inFlight.isEmpty else { return true }
        inFlight[0].isArriving = PQisBusy(handle) == 1
        guard isWatched, inFlight[0].isArriving else { return true }
        // libpq doesn't tell how much it has read: usually what its buffer of 16 kB takes, or one TLS record,
        // which the server makes of 8 kB.
        let usual = PQsslInUse(handle) == 1 ? 8_192 : 16_384
        inFlight[0].arrived += max(min(before, usual), before - Int(pgc_socket_pending(socket)))
        guard inFlight[0].arrived / 2 > configuration.maximumResultBytes else { return true }
        inFlight[0].note(tooLarge(inFlight[0].current?.origin))
        return false
    }

    /// Hands out every result that is complete. `PQgetResult` is never asked while it would block.
    private func handOut() {
        while let handle, !inFlight.isEmpty, !inFlight[0].isHeldUp {
            switch inFlight[0].copying {
            case .in: return
            case .out:
                guard takeCopyData(handle) else { return }
                continue
            case nil: break
            }
            guard PQisBusy(handle) == 0 else { return }
            guard let result = PQgetResult(handle) else {
                if PQstatus(handle) != CONNECTION_OK { return }
                if inFlight[0].request.work.isExclusive {
                    finishExclusive()
                } else {
                    inFlight[0].position += 1
                    guard inFlight[0].position <= inFlight[0].steps.count else {
                        return close(PGError(.connection, "libpq has lost count of the results"))
                    }
                    askForSingleRows()
                }
                continue
            }
            // When the connection has ended libpq makes up a result, which has no code and is no answer.
            if PQresultStatus(result) != PGRES_FATAL_ERROR
                || PQresultErrorField(result, Int32(PGC_SQLSTATE)) != nil
            {
                inFlight[0].isAnswered = true
            }
            inFlight[0].arrived = 0
            take(result)
        }
    }

    /// Has libpq hand out the rows of a stream one by one. To be called as soon as its step is the next: libpq
    /// refuses once it has looked at the first row.
    private func askForSingleRows() {
        if let handle, case .rows? = inFlight.first?.current?.step { PQsetSingleRowMode(handle) }
    }

    /// Keeps a row until there are enough of them, or no more for now: each change of threads is to be worth it.
    private func takeRow(_ row: OpaquePointer) {
        rows.handles.append(row)
        rows.bytes += PQresultMemorySize(row)
        effects.traffic.received += PQresultMemorySize(row)
        if rows.bytes >= 64 << 10 { passRows() }
    }

    private func passRows() {
        guard !rows.handles.isEmpty else { return }
        let batch = RowBatch(rows.handles, origin: inFlight[0].request.work.origin)
        if case .rows(let buffer)? = inFlight[0].current?.step, !inFlight[0].isCancelled {
            buffer.push(batch, bytes: rows.bytes)
            inFlight[0].isHeldUp = buffer.isFull
            // What nobody reads any more has to be over in time.
            if !buffer.isAbandoned { extendDeadline() }
        }
        rows = ([], 0)
    }

    private func take(_ result: OpaquePointer) {
        let status = PQresultStatus(result)
        if status == PGRES_SINGLE_TUPLE { return takeRow(result) }
        passRows()
        if status == PGRES_PIPELINE_SYNC {
            PQclear(result)
            return complete()
        }
        let current = inFlight[0].current
        let origin = current?.origin ?? Origin(sql: "", file: #fileID, line: #line)
        switch status {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
            let size = PQresultMemorySize(result)
            effects.traffic.received += size
            if size > configuration.maximumResultBytes {
                inFlight[0].note(tooLarge(origin))
            }
            switch current?.step {
            case .rows:
                PQclear(result)
            case .copyIn, .copyOut:
                let result = PGResult(result, origin: origin)
                if !result.commandTag.hasPrefix("COPY") {
                    inFlight[0].note(PGError(.invalidStatement, "the statement isn't a COPY", origin))
                }
                inFlight[0].result = result
            case .execute:
                noteForgotten(result)
                inFlight[0].result = PGResult(result, origin: origin)
            case .script:
                noteForgotten(result)
                PQclear(result)
            default:
                PQclear(result)
            }
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
            PQclear(result)
            if beginCopying(status, current?.step) { return }
            inFlight[0].note(PGError(.invalidStatement, "COPY can't be run as a statement", origin))
            close(PGError(.connection, "closed to end a COPY", origin))
        default:
            // After a FATAL error libpq makes up a second one when the socket closes: the first says why.
            inFlight[0].note(PGError(result, origin: origin))
            if case .prepare(let key)? = current?.step { cache.remove(key) }
            PQclear(result)
        }
    }

    /// Believes no longer in statements that the session has just been told to forget: what ends the
    /// transaction is among them.
    private func noteForgotten(_ result: OpaquePointer) {
        guard let tag = PQcmdStatus(result), tag[0] == CChar(UInt8(ascii: "D")) else { return }
        if ["DEALLOCATE ALL", "DISCARD ALL"].contains(String(cString: tag)) {
            cache.removeAll()
            // Something may have been prepared after it.
            hasOrphans = true
        }
    }

    private func complete() {
        if let error = inFlight[0].error, inFlight[0].hasFailedBefore {
            let reason = "the transaction before could not be ended: \(error.description)"
            return close(PGError(.connection, reason))
        }
        let segment = inFlight.removeFirst()
        if !segment.request.isDetached { effects.traffic.roundTrips += 1 }
        if let error = segment.error, error.isStaleStatement {
            cache.removeAll()
            hasOrphans = true
        }
        if segment.isCancelled, cancelCalls > 0 {
            cancelling.append(segment.request)
        } else {
            effects.answered.append((segment.request, segment.naturalOutcome))
        }
        if cancelCalls == 0 { cancelDeadline = nil }
        if inFlight.isEmpty, segment.request.isDetached, isInTransaction {
            return close(PGError(.connection, "the connection was left in a transaction"))
        }
        // What had to wait for its turn has all of its time.
        extendDeadline()
        askForSingleRows()
        if inFlight.first?.isCancelled == true { cancelFirst() }
        startNext()
    }

    private func tooLarge(_ origin: Origin?) -> PGError {
        PGError(
            .resultTooLarge,
            "the result takes more than \(configuration.maximumResultBytes) bytes",
            origin
        )
    }

    // MARK: COPY

    private var copyWriter: CopyWriter? {
        if case .copyIn(let writer)? = inFlight.first?.current?.step { writer } else { nil }
    }

    private func beginCopying(_ status: ExecStatusType, _ step: Segment.Step?) -> Bool {
        switch (status, step) {
        case (PGRES_COPY_OUT, .copyOut):
            inFlight[0].copying = .out
        case (PGRES_COPY_IN, .copyIn(let writer)):
            inFlight[0].copying = .in
            if inFlight[0].isCancelled { endCopy(failure: "cancelled") } else { writer.becomeReady() }
        default:
            return false
        }
        return true
    }

    /// Takes a row of a COPY. False when it hasn't all arrived yet.
    private func takeCopyData(_ handle: OpaquePointer) -> Bool {
        var data: UnsafeMutablePointer<CChar>?
        let count = PQgetCopyData(handle, &data, 1)
        if count == 0 { return false }
        guard count > 0, let data else {
            // It is over, well or with an error, which the next result tells.
            inFlight[0].copying = nil
            return true
        }
        if case .copyOut(let buffer)? = inFlight[0].current?.step, !inFlight[0].isCancelled {
            buffer.push(Array(UnsafeRawBufferPointer(start: data, count: Int(count))), bytes: Int(count))
            inFlight[0].isHeldUp = buffer.isFull
            if !buffer.isAbandoned { extendDeadline() }
        }
        PQfreemem(data)
        return true
    }

    /// Sends data of a COPY. Only to be called when the writer is ready.
    func write(_ data: [UInt8]) {
        guard let handle, inFlight.first?.copying == .in else { return }
        let isWritten = data.withUnsafeBytes { bytes in
            PQputCopyData(handle, bytes.bindMemory(to: CChar.self).baseAddress, Int32(data.count)) == 1
        }
        guard isWritten else { return close(connectionError()) }
        effects.traffic.sent += data.count
        extendDeadline()
        copyWriter?.becomeBusy()
        flush()
        if !isWaitingToWrite { copyWriter?.becomeReady() }
    }

    /// Ends a COPY to the server, which then answers.
    ///
    /// - Parameter failure: why nothing of it is to be kept, if so.
    func endCopy(failure: String? = nil) {
        guard let handle, inFlight.first?.copying == .in else { return }
        inFlight[0].copying = nil
        copyWriter?.finish()
        extendDeadline()
        guard PQputCopyEnd(handle, failure) == 1 else { return close(connectionError()) }
        flush()
    }

    // MARK: Cancelling

    /// How long a cancelled statement may take to end before its connection is closed instead.
    private static let drainTime = Duration.seconds(1)

    /// A handle that only cancels. libpq allows it to be used on any thread, and it is used on one: hence
    /// `@unchecked`.
    struct CancelCall: @unchecked Sendable {
        fileprivate let handle: OpaquePointer
        /// Whether ``Pipeline/cancelReturned()`` is to be called afterwards.
        let isAwaited: Bool

        /// Connects to the server and asks it to cancel. Blocks.
        func send() {
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { message in
                _ = PQcancel(handle, message.baseAddress, 256)
            }
            PQfreeCancel(handle)
        }
    }

    /// Asks the server to cancel what it does for that request, if it still does. The outcome is held back
    /// until the call has returned *and* the segment has ended; if that takes too long the connection is
    /// closed. So a late cancel has nobody else to hit.
    func cancel(_ request: Request) {
        if let index = queue.firstIndex(where: { $0 === request }) {
            queue.remove(at: index)
            return effects.answered.append((request, Outcome(failure: .cancelled)))
        }
        guard let index = inFlight.firstIndex(where: { $0.request === request }),
            !inFlight[index].isCancelled
        else { return }
        inFlight[index].isCancelled = true
        // One that isn't executed yet has its turn first: the server would cancel the one before.
        guard index == 0 else { return }
        let isCopying = inFlight[0].copying == .in
        cancelFirst()
        // The server may have refused the copy before, and will then say nothing more.
        if isCopying { receive() }
    }

    private func cancelFirst() {
        if inFlight[0].copying == .in { return endCopy(failure: "cancelled") }
        guard let handle else { return }
        guard let call = PQgetCancel(handle) else { return close(connectionError()) }
        effects.cancelCalls.append(CancelCall(handle: call, isAwaited: true))
        cancelCalls += 1
        let deadline = Instant.now + Self.drainTime
        cancelDeadline = min(cancelDeadline ?? deadline, deadline)
        arm(deadline)
        // The rest of a stream is dropped.
        readOn()
    }

    func cancelReturned() {
        cancelCalls -= 1
        guard cancelCalls == 0 else { return }
        effects.answered += cancelling.map { ($0, Outcome(failure: .cancelled)) }
        cancelling = []
        if inFlight.first?.isCancelled != true { cancelDeadline = nil }
        startNext()
    }

    /// Asks the server to stop what a connection is at that is about to be closed. Nobody waits for it.
    private func abandon() {
        guard let handle, let call = PQgetCancel(handle) else { return }
        effects.cancelCalls.append(CancelCall(handle: call, isAwaited: false))
    }

    // MARK: Deadlines

    /// Makes sure that the deadlines are looked at by then. Most are over long before: they are looked at and
    /// not withdrawn, so a busy connection has one timer and not one per statement.
    private func arm(_ deadline: Instant) {
        if let nextTimer, nextTimer <= deadline { return }
        nextTimer = deadline
        effects.timer = deadline
    }

    /// Counts the time of the segment that is under way anew.
    private func extendDeadline() {
        guard !inFlight.isEmpty else { return }
        inFlight[0].deadline = .now + configuration.statementTimeout
    }

    func checkDeadlines(_ timer: Instant) {
        if nextTimer == timer { nextTimer = nil }
        let now = Instant.now
        if let cancelDeadline, cancelDeadline <= now {
            close(PGError(.connection, "a cancelled statement didn't end within \(Self.drainTime)"))
        }
        // Nobody waits for the server while it is the reader or the writer of a stream who takes their time.
        let isOwnDelay = isHeldUp || (inFlight.first?.copying == .in && !isWaitingToWrite)
        if isOwnDelay { extendDeadline() }
        if let first = inFlight.first, first.deadline <= now {
            abandon()
            close(PGError(.statementTimeout, "no result within \(configuration.statementTimeout)"))
        }
        if let next = [cancelDeadline, inFlight.first?.deadline].compactMap(\.self).min() { arm(next) }
    }

    // MARK: Closing

    func connectionError() -> PGError {
        PGError(.connection, handle.map(PGError.message(of:)) ?? "the connection is closed")
    }

    /// Closes the connection. Everything in flight fails with its own first error, or else with this one.
    func close(_ reason: PGError) {
        guard let handle else { return }
        passRows()
        unwatch()
        PQfinish(handle)
        pgc_close(socket)
        self.handle = nil
        posted = nil
        effects.answered += cancelling.map { ($0, Outcome(failure: .cancelled)) }
        effects.answered += inFlight.map { ($0.request, $0.outcome(lostTo: reason)) }
        effects.answered += queue.map { request in
            (request, Outcome(failure: .lost(reason.with(request.work.origin), answered: false)))
        }
        cancelling = []
        inFlight = []
        queue = []
        cancelDeadline = nil
        effects.hasClosed = true
    }
}
