import CLibpq

extension Pipeline {
    /// Keeps a statement that ends a transaction, and of which nobody waits for the answer, until something
    /// else is sent or ``sendPosted()`` is called.
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

    func mayStart(_ request: Request) -> Bool {
        // A cancel that hasn't returned could still hit it.
        if cancelCalls > 0 { return false }
        return request.work.isExclusive
            ? inFlight.isEmpty : inFlight.first?.request.work.isExclusive != true
    }

    /// The connection is gone, and nothing of the request was sent.
    func refuse(_ request: Request) {
        let failure = Failure.lost(connectionError().with(request.work.origin), answered: false)
        effects.answered.append((request, Outcome(failure: failure)))
    }

    func start(_ request: Request) {
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

    func startNext() {
        while let next = queue.first, mayStart(next) {
            queue.removeFirst()
            start(next)
        }
    }

    func newSegment(_ request: Request, capacity: Int = 1) -> Segment {
        let deadline = Instant.now + configuration.statementTimeout
        let segment = Segment(request, deadline: deadline, capacity: capacity)
        arm(segment.deadline)
        return segment
    }

    func write(_ statements: [Statement], as step: Segment.Step = .execute, for request: Request) {
        guard let handle else { return refuse(request) }
        var segment = newSegment(request, capacity: statements.count + 1)
        var isWritten = true
        if let posted {
            // Without a Sync of its own it costs neither side an extra message.
            isWritten = write(posted, as: .end, to: handle, &segment)
            self.posted = nil
        }
        for statement in statements where isWritten {
            isWritten = write(statement, as: statement.keepsResult ? .keep : step, to: handle, &segment)
        }
        inFlight.append(segment)
        guard isWritten, PQpipelineSync(handle) == 1 else { return close(connectionError()) }
        if inFlight.count == 1 { askForSingleRows() }
    }

    func write(
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
    func removeOrphans() {
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
    func startExclusive(_ origin: Origin, _ step: Segment.Step, for request: Request) {
        guard let handle else { return refuse(request) }
        var segment = newSegment(request)
        segment.steps.append((step, origin))
        inFlight.append(segment)
        guard PQexitPipelineMode(handle) == 1, PQsendQuery(handle, origin.sql) == 1 else {
            return close(connectionError())
        }
        flush()
    }

    func finishExclusive() {
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

    var interest: Interest {
        var interest: Interest = isHeldUp ? [] : .readable
        if isWaitingToWrite { interest.insert(.writable) }
        return interest
    }
}
