/// Which connections there are and who waits for one: a plain value without clock, lock or socket, so that
/// its rules can be read and tested by themselves. What has to be done is returned, and done outside of the
/// lock.
struct PoolState: Sendable {
    struct Waiter: Sendable {
        let id: UInt64
        let deadline: Instant
        let continuation: CheckedContinuation<Backend, any Error>
    }

    /// What follows from a change.
    struct Effects: Sendable {
        var resume: [(CheckedContinuation<Backend, any Error>, Result<Backend, any Error>)] = []
        /// Connections to close.
        var close: [Backend] = []
        /// How many connections to open.
        var open = 0
        /// When to look for waiters whose time is over.
        var expireAt: Instant?
        /// Those who wait for the pool to be empty.
        var drained: [CheckedContinuation<Void, Never>] = []
    }

    let configuration: PGConfiguration
    /// Free connections; the one that was used last comes first, so that a quiet pool uses few.
    private var idle: [Backend] = []
    private var leased: [ObjectIdentifier: Backend] = [:]
    private var connecting = 0
    private var waiters: [Waiter] = []
    private(set) var isClosing = false
    private var drainWaiters: [CheckedContinuation<Void, Never>] = []
    private var hasTimer = false

    /// Why there is no database, as long as new attempts would only burden it.
    private var failure: (error: any Error, until: Instant)?
    private var failures = 0

    init(_ configuration: PGConfiguration) {
        self.configuration = configuration
    }

    var waiting: Int { waiters.count }
    var isSaturated: Bool { leased.count >= configuration.maximumConnections }
    private var open: Int { idle.count + leased.count }

    // MARK: Acquiring

    /// A free connection if there is one and nobody waits already; nil means to wait.
    mutating func takeIdle(at now: Instant, _ effects: inout Effects) throws -> Backend? {
        if isClosing { throw PGError(.poolClosed, "the pool is closed") }
        guard waiters.isEmpty else { return nil }
        while let backend = idle.popLast() {
            if backend.isClosed { continue }
            if backend.expiry <= now {
                effects.close.append(backend)
                continue
            }
            leased[ObjectIdentifier(backend)] = backend
            return backend
        }
        return nil
    }

    /// Puts a waiter at the end of the queue. It is told at once when the queue is full, or when the database
    /// has been unreachable a moment ago.
    mutating func enqueue(_ waiter: Waiter, at now: Instant) -> Effects {
        var effects = Effects()
        do {
            if let backend = try takeIdle(at: now, &effects) {
                effects.resume.append((waiter.continuation, .success(backend)))
            } else if waiters.count >= configuration.maximumWaiters {
                throw PGError(.poolExhausted, "\(waiters.count) tasks wait for a connection already")
            } else if let failure, now < failure.until, open + connecting == 0 {
                throw failure.error
            } else {
                waiters.append(waiter)
                if !hasTimer {
                    hasTimer = true
                    effects.expireAt = waiters[0].deadline
                }
                openMore(&effects)
            }
        } catch {
            effects.resume.append((waiter.continuation, .failure(error)))
        }
        return effects
    }

    /// Takes a waiter out of the queue whose task was cancelled.
    mutating func cancel(_ id: UInt64) -> Effects {
        var effects = Effects()
        if let index = waiters.firstIndex(where: { $0.id == id }) {
            effects.resume.append((waiters.remove(at: index).continuation, .failure(CancellationError())))
        }
        return effects
    }

    /// Fails those whose time is over. They stand in the order of their deadlines.
    mutating func expire(at now: Instant) -> Effects {
        var effects = Effects()
        let expired = waiters.prefix { $0.deadline <= now }
        waiters.removeFirst(expired.count)
        let error = PGError(.poolTimeout, "no connection became free within \(configuration.acquireTimeout)")
        effects.resume = expired.map { ($0.continuation, .failure(error)) }
        hasTimer = !waiters.isEmpty
        effects.expireAt = waiters.first?.deadline
        return effects
    }

    // MARK: Connecting

    mutating func connected(_ backend: Backend) -> Effects {
        connecting -= 1
        failures = 0
        failure = nil
        var effects = Effects()
        leased[ObjectIdentifier(backend)] = backend
        hand(over: backend, &effects)
        return effects
    }

    /// If nothing is left that could serve them, everybody who waits learns the reason now rather than at the
    /// end of their time.
    ///
    /// - Parameter jitter: between 0 and 1; spreads the next attempts of several clients.
    mutating func connectFailed(_ error: any Error, at now: Instant, jitter: Double) -> Effects {
        connecting -= 1
        failures = min(failures + 1, 5)
        let pause = Double(25 << failures) * (0.5 + jitter / 2)
        failure = (error, now + .milliseconds(Int64(pause)))
        var effects = Effects()
        if open + connecting == 0 {
            effects.resume = waiters.map { ($0.continuation, .failure(error)) }
            waiters = []
        }
        finishDraining(&effects)
        return effects
    }

    // MARK: Releasing

    /// Takes a connection back, and gives it to the first who waits.
    ///
    /// - Parameter isClean: false if it must not be used again.
    mutating func release(_ backend: Backend, isClean: Bool, at now: Instant) -> Effects {
        var effects = Effects()
        if isClean, !isClosing, !backend.isClosed, backend.expiry > now {
            hand(over: backend, &effects)
        } else {
            leased[ObjectIdentifier(backend)] = nil
            effects.close.append(backend)
            if !isClosing { openMore(&effects) }
            finishDraining(&effects)
        }
        return effects
    }

    /// Puts a new connection in the place of a leased one that was found dead.
    mutating func replace(_ dead: Backend, with backend: Backend) {
        leased[ObjectIdentifier(dead)] = nil
        leased[ObjectIdentifier(backend)] = backend
    }

    /// A connection has died; one that is leased is dealt with when it is released.
    mutating func lost(_ backend: Backend) {
        idle.removeAll { $0 === backend }
    }

    private mutating func hand(over backend: Backend, _ effects: inout Effects) {
        if isClosing {
            leased[ObjectIdentifier(backend)] = nil
            effects.close.append(backend)
            finishDraining(&effects)
        } else if waiters.isEmpty {
            leased[ObjectIdentifier(backend)] = nil
            idle.append(backend)
            openMore(&effects)
        } else {
            effects.resume.append((waiters.removeFirst().continuation, .success(backend)))
        }
    }

    private mutating func openMore(_ effects: inout Effects) {
        let wanted = max(waiters.count - connecting, configuration.minimumConnections - open - connecting)
        let room = max(configuration.maximumConnections, 1) - open - connecting
        effects.open = max(0, min(wanted, room))
        connecting += effects.open
    }

    // MARK: Closing

    /// Lets nobody in any more, and closes what is free.
    mutating func beginClosing() -> Effects {
        var effects = Effects()
        isClosing = true
        let error = PGError(.poolClosed, "the pool is closed")
        effects.resume = waiters.map { ($0.continuation, .failure(error)) }
        waiters = []
        effects.close = idle
        idle = []
        return effects
    }

    /// Waits until the last leased connection is back.
    mutating func drain(_ waiter: CheckedContinuation<Void, Never>) -> Effects {
        var effects = Effects()
        drainWaiters.append(waiter)
        finishDraining(&effects)
        return effects
    }

    /// Gives up waiting, and closes what hasn't come back.
    mutating func giveUpDraining() -> Effects {
        let effects = Effects(close: Array(leased.values), drained: drainWaiters)
        drainWaiters = []
        return effects
    }

    private mutating func finishDraining(_ effects: inout Effects) {
        guard isClosing, leased.isEmpty, connecting == 0 else { return }
        effects.drained += drainWaiters
        drainWaiters = []
    }
}
