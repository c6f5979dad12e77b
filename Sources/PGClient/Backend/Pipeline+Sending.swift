import CLibpq

extension Pipeline {
    /// Keeps a statement that ends a transaction, and of which nobody waits for the answer, until something
    /// else is sent or ``sendPosted()`` is called.
    mutating func post(_ statement: Statement) {
        posted = statement
    }

    /// Sends what was posted, if nothing has taken it along.
    mutating func sendPosted() {
        guard handle != nil, posted != nil else { return }
        write([], for: Request(.statements([]), isDetached: true))
        flush()
    }

    /// Sends a request as soon as it can be.
    mutating func submit(_ request: Request) {
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
        if inFlight.isEmpty { return true }
        return !request.work.isExclusive && !inFlight[0].request.work.isExclusive
    }

    /// The connection is gone, and nothing of the request was sent.
    mutating func refuse(_ request: Request) {
        let failure = Failure.lost(connectionError().with(request.work.origin), answered: false)
        effects.answered.append(.init(request: request, outcome: Outcome(failure: failure)))
    }

    mutating func start(_ request: Request) {
        if request.isCancelled {
            return effects.answered.append(.init(request: request, outcome: Outcome(failure: .cancelled)))
        }
        switch request.work {
        case .statements(let statements, let kept):
            if hasOrphans, posted != nil || (inFlight.isEmpty && !isInTransaction) { removeOrphans() }
            write(statements, keeping: kept, for: request)
            flush()
        case .rows(let statement, _):
            write([statement], as: .rows, for: request)
            flush()
        case .script(let statement):
            startExclusive(statement, as: .script, for: request)
        case .copyOut(let statement, _):
            startExclusive(statement, as: .copyOut, for: request)
        case .copyIn(let statement, _):
            startExclusive(statement, as: .copyIn, for: request)
        }
    }

    mutating func startNext() {
        while let next = queue.first, mayStart(next) {
            queue.removeFirst()
            start(next)
        }
    }

    mutating func newSegment(_ request: Request, capacity: Int = 1) -> Segment {
        let deadline = Instant.now + configuration.statementTimeout
        let segment = Segment(request, deadline: deadline, capacity: capacity)
        arm(segment.deadline)
        return segment
    }

    mutating func write(
        _ statements: [Statement],
        as action: Segment.Action = .execute,
        keeping kept: Int = 0,
        for request: Request
    ) {
        guard let handle else { return refuse(request) }
        var segment = newSegment(request, capacity: statements.count + 1)
        var isWritten = true
        if let posted {
            // Without a Sync of its own it costs neither side an extra message.
            isWritten = write(posted, as: .end, to: handle, &segment)
            self.posted = nil
        }
        for (index, statement) in statements.enumerated() where isWritten {
            let isKept = index >= statements.count - kept
            isWritten = write(statement, as: isKept ? .keep : action, to: handle, &segment)
        }
        inFlight.append(consume segment)
        guard isWritten, PQpipelineSync(handle) == 1 else { return close(connectionError()) }
        if inFlight.count == 1 { askForSingleRows() }
    }

    mutating func write(
        _ statement: Statement,
        as action: Segment.Action,
        to handle: OpaquePointer,
        _ segment: inout Segment
    ) -> Bool {
        effects.traffic.sent += statement.sql.size
        // In a transaction that has failed nothing can be removed to make room for it.
        let mayPrepare = transactionError.error == nil || statement.isControl
        guard statement.prepares, configuration.preparesStatements, mayPrepare else {
            segment.steps.append(.init(action: action, statement: statement))
            return statement.sql.send(to: handle)
        }
        let name: StatementCache.Name
        switch cache.use(statement.key, isPinned: statement.isControl) {
        case .prepared(let known):
            name = known
        case .new(let new, let evicted):
            name = new
            if let evicted {
                segment.steps.append(.init(action: .deallocate, statement: statement))
                guard SQL(stringLiteral: "DEALLOCATE \(evicted)").send(to: handle) else { return false }
            }
            segment.steps.append(.init(action: .prepare, statement: statement))
            guard statement.sql.prepare(as: new, on: handle) else { return false }
        }
        segment.steps.append(.init(action: action, statement: statement))
        return statement.sql.send(to: handle, prepared: name)
    }

    /// In a segment of its own: if it fails, nothing else does.
    mutating func removeOrphans() {
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
    mutating func startExclusive(_ statement: Statement, as action: Segment.Action, for request: Request) {
        guard let handle else { return refuse(request) }
        var segment = newSegment(request)
        segment.steps.append(.init(action: action, statement: statement))
        effects.traffic.sent += statement.sql.size
        inFlight.append(segment)
        guard PQexitPipelineMode(handle) == 1, PQsendQuery(handle, statement.sql.text) == 1 else {
            return close(connectionError())
        }
        flush()
    }

    mutating func finishExclusive() {
        guard let handle, PQenterPipelineMode(handle) == 1 else { return close(connectionError()) }
        complete()
    }

    /// Forgets every prepared statement, which the server is about to do as well.
    mutating func forgetStatements() {
        cache.removeAll()
        hasOrphans = false
    }

    /// Lets libpq write what it has buffered; what the socket doesn't take now, it takes when it is writable.
    mutating func flush() {
        guard let handle, let token else { return }
        switch PQflush(handle) {
        case 0 where isWaitingToWrite: isWaitingToWrite = false
        case 1 where !isWaitingToWrite: isWaitingToWrite = true
        case -1: return close(connectionError())
        default: return
        }
        loop.update(socket, token: token, interest: interest)
        // What was written may also have been the COPY itself, which the server hasn't begun yet.
        if !isWaitingToWrite, inFlight.first?.copying == .in { copyWriter?.becomeReady() }
    }

    var interest: Interest {
        var interest: Interest = isHeldUp ? [] : .readable
        if isWaitingToWrite { interest.insert(.writable) }
        return interest
    }
}
