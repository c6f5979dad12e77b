import CLibpq

extension Pipeline {
    var copyWriter: CopyWriter? {
        if case .copyIn(_, let writer)? = inFlight.first?.request.work { writer } else { nil }
    }

    mutating func beginCopying(_ status: ExecStatusType) -> Bool {
        switch (status, inFlight[0].request.work) {
        case (PGRES_COPY_OUT, .copyOut):
            inFlight[0].copying = .out
        case (PGRES_COPY_IN, .copyIn(_, let writer)):
            inFlight[0].copying = .in
            if inFlight[0].isCancelled {
                endCopy(failure: "cancelled")
            } else if writer.isFinished {
                endCopy(failure: "there is no data for a second COPY")
            } else {
                writer.becomeReady()
            }
        default:
            return false
        }
        return true
    }

    /// Takes a row of a COPY. False when it hasn't all arrived yet, or is too large.
    mutating func takeCopyData(_ handle: OpaquePointer) -> Bool {
        var data: UnsafeMutablePointer<CChar>?
        let count = Int(PQgetCopyData(handle, &data, 1))
        defer { PQfreemem(data) }
        let size = count == 0 ? inFlight[0].arrived / 2 : count
        guard size <= configuration.maximumResultBytes else {
            inFlight[0].note(tooLarge(inFlight[0].current?.statement.origin))
            close(connectionError())
            return false
        }
        if count == 0 { return false }
        inFlight[0].arrived = 0
        guard count > 0, let data else {
            // It is over, well or with an error, which the next result tells.
            inFlight[0].copying = nil
            return true
        }
        if case .copyOut(_, let buffer) = inFlight[0].request.work, !inFlight[0].isCancelled {
            buffer.push(Array(UnsafeRawBufferPointer(start: data, count: count)), bytes: count)
            inFlight[0].isHeldUp = buffer.isFull
            if !buffer.isAbandoned { extendDeadline() }
        }
        effects.traffic.received += count
        return true
    }

    /// Sends data of a COPY. Only to be called when the writer is ready.
    mutating func write(_ data: [UInt8]) {
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
    mutating func endCopy(failure: String? = nil) {
        guard let handle, inFlight.first?.copying == .in else { return }
        inFlight[0].copying = nil
        copyWriter?.finish()
        extendDeadline()
        guard PQputCopyEnd(handle, failure) == 1 else { return close(connectionError()) }
        flush()
    }
}
