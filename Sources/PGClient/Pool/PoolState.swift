/// The bounds that a pool keeps.
struct PoolBounds: Sendable {
    var minimum = 0
    var maximum = 8
    var maximumWaiters = 1024
    var acquireTimeout = Duration.seconds(2)
    /// Give or take a tenth, so that connections that were opened together aren't all replaced together.
    var maximumLifetime = Duration.seconds(1800)
    var idleTimeout = Duration.seconds(300)
}

/// Why a connection is closed by its pool.
enum DiscardReason: String, Sendable, CaseIterable {
    /// It has died, or the server has closed it.
    case lost
    /// It has reached its age.
    case expired
    /// There was nothing to do for it.
    case idle
    /// It came back inside a transaction, or with a cancel under way.
    case dirty
    /// The pool is closed.
    case closing
}

/// Which connections there are and who waits for one: a plain value without clock, lock or socket, so that its
/// rules can be read, and tested by schedules that no real pool would meet in years. What has to be done is
/// returned, and done outside of the lock.
///
/// Whatever happens, a waiter is answered exactly once: with a connection, or with an error no later than at
/// its deadline, provided that ``tick(at:)`` is called when ``Effects/timer`` says so.
struct PoolState<Connection: AnyObject & Sendable, Waiter: AnyObject & Sendable>: Sendable {
    /// What follows from a change.
    struct Effects: Sendable {
        var assigned: Assignment?
        var failed: [(waiter: Waiter, error: PGError)] = []
        var close: [(connection: Connection, reason: DiscardReason)] = []
        /// How many connections to open.
        var open = 0
        /// When to call ``PoolState/tick(at:)``, unless it was said before and hasn't happened yet.
        var timer: Instant?
        /// The last connection is gone after the pool was closed.
        var isDrained = false
    }

    /// Who gets which connection.
    struct Assignment: Sendable {
        let waiter: Waiter
        let connection: Connection
    }

    private struct Member: Sendable {
        let connection: Connection
        let expiry: Instant
    }

    private struct Idle: Sendable {
        let connection: Connection
        let since: Instant
        let expiry: Instant
    }

    private struct Waiting: Sendable {
        let waiter: Waiter
        let deadline: Instant
    }

    private struct Breaker: Sendable {
        var error: PGError
        /// Until then nobody tries to connect.
        var until: Instant
    }

    let bounds: PoolBounds
    private var members: [ObjectIdentifier: Member] = [:]
    /// Free connections; the one that was used last is at the end, so that a quiet pool uses few.
    private var idle: [Idle] = []
    private var connecting = 0
    private var waiters: [Waiting] = []
    private(set) var isClosing = false
    private var isDrained = false
    private var timer: Instant?
    private var random: SplitMix64

    /// Set while the last attempt to connect has failed.
    private var breaker: Breaker?
    private var failures = 0

    init(_ bounds: PoolBounds, seed: UInt64) {
        self.bounds = bounds
        random = SplitMix64(state: seed)
    }

    var waiting: Int { waiters.count }
    var leased: Int { members.count - idle.count }
    /// Connections that there are or will be in a moment.
    var total: Int { members.count + connecting }

    // MARK: Acquiring

    /// Opens what is to be there before anybody asks.
    mutating func start(at now: Instant) -> Effects {
        var effects = Effects()
        openMore(at: now, &effects)
        setTimer(of: &effects, at: now)
        return effects
    }

    /// Gives a connection, or puts the waiter at the end of the line.
    mutating func acquire(_ waiter: Waiter, at now: Instant) -> Effects {
        var effects = Effects()
        if isClosing {
            effects.failed = [(waiter, Self.closedError)]
        } else if waiters.isEmpty, let connection = takeIdle(at: now, &effects) {
            effects.assigned = Assignment(waiter: waiter, connection: connection)
        } else if waiters.count >= bounds.maximumWaiters {
            effects.failed = [
                (waiter, PGError(.poolExhausted, "\(waiters.count) tasks wait for a connection already"))
            ]
        } else if let breaker, now < breaker.until, total == 0 {
            effects.failed = [(waiter, breaker.error)]
        } else {
            waiters.append(Waiting(waiter: waiter, deadline: now + bounds.acquireTimeout))
        }
        // Also when somebody was served: what was found too old meanwhile may have been of the minimum.
        openMore(at: now, &effects)
        setTimer(of: &effects, at: now)
        return effects
    }

    /// Takes a waiter out of the line whose task was cancelled. False when it doesn't stand there.
    mutating func cancel(_ waiter: Waiter) -> Bool {
        guard let index = waiters.firstIndex(where: { $0.waiter === waiter }) else { return false }
        waiters.remove(at: index)
        return true
    }

    private mutating func takeIdle(at now: Instant, _ effects: inout Effects) -> Connection? {
        while let free = idle.popLast() {
            if free.expiry > now { return free.connection }
            members[ObjectIdentifier(free.connection)] = nil
            effects.close.append((free.connection, .expired))
        }
        return nil
    }

    // MARK: Time

    /// Does what is due: fails those whose time is over, closes what has been idle or alive for too long, and
    /// tries again to connect.
    mutating func tick(at now: Instant) -> Effects {
        var effects = Effects()
        if let timer, timer <= now { self.timer = nil }
        // They stand in the order of their deadlines.
        let late = waiters.prefix { $0.deadline <= now }
        waiters.removeFirst(late.count)
        let error = PGError(.poolTimeout, "no connection became free within \(bounds.acquireTimeout)")
        effects.failed = late.map { ($0.waiter, error) }
        trimIdle(at: now, &effects)
        openMore(at: now, &effects)
        setTimer(of: &effects, at: now)
        return effects
    }

    private mutating func trimIdle(at now: Instant, _ effects: inout Effects) {
        // The one that was used longest ago comes first.
        for free in idle {
            let isExpired = free.expiry <= now
            let isIdle = members.count > bounds.minimum && free.since + bounds.idleTimeout <= now
            guard isExpired || isIdle else { continue }
            members[ObjectIdentifier(free.connection)] = nil
            idle.removeAll { $0.connection === free.connection }
            effects.close.append((free.connection, isExpired ? .expired : .idle))
        }
    }

    /// Adds the timer to what follows, if it is to ring earlier than the one that is set.
    private mutating func setTimer(of effects: inout Effects, at now: Instant) {
        var next = waiters.first?.deadline
        if let breaker, breaker.until > now, !isClosing, !waiters.isEmpty || total < bounds.minimum {
            next = min(next ?? breaker.until, breaker.until)
        }
        // Also while another timer is set: it may be for something that is much later.
        if let time = nextTrim { next = min(next ?? time, time) }
        if let next, timer.map({ next < $0 }) ?? true {
            timer = next
            effects.timer = next
        }
    }

    /// When the first of the free connections will be too old, or will have been free for too long. They stand
    /// in the order in which they came back, which isn't that of their age.
    private var nextTrim: Instant? {
        guard let oldest = idle.first else { return nil }
        let next = idle.reduce(oldest.expiry) { min($0, $1.expiry) }
        return members.count > bounds.minimum ? min(next, oldest.since + bounds.idleTimeout) : next
    }

    // MARK: Connecting

    /// A connection was made that ``Effects/open`` had asked for.
    mutating func connected(_ connection: Connection, at now: Instant) -> Effects {
        connecting -= 1
        failures = 0
        breaker = nil
        let lifetime =
            Double(bounds.maximumLifetime.nanoseconds) * Double.random(in: 0.9...1.1, using: &random)
        let expiry = now + .nanoseconds(Int64(min(lifetime, 9e18)))
        members[ObjectIdentifier(connection)] = Member(connection: connection, expiry: expiry)
        var effects = Effects()
        hand(over: connection, at: now, &effects)
        // While nothing was known of the database, only one attempt was made.
        openMore(at: now, &effects)
        setTimer(of: &effects, at: now)
        return effects
    }

    /// A connection could not be made. If nothing is left that could serve them, everybody who waits learns
    /// the reason now rather than at the end of their time.
    ///
    /// The next attempt is made after a pause with full jitter (AWS, "Exponential Backoff And Jitter"): several
    /// clients that have lost the same server don't come back in step.
    mutating func connectFailed(_ error: PGError, at now: Instant) -> Effects {
        connecting -= 1
        failures = min(failures + 1, 6)
        let ceiling = 25 << failures
        breaker = Breaker(
            error: error,
            until: now + .milliseconds(Int.random(in: 1...ceiling, using: &random))
        )
        var effects = Effects()
        if total == 0 {
            effects.failed = waiters.map { ($0.waiter, error) }
            waiters = []
        }
        finishDraining(&effects)
        setTimer(of: &effects, at: now)
        return effects
    }

    /// As many as are waited for and as there is room for; one at a time while the database seems to be away.
    private mutating func openMore(at now: Instant, _ effects: inout Effects) {
        guard !isClosing else { return }
        let wanted = max(waiters.count - connecting, bounds.minimum - total)
        var room = max(bounds.maximum, 1) - total
        if let breaker { room = min(room, now < breaker.until ? 0 : 1 - connecting) }
        let count = max(0, min(wanted, room))
        effects.open += count
        connecting += count
    }

    // MARK: Releasing

    /// Takes a connection back, and gives it to the first who waits.
    ///
    /// - Parameter isClean: false if it must not be used again.
    mutating func release(_ connection: Connection, isClean: Bool, at now: Instant) -> Effects {
        var effects = Effects()
        let id = ObjectIdentifier(connection)
        // One that has died meanwhile isn't known any more.
        guard let member = members[id] else { return effects }
        if isClosing {
            discard(connection, .closing, at: now, &effects)
        } else if !isClean {
            discard(connection, .dirty, at: now, &effects)
        } else if member.expiry <= now {
            discard(connection, .expired, at: now, &effects)
        } else {
            hand(over: connection, at: now, &effects)
        }
        setTimer(of: &effects, at: now)
        return effects
    }

    /// A connection has died.
    mutating func lost(_ connection: Connection, at now: Instant) -> Effects {
        var effects = Effects()
        guard members.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return effects }
        idle.removeAll { $0.connection === connection }
        effects.close = [(connection, .lost)]
        openMore(at: now, &effects)
        finishDraining(&effects)
        setTimer(of: &effects, at: now)
        return effects
    }

    private mutating func discard(
        _ connection: Connection,
        _ reason: DiscardReason,
        at now: Instant,
        _ effects: inout Effects
    ) {
        members[ObjectIdentifier(connection)] = nil
        effects.close.append((connection, reason))
        openMore(at: now, &effects)
        finishDraining(&effects)
    }

    private mutating func hand(over connection: Connection, at now: Instant, _ effects: inout Effects) {
        if isClosing {
            discard(connection, .closing, at: now, &effects)
        } else if waiters.isEmpty {
            let expiry = members[ObjectIdentifier(connection)]?.expiry ?? now
            idle.append(Idle(connection: connection, since: now, expiry: expiry))
        } else {
            effects.assigned = Assignment(waiter: waiters.removeFirst().waiter, connection: connection)
        }
    }

    // MARK: Closing

    /// Lets nobody in any more, and closes what is free.
    mutating func beginClosing() -> Effects {
        var effects = Effects()
        isClosing = true
        effects.failed = waiters.map { ($0.waiter, Self.closedError) }
        waiters = []
        for free in idle {
            members[ObjectIdentifier(free.connection)] = nil
            effects.close.append((free.connection, .closing))
        }
        idle = []
        finishDraining(&effects)
        return effects
    }

    /// Gives up waiting for what is leased, and closes it.
    mutating func giveUpDraining() -> Effects {
        var effects = Effects()
        effects.close = members.values.map { ($0.connection, .closing) }
        members = [:]
        connecting = 0
        finishDraining(&effects)
        return effects
    }

    private mutating func finishDraining(_ effects: inout Effects) {
        guard isClosing, !isDrained, members.isEmpty, connecting <= 0 else { return }
        isDrained = true
        effects.isDrained = true
    }

    private static var closedError: PGError { PGError(.poolClosed, "the pool is closed") }
}

/// A small generator of random numbers whose sequence is known from its seed (Steele, Lea, Flood: "Fast
/// splittable pseudorandom number generators", 2014).
struct SplitMix64: RandomNumberGenerator, Sendable {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
