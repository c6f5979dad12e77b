import CLibpq

extension Pipeline {
    // MARK: Cancelling

    /// How long a cancelled statement may take to end before its connection is closed instead.
    static let drainTime = Duration.seconds(1)

    /// A handle that only cancels.
    struct CancelCall: Sendable {
        /// Safe: libpq allows a PGcancel to be used on any thread, and only the one that calls `send`, once,
        /// uses it.
        fileprivate nonisolated(unsafe) let handle: OpaquePointer
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
    mutating func cancel(_ request: Request) {
        if let index = queue.firstIndex(where: { $0 === request }) {
            queue.remove(at: index)
            return effects.answered.append(.init(request: request, outcome: Outcome(failure: .cancelled)))
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

    mutating func cancelFirst() {
        // The server may be busy with what it has of the data, or not be there.
        if inFlight[0].copying == .in { endCopy(failure: "cancelled") }
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

    mutating func cancelReturned() {
        cancelCalls -= 1
        guard cancelCalls == 0 else { return }
        effects.answered += cancelling.map { .init(request: $0, outcome: Outcome(failure: .cancelled)) }
        cancelling = []
        if inFlight.first?.isCancelled != true { cancelDeadline = nil }
        startNext()
    }

    /// Asks the server to stop what a connection is at that is about to be closed. Nobody waits for it.
    mutating func abandon() {
        guard let handle, let call = PQgetCancel(handle) else { return }
        effects.cancelCalls.append(CancelCall(handle: call, isAwaited: false))
    }

    // MARK: Deadlines

    /// Makes sure that the deadlines are looked at by then. Most are over long before: they are looked at and
    /// not withdrawn, so a busy connection has one timer and not one per statement.
    mutating func arm(_ deadline: Instant) {
        if let nextTimer, nextTimer <= deadline { return }
        // A timer keeps its connection, also one that is closed, and a statement may be given any time.
        let time = min(deadline, .now + .seconds(60))
        nextTimer = time
        effects.timer = time
    }

    /// Counts the time of the segment that is under way anew.
    mutating func extendDeadline() {
        guard !inFlight.isEmpty else { return }
        inFlight[0].deadline = .now + configuration.statementTimeout
    }

    mutating func checkDeadlines(_ timer: Instant) {
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
}
