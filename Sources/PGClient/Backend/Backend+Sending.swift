import CLibpq

extension Backend {
    /// Sends the statements in one go and waits until the server has answered all of them, or has refused one
    /// and skipped the rest.
    ///
    /// - Parameter cancellable: whether cancelling the task cancels the statements in the server.
    func send(_ statements: [Statement], cancellable: Bool = true) async -> Outcome {
        guard let segment = begin(statements) else {
            return Outcome(failure: .lost(connectionError(), answered: false))
        }
        return await outcome(of: segment, cancellable: cancellable)
    }

    /// Sends the statements without anybody waiting. If they leave the connection inside a transaction, it is
    /// closed.
    func post(_ statements: [Statement]) {
        begin(statements)?.isDetached = true
    }

    /// Sends a text of any number of statements by the simple protocol, for which libpq has to leave the
    /// pipeline mode: so everything before it has to be over, and nothing may be sent meanwhile.
    func script(_ text: String, origin: Origin) async -> Outcome {
        if !inFlight.isEmpty {
            await withCheckedContinuation { drainWaiters.append($0) }
        }
        guard let handle else { return Outcome(failure: .lost(connectionError(), answered: false)) }
        let segment = newSegment()
        segment.steps.append((.script, origin))
        inFlight.append(segment)
        if PQexitPipelineMode(handle) == 1, PQsendQuery(handle, text) == 1 {
            flush()
        } else {
            close(connectionError())
        }
        return await outcome(of: segment, cancellable: true)
    }

    func finishScript(_ segment: Segment) {
        guard let handle, PQenterPipelineMode(handle) == 1 else { return close(connectionError()) }
        complete(segment)
    }

    /// Makes the session as if it were new, or closes it.
    func reset() async {
        var statements = [Statement(control: "DISCARD ALL")]
        if !inFlight.isEmpty {
            await withCheckedContinuation { drainWaiters.append($0) }
        }
        if isInTransaction { statements.insert(Statement(control: "ROLLBACK"), at: 0) }
        cache.removeAll()
        hasOrphans = false
        // Each in a segment of its own: DISCARD refuses to share one.
        for statement in statements {
            guard let failure = await send([statement], cancellable: false).failure else { continue }
            if case .refused(let error) = failure { close(error) }
        }
    }

    /// Notices whether the connection has died meanwhile, as far as this host knows. True when it is alive.
    func probe() -> Bool {
        receive()
        return handle != nil
    }

    /// Lets libpq write what it has buffered; what the socket doesn't take now, it takes when it is writable.
    func flush() {
        guard let handle, let token else { return }
        switch PQflush(handle) {
        case 0 where isWaitingToWrite:
            isWaitingToWrite = false
            reactor.update(socket, token: token, interest: .readable)
        case 1 where !isWaitingToWrite:
            isWaitingToWrite = true
            reactor.update(socket, token: token, interest: [.readable, .writable])
        case -1:
            close(connectionError())
        default:
            break
        }
    }

    private func begin(_ statements: [Statement]) -> Segment? {
        guard handle != nil else { return nil }
        if hasOrphans, inFlight.isEmpty, !isInTransaction { removeOrphans() }
        return write(statements)
    }

    /// In a segment of its own: if it fails, nothing else does.
    private func removeOrphans() {
        hasOrphans = false
        cache.removeAll()
        write([Statement(control: "DEALLOCATE ALL")]).isDetached = true
    }

    @discardableResult
    private func write(_ statements: [Statement]) -> Segment {
        let segment = newSegment()
        inFlight.append(segment)
        for statement in statements {
            guard let handle else { return segment }
            if !write(statement, to: handle, segment) { close(connectionError()) }
        }
        guard let handle else { return segment }
        if PQpipelineSync(handle) == 1 {
            flush()
        } else {
            close(connectionError())
        }
        return segment
    }

    private func write(_ statement: Statement, to handle: OpaquePointer, _ segment: Segment) -> Bool {
        let sql = statement.sql
        guard statement.prepares, configuration.preparesStatements else {
            segment.steps.append((.execute, statement.origin))
            return sql.send(to: handle)
        }
        let key = StatementCache.Key(text: sql.text, types: sql.parameters.map(\.type))
        let name: String
        switch cache.use(key) {
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
        segment.steps.append((.execute, statement.origin))
        return sql.send(to: handle, prepared: name)
    }

    private func newSegment() -> Segment {
        segments += 1
        let segment = Segment(id: segments, deadline: .now + configuration.statementTimeout)
        arm(segment.deadline)
        return segment
    }

    private func outcome(of segment: Segment, cancellable: Bool) async -> Outcome {
        guard cancellable else { return await ending(of: segment) }
        let id = segment.id
        return await withTaskCancellationHandler {
            await self.ending(of: segment)
        } onCancel: {
            reactor.execute { self.assumeIsolated { $0.cancel(id) } }
        }
    }

    /// A method of its own rather than a closure above: only what names the actor runs on it.
    private func ending(of segment: Segment) async -> Outcome {
        await withCheckedContinuation { segment.wait($0) }
    }
}

extension SQL {
    /// Why the statement can't be sent at all, if it can't: libpq would cut the text at a NUL.
    func validate(_ origin: Origin) throws {
        if parameters.count > 65_535 {
            throw PGError(
                .invalidStatement,
                "\(parameters.count) parameters, and the protocol allows 65535",
                origin
            )
        }
        if text.utf8.contains(0) { throw PGError(.invalidStatement, "the text contains a NUL", origin) }
    }

    fileprivate func prepare(as name: String, on handle: OpaquePointer) -> Bool {
        let types = parameters.map { Oid($0.type.oid) }
        return PQsendPrepare(handle, name, text, Int32(types.count), types) == 1
    }

    /// Sends the statement with its parameters, in binary both ways.
    fileprivate func send(to handle: OpaquePointer, prepared name: String? = nil) -> Bool {
        let count = parameters.count
        return buffer.bytes.withUnsafeBytes { bytes in
            // A value of no bytes needs an address too, or it would be NULL.
            let base = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)
            let values = parameters.map { parameter in
                parameter.range.flatMap {
                    base?.advanced(by: $0.lowerBound).assumingMemoryBound(to: CChar.self)
                }
            }
            let lengths = parameters.map { Int32(truncatingIfNeeded: $0.range?.count ?? 0) }
            let formats = [Int32](repeating: 1, count: count)
            if let name {
                return PQsendQueryPrepared(handle, name, Int32(count), values, lengths, formats, 1) == 1
            }
            let types = parameters.map { Oid($0.type.oid) }
            return PQsendQueryParams(handle, text, Int32(count), types, values, lengths, formats, 1) == 1
        }
    }
}
