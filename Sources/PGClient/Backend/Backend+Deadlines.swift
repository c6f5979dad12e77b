import CLibpq

extension Backend {
    /// How long a cancelled statement may take to end before its connection is closed instead.
    private static let drainTime = Duration.seconds(1)

    /// A handle that only cancels. libpq allows it to be used on any thread, and it is used on one: hence
    /// `@unchecked`.
    private struct CancelHandle: @unchecked Sendable {
        let handle: OpaquePointer

        /// Connects to the server and asks it to cancel. Blocks.
        func send() {
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { message in
                _ = PQcancel(handle, message.baseAddress, 256)
            }
            PQfreeCancel(handle)
        }
    }

    // MARK: Cancelling

    /// Asks the server to cancel what it does for that segment, if it still does. The segment's outcome is
    /// held back until the call has returned *and* the segment has ended; if that takes too long the
    /// connection is closed. So a late cancel has nobody else to hit.
    func cancel(_ id: UInt64) {
        guard let handle, let segment = inFlight.first(where: { $0.id == id }), !segment.isCancelled else {
            return
        }
        segment.isCancelled = true
        guard let request = PQgetCancel(handle).map(CancelHandle.init) else {
            return close(connectionError())
        }
        cancelCalls += 1
        let deadline = Instant.now + Self.drainTime
        cancelDeadline = min(cancelDeadline ?? deadline, deadline)
        arm(deadline)
        Blocking.run { [reactor] in
            request.send()
            reactor.execute { self.assumeIsolated { $0.cancelReturned() } }
        }
    }

    private func cancelReturned() {
        cancelCalls -= 1
        guard cancelCalls == 0 else { return }
        for segment in cancelling { segment.finish(segment.naturalOutcome) }
        cancelling = []
        if !inFlight.contains(where: \.isCancelled) { cancelDeadline = nil }
    }

    /// Asks the server to stop what a connection is at that is about to be closed. Nobody waits for it.
    private func abandon() {
        guard let handle, let request = PQgetCancel(handle).map(CancelHandle.init) else { return }
        Blocking.run { request.send() }
    }

    // MARK: Deadlines

    /// Makes sure that the deadlines are looked at by then. Most are over long before: they are looked at and
    /// not withdrawn, so a busy connection has one timer and not one per statement.
    func arm(_ deadline: Instant) {
        if let nextTimer, nextTimer <= deadline { return }
        nextTimer = deadline
        reactor.execute(at: deadline) { self.assumeIsolated { $0.checkDeadlines(deadline) } }
    }

    private func checkDeadlines(_ timer: Instant) {
        if nextTimer == timer { nextTimer = nil }
        let now = Instant.now
        if let opening, opening.deadline <= now {
            failOpening(PGError(.connectTimeout, "not connected within \(configuration.connectTimeout)"))
        }
        if let cancelDeadline, cancelDeadline <= now {
            close(PGError(.connection, "a cancelled statement didn't end within \(Self.drainTime)"))
        }
        if let first = inFlight.first, first.deadline <= now {
            abandon()
            close(PGError(.statementTimeout, "no result within \(configuration.statementTimeout)"))
        }
        if let next = [opening?.deadline, cancelDeadline, inFlight.first?.deadline].compactMap(\.self).min() {
            arm(next)
        }
    }
}
