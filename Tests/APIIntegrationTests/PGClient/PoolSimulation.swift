import Testing

@testable import PGClient

private typealias State = PoolState<Link, Guest>

/// A database, the tasks that use it, and their clock. What the pool asks for is done, and all that it
/// promises is checked against books that are kept here. The schedule follows from the seed.
final class PoolSimulation {
    struct Violation: Error, CustomStringConvertible {
        let description: String
    }

    private struct Attempt {
        let end: Instant
    }

    private struct Waiting {
        let guest: Guest
        let deadline: Instant
    }

    private struct Idle {
        let link: Link
        let since: Instant
    }

    /// What the pool was told, and so what it may do.
    private enum Event {
        case acquire(Guest)
        case release(Link, isClean: Bool)
        case loss(Link)
        case connected(Link)
        case tick
        case givingUp
        case other

        /// The connection that the pool may give to somebody, keep or close.
        var arrival: Link? {
            switch self {
            case .connected(let link), .release(let link, _): link
            default: nil
            }
        }
    }

    static let occasions = [
        "cancelled", "cancelled in vain", "nobody is left", "given up", "connected late", "drained by itself",
    ]
    /// The longest pause between two attempts to connect.
    private static let longestPause = Duration.milliseconds(1_600)
    /// How long an attempt takes at most when the database is well.
    private static let briskAttempt = 30

    private let seed: UInt64
    private var random: SplitMix64
    private let bounds: PoolBounds
    private var pool: State
    private var now = Instant(nanoseconds: 0)
    private var step = 0

    // The books.
    private var queue: [Waiting] = []
    private var idle: [Idle] = []
    private var lent: [Link] = []
    /// They died, or were closed, while they were lent, and somebody still has them.
    private var dead: [Link] = []
    private var attempts: [Attempt] = []
    private var timers: [Instant] = []
    /// How often each guest was answered, by number.
    private var answers: [Int] = []
    /// Why the last attempt to connect has failed, if it has.
    private var failure: String?
    private var failures = 0
    private var drained = 0

    // The world.
    private var isUp = true
    private var isBrisk = false
    private var isClosing = false
    private var hasGivenUp = false

    /// How often the pool had a reason to set a timer, and how often one has rung.
    private var reasons = 0
    private var rings = 0
    private(set) var seen: Set<String> = []

    init(seed: UInt64) {
        self.seed = seed
        random = SplitMix64(state: seed)
        var bounds = PoolBounds()
        bounds.minimum = .random(in: 0...3, using: &random)
        bounds.maximum = .random(in: 1...5, using: &random)
        bounds.maximumWaiters = .random(in: 1...6, using: &random)
        bounds.acquireTimeout = .milliseconds(Int.random(in: 50...4_000, using: &random))
        bounds.idleTimeout = .milliseconds(Int.random(in: 500...60_000, using: &random))
        bounds.maximumLifetime = .milliseconds(Int.random(in: 2_000...60_000, using: &random))
        self.bounds = bounds
        pool = State(bounds, seed: random.next())
    }

    private var minimum: Int { min(bounds.minimum, bounds.maximum) }
    private var open: Int { idle.count + lent.count }
    private var total: Int { open + attempts.count }

    private func check(_ isKept: Bool, _ promise: String) throws {
        if !isKept { throw Violation(description: "seed \(seed), step \(step), \(now): \(promise)") }
    }

    // MARK: Schedule

    func run(steps: Int) throws {
        try carryOut(pool.start(at: now), after: .other)
        let closing = Int.random(in: steps / 2...steps * 2, using: &random)
        while step < steps {
            step += 1
            if step == closing { try close() }
            try takeStep()
        }
        if !isClosing {
            try calmDown()
            try close()
        }
        try endClosing()
        try check(rings <= 2 * reasons, "the timer doesn't ring without a reason: \(rings) for \(reasons)")
    }

    private func takeStep() throws {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<28: try acquire()
        case 28..<34: try cancel()
        case 34..<58: try release()
        case 58..<63: try lose()
        case 63..<84: try pass(.milliseconds(Int.random(in: 0...40, using: &random)))
        case 84..<93: try pass(.milliseconds(Int.random(in: 0...3_000, using: &random)))
        case 93..<95: try pass(.milliseconds(Int.random(in: 0...30_000, using: &random)))
        case 95..<97: try carryOut(pool.tick(at: now), after: .tick)
        case 97: isUp.toggle()
        // The event loop is late: what is due is still to be done.
        case 98: now = now + .milliseconds(Int.random(in: 0...3_000, using: &random))
        default: if isClosing { try giveUp() }
        }
    }

    /// Everything comes back, and the database is well: then the pool is, too.
    private func calmDown() throws {
        (isUp, isBrisk) = (true, true)
        // After ten seconds the slowest attempt and the longest pause are over, and those have been served
        // who still waited.
        for _ in 0..<2 {
            while !lent.isEmpty || !dead.isEmpty { try release(isClean: true) }
            try pass(.seconds(10))
        }
        try check(total >= minimum, "the minimum is there while the database is up")
        try pass(bounds.idleTimeout)
        try check(total == minimum, "what is free is closed down to the minimum")
        try pass(.seconds(60))
    }

    /// Half of them wait until everything has come back.
    private func endClosing() throws {
        if Bool.random(using: &random), drained == 0 { try giveUp() }
        while !lent.isEmpty || !dead.isEmpty { try release() }
        // The last attempt is over then, and the last timer has rung.
        try pass(.seconds(60))
        if !hasGivenUp { seen.insert("drained by itself") }
    }

    // MARK: Events

    private func acquire() throws {
        let guest = Guest(answers.count)
        answers.append(0)
        let effects = pool.acquire(guest, at: now)
        try carryOut(effects, after: .acquire(guest))
    }

    private func cancel() throws {
        if let index = queue.indices.randomElement(using: &random), Bool.random(using: &random) {
            let guest = queue.remove(at: index).guest
            try check(pool.cancel(guest), "who waits can be cancelled")
            answers[guest.number] += 1
            seen.insert("cancelled")
        } else {
            try check(!pool.cancel(Guest()), "who doesn't wait can't be cancelled")
            seen.insert("cancelled in vain")
        }
        try audit()
    }

    private func release(isClean: Bool? = nil) throws {
        let isClean = isClean ?? (Int.random(in: 0..<5, using: &random) > 0)
        if let index = dead.indices.randomElement(using: &random), Bool.random(using: &random) || lent.isEmpty
        {
            let link = dead.remove(at: index)
            try carryOut(pool.release(link, isClean: isClean, at: now), after: .other)
        } else if let index = lent.indices.randomElement(using: &random) {
            let link = lent.remove(at: index)
            let effects = pool.release(link, isClean: isClean, at: now)
            try carryOut(effects, after: .release(link, isClean: isClean))
        }
    }

    private func lose() throws {
        let link: Link
        if let index = lent.indices.randomElement(using: &random), Bool.random(using: &random) {
            link = lent.remove(at: index)
            dead.append(link)
        } else if let index = idle.indices.randomElement(using: &random) {
            link = idle.remove(at: index).link
        } else {
            // One that the pool has never had, or not any more.
            link = dead.first ?? Link(at: now)
        }
        try carryOut(pool.lost(link, at: now), after: .loss(link))
    }

    private func close() throws {
        isClosing = true
        try carryOut(pool.beginClosing(), after: .other)
    }

    private func giveUp() throws {
        hasGivenUp = true
        seen.insert("given up")
        try carryOut(pool.giveUpDraining(), after: .givingUp)
    }

    /// Lets time pass, with all that happens meanwhile.
    private func pass(_ duration: Duration) throws {
        let end = now + duration
        while let next = nextEvent, next <= end {
            now = max(now, next)
            let attempt = attempts.firstIndex { $0.end <= now }
            let timer = timers.firstIndex { $0 <= now }
            if let attempt, timer == nil || Bool.random(using: &random) {
                attempts.remove(at: attempt)
                try finishAttempt()
            } else if let timer {
                timers.remove(at: timer)
                rings += 1
                try carryOut(pool.tick(at: now), after: .tick)
            }
        }
        now = end
    }

    private var nextEvent: Instant? {
        let end = attempts.min { $0.end < $1.end }?.end
        guard let timer = timers.min() else { return end }
        return min(end ?? timer, timer)
    }

    private func finishAttempt() throws {
        if isUp, isBrisk || Int.random(in: 0..<20, using: &random) > 0 {
            let link = Link(at: now)
            reasons += 1
            failure = nil
            if hasGivenUp { seen.insert("connected late") }
            try carryOut(pool.connected(link, at: now), after: .connected(link))
        } else {
            failures += 1
            reasons += 1
            failure = "failure \(failures)"
            let isLast = total == 0 && !queue.isEmpty
            try carryOut(
                pool.connectFailed(PGError(.connection, "failure \(failures)"), at: now),
                after: .other
            )
            guard isLast else { return }
            seen.insert("nobody is left")
            try check(queue.isEmpty, "nobody waits on when the last attempt has failed and nothing is left")
        }
    }

    // MARK: Effects

    private func carryOut(_ effects: State.Effects, after event: Event) throws {
        for (guest, error) in effects.failed { try fail(guest, error) }
        var pending = event.arrival
        for (link, reason) in effects.close {
            try close(link, reason, after: event)
            if link === pending { pending = nil }
        }
        if let (guest, link) = effects.assigned.map({ ($0.waiter, $0.connection) }) {
            if link === pending {
                pending = nil
            } else {
                try check(!lent.contains { $0 === link }, "a connection has one user at a time")
                guard let index = idle.firstIndex(where: { $0.link === link }) else {
                    return try check(false, "only an open connection is handed out")
                }
                idle.remove(at: index)
            }
            try assign(link, to: guest)
        }
        if let pending {
            try check(!isClosing, "what comes back to a closed pool is closed")
            idle.append(Idle(link: pending, since: now))
            reasons += 1
            if case .release(_, isClean: false) = event {
                try check(false, "what comes back dirty is closed")
            }
        }
        if case .acquire(let guest) = event, answers[guest.number] == 0 {
            queue.append(Waiting(guest: guest, deadline: now + bounds.acquireTimeout))
            reasons += 1
        }
        try open(effects.open)
        if let timer = effects.timer {
            if case .tick = event { try check(timer > now, "what was due is done after a tick") }
            timers.append(timer)
        }
        if effects.isDrained { drained += 1 }
        try audit()
    }

    private func fail(_ guest: Guest, _ error: PGError) throws {
        try answer(guest)
        seen.insert(error.kind.rawValue)
        let waiting = queue.firstIndex { $0.guest === guest }
        switch error.kind {
        case .poolTimeout:
            let deadline = waiting.map { queue[$0].deadline } ?? now + bounds.acquireTimeout
            try check(deadline <= now, "nobody's time is over before their deadline")
        case .poolExhausted:
            try check(
                waiting == nil && queue.count == bounds.maximumWaiters,
                "only who comes to a full line is turned away"
            )
        case .poolClosed:
            try check(isClosing, "nobody is told that the pool is closed before it is")
        default:
            try check(error.message == failure, "the error is that of the last attempt")
            try check(total == 0, "nobody fails while something is left that could serve them")
        }
        if let waiting { queue.remove(at: waiting) }
    }

    private func answer(_ guest: Guest) throws {
        answers[guest.number] += 1
        try check(answers[guest.number] == 1, "everybody is answered once")
    }

    private func assign(_ link: Link, to guest: Guest) throws {
        try answer(guest)
        if !queue.isEmpty {
            let first = queue.removeFirst().guest
            try check(first === guest, "those who wait are served in the order in which they came")
        }
        lent.append(link)
    }

    private func close(_ link: Link, _ reason: DiscardReason, after event: Event) throws {
        seen.insert(reason.rawValue)
        switch (reason, event) {
        case (.lost, .loss(let dead)):
            return try check(link === dead, "only what is dead is lost")
        case (.dirty, .release(let released, isClean: false)):
            return try check(link === released, "only what comes back dirty is dirty")
        case (.expired, _):
            let age = Double(now.nanoseconds - link.birth.nanoseconds)
            let lifetime = Double(bounds.maximumLifetime.nanoseconds)
            try check(age >= 0.899_999 * lifetime, "a connection lives for nine tenths of its lifetime")
        case (.idle, .tick):
            let since = idle.first { $0.link === link }?.since
            try check(
                since.map { $0 + bounds.idleTimeout <= now } ?? false,
                "only what was idle for long enough is closed for that"
            )
            try check(open > bounds.minimum, "the minimum is kept")
        case (.closing, _):
            try check(isClosing, "only a closed pool closes its connections for that")
        default:
            try check(false, "\(reason) isn't a reason here")
        }
        if let index = idle.firstIndex(where: { $0.link === link }) {
            idle.remove(at: index)
        } else if case .givingUp = event, let index = lent.firstIndex(where: { $0 === link }) {
            dead.append(lent.remove(at: index))
        } else {
            try check(link === event.arrival, "only what is free, or comes just now, is closed")
        }
    }

    private func open(_ count: Int) throws {
        guard count > 0 else { return }
        try check(!isClosing, "nothing is opened after closing began")
        if failure != nil {
            try check(
                count == 1 && attempts.isEmpty,
                "one attempt is made at a time while the database is away"
            )
        }
        for _ in 0..<count {
            let isSlow = !isBrisk && Int.random(in: 0..<10, using: &random) == 0
            let longest = isSlow ? 8_000 : Self.briskAttempt
            attempts.append(Attempt(end: now + .milliseconds(Int.random(in: 0...longest, using: &random))))
        }
    }

    // MARK: Audit

    /// What has to be true at any time.
    private func audit() throws {
        try check(
            drained == (isClosing && (hasGivenUp || total == 0) ? 1 : 0),
            "drained when nothing is left"
        )
        if isClosing {
            try check(idle.isEmpty && queue.isEmpty, "nothing is idle and nobody waits in a closed pool")
        }
        if hasGivenUp { return try check(lent.isEmpty, "all are closed when they are given up") }
        try check(pool.total == total && pool.leased == lent.count, "the pool knows what it has")
        try check(pool.waiting == queue.count, "the pool knows who waits")
        try check(total <= bounds.maximum, "there are no more connections than the maximum")
        try check(queue.count <= bounds.maximumWaiters, "the line is no longer than its bound")
        try check(queue.isEmpty || idle.isEmpty, "nobody waits while a connection is idle")
        if isClosing { return }
        let next = timers.min() ?? Instant(nanoseconds: .max)
        let wanted = max(queue.count - attempts.count, minimum - total)
        if min(wanted, bounds.maximum - total) > 0 {
            try check(failure != nil, "what is needed is opened while the database is up")
            try check(
                !attempts.isEmpty || next <= now + Self.longestPause,
                "the next attempt to connect is certain"
            )
        }
        // What is due now is done as soon as the timer has rung.
        if next <= now { return }
        if let first = queue.first {
            try check(first.deadline > now, "everybody is answered at their deadline")
        }
        if let first = idle.first, open > bounds.minimum {
            try check(first.since + bounds.idleTimeout > now, "what was idle for long enough is closed")
        }
        for member in idle {
            let age = Double(now.nanoseconds - member.link.birth.nanoseconds)
            let lifetime = Double(bounds.maximumLifetime.nanoseconds)
            try check(age <= 1.100_001 * lifetime, "what is idle and too old is replaced")
        }
    }
}
