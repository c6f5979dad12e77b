import CLibpq

extension Pipeline {
    /// Takes in what has arrived and hands out what is complete.
    mutating func receive() {
        guard handle != nil else { return }
        if isWaitingToWrite { flush() }
        // What a reader was too slow for is still in libpq's buffer, which would only grow by more.
        if isHeldUp { handOut() }
        if !isReaderBehind {
            if !hasEnded, !consume() { hasEnded = true }
            handOut()
        }
        passRows()
        guard let handle else { return }
        holdUp(isReaderBehind)
        if isHeldUp { return }
        if hasEnded || PQstatus(handle) != CONNECTION_OK { return close(connectionError()) }
        takeNotifications(handle)
    }

    mutating func takeNotifications(_ handle: OpaquePointer) {
        while let notification = PQnotifies(handle) {
            onNotification?(PGNotification(notification.pointee))
            PQfreemem(notification)
        }
    }

    /// Goes on reading once the reader of a stream has caught up.
    mutating func readOn() {
        guard isHeldUp, !inFlight.isEmpty else { return }
        inFlight[0].isHeldUp = inFlight[0].isReaderBehind
        receive()
    }

    mutating func holdUp(_ isHeldUp: Bool) {
        guard isHeldUp != self.isHeldUp else { return }
        self.isHeldUp = isHeldUp
        if let token { loop.update(socket, token: token, interest: interest) }
        extendDeadline()
    }

    mutating func unwatch() {
        if let token { loop.unwatch(socket, token: token) }
        token = nil
    }

    /// Reads from the socket into libpq's buffer. False when the connection is dead; what came before it died
    /// can still be handed out.
    mutating func consume() -> Bool {
        guard let handle else { return false }
        // Only a result that didn't arrive in one piece is worth a look at how large it becomes.
        let isWatched = !inFlight.isEmpty && inFlight[0].isArriving
        let before = isWatched ? Int(pgc_socket_pending(socket)) : 0
        guard PQconsumeInput(handle) == 1 else { return false }
        // OpenSSL may hold decrypted bytes, for which the socket will not become readable again.
        var pending = pgc_tls_pending(handle)
        while pending != 0 {
            guard PQconsumeInput(handle) == 1 else { return false }
            pending = pending < 0 ? 0 : pgc_tls_pending(handle)
        }
        guard !inFlight.isEmpty else { return true }
        // During a COPY libpq is never busy; how much there is of a row is looked at when it is taken.
        let isCopyingOut = inFlight[0].copying == .out
        inFlight[0].isArriving = isCopyingOut || PQisBusy(handle) == 1
        guard isWatched, inFlight[0].isArriving else { return true }
        // libpq doesn't tell how much it has read: usually what its buffer of 16 kB takes, or one TLS record,
        // which the server makes of 8 kB.
        let usual = PQsslInUse(handle) == 1 ? 8_192 : 16_384
        inFlight[0].arrived += max(min(before, usual), before - Int(pgc_socket_pending(socket)))
        guard !isCopyingOut, inFlight[0].arrived / 2 > configuration.maximumResultBytes else { return true }
        inFlight[0].note(tooLarge(inFlight[0].current?.statement.origin))
        return false
    }

    /// Hands out every result that is complete. `PQgetResult` is never asked while it would block.
    mutating func handOut() {
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
    mutating func askForSingleRows() {
        if let handle, !inFlight.isEmpty, inFlight[0].current?.action == .rows { PQsetSingleRowMode(handle) }
    }

    /// Keeps a row until there are enough of them, or no more for now: each change of threads is to be worth it.
    mutating func takeRow(_ row: OpaquePointer) {
        guard PQresultMemorySize(row) <= configuration.maximumResultBytes else {
            PQclear(row)
            inFlight[0].note(tooLarge(inFlight[0].request.work.origin))
            return close(connectionError())
        }
        rows.append(row, origin: inFlight[0].request.work.origin)
        if rows.size >= 64 << 10 { passRows() }
    }

    mutating func passRows() {
        effects.traffic.received += rows.size
        guard let batch = rows.take() else { return }
        if case .rows(_, let buffer) = inFlight[0].request.work, !inFlight[0].isCancelled {
            buffer.push(batch, bytes: batch.footprint)
            inFlight[0].isHeldUp = buffer.isFull
            // What nobody reads any more has to be over in time.
            if !buffer.isAbandoned { extendDeadline() }
        }
    }

    mutating func take(_ result: OpaquePointer) {
        let status = PQresultStatus(result)
        if status == PGRES_SINGLE_TUPLE { return takeRow(result) }
        passRows()
        if status == PGRES_PIPELINE_SYNC {
            PQclear(result)
            return complete()
        }
        let current = inFlight[0].current
        var origin: Origin { current?.statement.origin ?? Origin(text: [], file: #fileID, line: #line) }
        switch status {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
            let size = PQresultMemorySize(result)
            effects.traffic.received += size
            // In a transaction that has failed nothing works but what ends it, or goes back to a savepoint.
            if status != PGRES_EMPTY_QUERY, current?.action != .prepare { transactionError = FirstError() }
            let isLast = inFlight[0].position == inFlight[0].steps.count - 1
            // Of others it is dropped, and what they did may be committed by what follows.
            if size > configuration.maximumResultBytes, isLast || current?.action == .keep {
                inFlight[0].note(tooLarge(origin))
            }
            switch current?.action {
            case .rows:
                PQclear(result)
            case .copyIn, .copyOut:
                let result = PGResult(result, origin: origin)
                if !result.commandTag.hasPrefix("COPY") {
                    inFlight[0].note(PGError(.invalidStatement, "the statement isn't a COPY", origin))
                }
                inFlight[0].result = result
            case .execute where isLast:
                noteForgotten(result)
                inFlight[0].result = PGResult(result, origin: origin)
            case .keep:
                noteForgotten(result)
                inFlight[0].kept.append(PGResult(result, origin: origin))
            case .execute, .script:
                noteForgotten(result)
                PQclear(result)
            default:
                PQclear(result)
            }
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
            PQclear(result)
            if beginCopying(status) { return }
            inFlight[0].note(PGError(.invalidStatement, "COPY can't be run as a statement", origin))
            close(PGError(.connection, "closed to end a COPY", origin))
        default:
            // After a FATAL error libpq makes up a second one when the socket closes: the first says why.
            let error = PGError(result, origin: origin)
            inFlight[0].note(error)
            transactionError.note(error)
            if let current { noteFailed(current) }
            PQclear(result)
        }
    }

    /// Believes no longer in statements that the session has just been told to forget: what ends the
    /// transaction is among them.
    mutating func noteForgotten(_ result: OpaquePointer) {
        guard let tag = PQcmdStatus(result), tag[0] == CChar(UInt8(ascii: "D")) else { return }
        if ["DEALLOCATE ALL", "DISCARD ALL"].contains(String(cString: tag)) {
            cache.removeAll()
            // Something may have been prepared after it.
            hasOrphans = true
        }
    }

    /// What was to be prepared isn't there, and what was to be removed, and is forgotten here already, still is.
    mutating func noteFailed(_ step: Segment.Step) {
        switch step.action {
        case .prepare: cache.remove(step.statement.key)
        case .deallocate: hasOrphans = true
        default: break
        }
    }

    mutating func complete() {
        if let error = inFlight[0].error, inFlight[0].hasFailedBefore {
            let reason = "the transaction before could not be ended: \(error.description)"
            return close(PGError(.connection, reason))
        }
        // Most often it is the only one, which needn't be moved past any other.
        let segment = inFlight.count == 1 ? inFlight.removeLast() : inFlight.removeFirst()
        if !segment.request.isDetached { effects.traffic.roundTrips += 1 }
        if let error = segment.error, error.isStaleStatement, !segment.isSkipped(after: transactionError) {
            cache.removeAll()
            hasOrphans = true
        }
        if segment.isCancelled, cancelCalls > 0 {
            cancelling.append(segment.request)
        } else {
            effects.answered.append(
                .init(request: segment.request, outcome: segment.outcome(after: transactionError))
            )
        }
        if cancelCalls == 0 { cancelDeadline = nil }
        if inFlight.isEmpty, segment.request.isDetached, isInTransaction {
            return close(PGError(.connection, "the connection was left in a transaction"))
        }
        // What had to wait for its turn has all of its time.
        extendDeadline()
        askForSingleRows()
        if !inFlight.isEmpty, inFlight[0].isCancelled { cancelFirst() }
        startNext()
    }

    func tooLarge(_ origin: Origin?) -> PGError {
        PGError(
            .resultTooLarge,
            "the result takes more than \(configuration.maximumResultBytes) bytes",
            origin
        )
    }
}
