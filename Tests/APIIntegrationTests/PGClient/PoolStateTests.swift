import Testing

@testable import PGClient

private typealias State = PoolState<Link, Guest>

/// A connection, which is nothing but one that was made at some time.
private final class Link: Sendable {
    let number: Int
    let birth: Instant

    init(_ number: Int = 0, at birth: Instant) {
        self.number = number
        self.birth = birth
    }
}

/// Somebody who wants a connection.
private final class Guest: Sendable {
    let number: Int

    init(_ number: Int = 0) {
        self.number = number
    }
}

/// A pool, and a clock that moves only when it is told to. What follows from an event is told in words, so
/// that nothing can follow that a test hasn't foreseen; the numbers are those of guests and links.
private struct Bench {
    private var pool: State
    private(set) var now = Instant(nanoseconds: 0)
    private var timers: [Instant] = []
    private var links: [Int: Link] = [:]
    private var guests: [Int: Guest] = [:]

    init(seed: UInt64 = 1, _ change: (inout PoolBounds) -> Void = { _ in }) {
        var bounds = PoolBounds()
        change(&bounds)
        pool = State(bounds, seed: seed)
    }

    /// When the clock rings for the pool.
    var nextRing: Instant? { timers.min() }

    private mutating func tell(_ effects: State.Effects) -> [String] {
        if let timer = effects.timer { timers.append(timer) }
        var story = effects.failed.map { guest, error in
            "guest \(guest.number) fails: \(error.kind == .connection ? error.message : error.kind.rawValue)"
        }
        story += effects.close.map { "link \($0.number) is closed: \($1)" }
        story += effects.assigned.map { "guest \($0.number) gets link \($1.number)" }
        if effects.open > 0 { story.append("open \(effects.open)") }
        if effects.isDrained { story.append("drained") }
        return story
    }

    mutating func start() -> [String] { tell(pool.start(at: now)) }

    mutating func acquire(_ number: Int) -> [String] {
        let guest = Guest(number)
        guests[number] = guest
        return tell(pool.acquire(guest, at: now))
    }

    mutating func connect(_ number: Int) -> [String] {
        let link = Link(number, at: now)
        links[number] = link
        return tell(pool.connected(link, at: now))
    }

    mutating func fail(_ reason: String) -> [String] {
        tell(pool.connectFailed(PGError(.connection, reason), at: now))
    }

    mutating func release(_ number: Int, isClean: Bool = true) throws -> [String] {
        tell(pool.release(try #require(links[number]), isClean: isClean, at: now))
    }

    mutating func lose(_ number: Int) throws -> [String] {
        tell(pool.lost(try #require(links[number]), at: now))
    }

    mutating func close() -> [String] { tell(pool.beginClosing()) }

    mutating func giveUp() -> [String] { tell(pool.giveUpDraining()) }

    /// Lets time pass, with all that the pool does when the clock rings.
    mutating func wait(_ duration: Duration) -> [String] {
        let end = now + duration
        var story: [String] = []
        while let next = nextRing, next <= end {
            now = max(now, next)
            timers.removeAll { $0 == next }
            story += tell(pool.tick(at: now))
        }
        now = end
        return story
    }

    /// Lets time pass before the clock can ring, as happens when the event loop is late.
    mutating func skip(_ duration: Duration) {
        now = now + duration
    }

    /// Has so many links made, each of them lent to the guest of the same number.
    mutating func lend(_ count: Int) {
        for number in 1...count {
            #expect(acquire(number) == ["open 1"])
            #expect(connect(number) == ["guest \(number) gets link \(number)"])
        }
    }
}

// MARK: Single rules

@Suite(.timeLimit(.minutes(1))) struct `The pool's rules` {
    @Test func `The connection that was used last is used next`() throws {
        var bench = Bench()
        bench.lend(3)
        for number in [1, 3, 2] { #expect(try bench.release(number) == []) }
        #expect(bench.acquire(4) == ["guest 4 gets link 2"])
        #expect(bench.acquire(5) == ["guest 5 gets link 3"])
        #expect(bench.acquire(6) == ["guest 6 gets link 1"])
        #expect(bench.acquire(7) == ["open 1"])
    }

    @Test
    func `Whoever waits is served in turn, by what comes back or by what is new, but not by what is dirty`()
        throws
    {
        var bench = Bench { $0.maximum = 2 }
        bench.lend(2)
        for number in 3...5 { #expect(bench.acquire(number) == []) }
        #expect(try bench.release(2) == ["guest 3 gets link 2"])
        #expect(try bench.release(1, isClean: false) == ["link 1 is closed: dirty", "open 1"])
        #expect(bench.connect(6) == ["guest 4 gets link 6"])
        #expect(bench.wait(.milliseconds(1_999)) == [])
        #expect(bench.wait(.milliseconds(1)) == ["guest 5 fails: poolTimeout"])
    }

    @Test func `The pause after a failure is anything up to a bound that doubles from 50 ms to 1.6 s`() throws
    {
        /// The pause after so many failures in a row.
        func pause(after failures: Int, seed: UInt64) throws -> Duration {
            var bench = Bench(seed: seed) { $0.minimum = 1 }
            var pause = Duration.zero
            #expect(bench.start() == ["open 1"])
            for _ in 0..<failures {
                #expect(bench.fail("away") == [])
                let next = try #require(bench.nextRing, "seed \(seed) never tries again")
                pause = .nanoseconds(next.nanoseconds - bench.now.nanoseconds)
                #expect(bench.wait(pause - .nanoseconds(1)) == [], "seed \(seed) doesn't wait")
                #expect(bench.wait(.nanoseconds(1)) == ["open 1"])
            }
            return pause
        }
        for failures in 1...8 {
            let bound = Duration.milliseconds(min(25 << failures, 1_600))
            let pauses = try (UInt64(0)..<200).map { try pause(after: failures, seed: $0) }.sorted()
            // Full jitter: those of many clients lie anywhere between nothing and the bound.
            #expect(try #require(pauses.first) < bound / 20)
            #expect((bound / 3..<bound * 2 / 3).contains(pauses[100]))
            #expect((bound * 19 / 20...bound).contains(pauses[199]))
        }
    }

    @Test func `A connection lives as long as it may, give or take a tenth`() throws {
        let lifetime = Duration.seconds(1_000)
        let lives = try (UInt64(0)..<200).map { seed in
            var bench = Bench(seed: seed) {
                $0.minimum = 1; $0.maximumLifetime = lifetime
            }
            #expect(bench.start() == ["open 1"])
            #expect(bench.connect(1) == [])
            let end = try #require(bench.nextRing)
            let life = Duration.nanoseconds(end.nanoseconds - bench.now.nanoseconds)
            #expect(bench.wait(life - .nanoseconds(1)) == [])
            #expect(bench.wait(.nanoseconds(1)) == ["link 1 is closed: expired", "open 1"])
            return life
        }.sorted()
        #expect((lifetime * 9 / 10..<lifetime * 91 / 100).contains(lives[0]))
        #expect((lifetime * 97 / 100..<lifetime * 103 / 100).contains(lives[100]))
        #expect((lifetime * 109 / 100...lifetime * 11 / 10).contains(lives[199]))
    }

    @Test func `A connection that is too old is given to nobody`() throws {
        var bench = Bench()
        bench.lend(2)
        #expect(try bench.release(1) == [])
        bench.skip(.seconds(2_000))
        #expect(bench.acquire(3) == ["link 1 is closed: expired", "open 1"])
        #expect(try bench.release(2) == ["link 2 is closed: expired"])
    }

    /// Two connections of very different age are free, of which the older one is used next. It was lent when
    /// the clock rang, which therefore isn't set for its age.
    private func twoAges() throws -> Bench {
        var bench = Bench {
            $0.minimum = 2; $0.maximumLifetime = .seconds(1_000)
        }
        #expect(bench.start() == ["open 2"])
        for number in 1...2 { #expect(bench.acquire(number) == []) }
        #expect(bench.connect(1) == ["guest 1 gets link 1"])
        #expect(bench.wait(.seconds(600)) == ["guest 2 fails: poolTimeout"])
        #expect(bench.connect(2) == [])
        #expect(try bench.release(1) == [])
        return bench
    }

    @Test func `Whoever finds a connection too old has the minimum filled up again`() throws {
        var bench = try twoAges()
        bench.skip(.seconds(600))
        #expect(bench.acquire(3) == ["link 1 is closed: expired", "guest 3 gets link 2", "open 1"])
    }

    @Test func `A free connection is replaced at its own age, wherever it stands`() throws {
        var bench = try twoAges()
        #expect(bench.wait(.seconds(500)) == ["link 1 is closed: expired", "open 1"])
    }

    @Test func `What was free for too long is closed, down to the minimum`() throws {
        var bench = Bench { $0.minimum = 2 }
        #expect(bench.start() == ["open 2"])
        for number in 1...2 { #expect(bench.connect(number) == []) }
        #expect(bench.acquire(1) == ["guest 1 gets link 2"])
        #expect(bench.acquire(2) == ["guest 2 gets link 1"])
        for number in 3...4 {
            #expect(bench.acquire(number) == ["open 1"])
            #expect(bench.connect(number) == ["guest \(number) gets link \(number)"])
        }
        for number in [3, 1, 4, 2] {
            #expect(try bench.release(number) == [])
            #expect(bench.wait(.seconds(10)) == [])
        }
        #expect(bench.wait(.seconds(259)) == [])
        #expect(bench.wait(.seconds(2)) == ["link 3 is closed: idle"])
        #expect(bench.wait(.seconds(1_200)) == ["link 1 is closed: idle"])
        #expect(bench.acquire(5) == ["guest 5 gets link 2"])
        #expect(bench.acquire(6) == ["guest 6 gets link 4"])
    }

    @Test func `A connection that nobody waited for any more is closed in time, too`() throws {
        var bench = Bench { $0.minimum = 1 }
        #expect(bench.start() == ["open 1"])
        #expect(bench.connect(1) == [])
        #expect(bench.acquire(1) == ["guest 1 gets link 1"])
        #expect(bench.acquire(2) == ["open 1"])
        #expect(bench.wait(.seconds(2)) == ["guest 2 fails: poolTimeout"])
        // From now on the clock is set for the age of the one that is kept.
        #expect(try bench.release(1) == [])
        #expect(bench.wait(.seconds(3)) == [])
        #expect(bench.connect(2) == [])
        #expect(bench.wait(.seconds(300)) == ["link 1 is closed: idle"])
    }

    @Test func `Somebody who would wait for ever doesn't keep free connections from being closed`() throws {
        var bench = Bench { $0.acquireTimeout = .seconds(Int64.max) }
        bench.lend(1)
        #expect(try bench.release(1) == [])
        #expect(bench.wait(.seconds(300)) == ["link 1 is closed: idle"])
    }
}

// MARK: Other pools

/// What others had to repair; the numbers are those of vapor/postgres-nio.
@Suite(.timeLimit(.minutes(1))) struct `What went wrong in another pool` {
    /// #561, #610: those who waited did so for ever.
    @Test
    func
        `Without a database everybody fails at once with the last reason, and one attempt at a time is made`()
    {
        var bench = Bench()
        #expect(bench.acquire(1) == ["open 1"])
        #expect(bench.acquire(2) == ["open 1"])
        #expect(bench.fail("first") == [])
        #expect(bench.fail("second") == ["guest 1 fails: second", "guest 2 fails: second"])
        #expect(bench.acquire(3) == ["guest 3 fails: second"])
        // Longer than any pause.
        #expect(bench.wait(.seconds(1.6)) == [])
        #expect(bench.acquire(4) == ["open 1"])
        #expect(bench.acquire(5) == [])
        #expect(bench.fail("third") == ["guest 4 fails: third", "guest 5 fails: third"])
        #expect(bench.acquire(6) == ["guest 6 fails: third"])
    }

    /// #610: the first success is what ends it.
    @Test func `The first success serves everybody again`() {
        var bench = Bench()
        #expect(bench.acquire(1) == ["open 1"])
        #expect(bench.fail("away") == ["guest 1 fails: away"])
        #expect(bench.wait(.seconds(1.6)) == [])
        #expect(bench.acquire(2) == ["open 1"])
        for number in 3...5 { #expect(bench.acquire(number) == []) }
        #expect(bench.connect(1) == ["guest 2 gets link 1", "open 3"])
        #expect(bench.acquire(6) == ["open 1"])
        for number in 2...5 { #expect(bench.connect(number) == ["guest \(number + 1) gets link \(number)"]) }
    }

    /// #607: it was over while connections were still open, or being opened.
    @Test func `Closing is over when the last connection is closed that was lent or under way`() throws {
        var bench = Bench()
        bench.lend(3)
        #expect(bench.acquire(4) == ["open 1"])
        #expect(bench.acquire(5) == ["open 1"])
        #expect(try bench.release(3) == ["guest 4 gets link 3"])
        #expect(try bench.release(2) == ["guest 5 gets link 2"])
        #expect(try bench.release(1) == [])
        #expect(bench.close() == ["link 1 is closed: closing"])
        #expect(bench.acquire(6) == ["guest 6 fails: poolClosed"])
        #expect(try bench.release(2) == ["link 2 is closed: closing"])
        #expect(bench.connect(4) == ["link 4 is closed: closing"])
        #expect(try bench.lose(3) == ["link 3 is closed: lost"])
        #expect(bench.fail("away") == ["drained"])
        #expect(try bench.release(3) == [])
        #expect(bench.close() == [])
    }

    /// #607: forcing it did nothing.
    @Test func `Giving up closes what is lent, and what is under way as soon as it comes`() throws {
        var bench = Bench()
        bench.lend(1)
        #expect(bench.acquire(2) == ["open 1"])
        #expect(bench.acquire(3) == ["open 1"])
        #expect(bench.close() == ["guest 2 fails: poolClosed", "guest 3 fails: poolClosed"])
        #expect(bench.giveUp() == ["link 1 is closed: closing", "drained"])
        #expect(bench.connect(2) == ["link 2 is closed: closing"])
        #expect(bench.fail("away") == [])
        #expect(try bench.release(1) == [])
        #expect(bench.giveUp() == [])
        #expect(bench.wait(.seconds(10)) == [])
    }

    /// #617: it crashed.
    @Test func `The timer of an attempt that isn't needed any more rings in vain`() throws {
        var bench = Bench()
        #expect(bench.acquire(1) == ["open 1"])
        #expect(bench.acquire(2) == ["open 1"])
        #expect(bench.fail("away") == [])
        #expect(try #require(bench.nextRing) < bench.now + .seconds(2))
        #expect(bench.connect(1) == ["guest 1 gets link 1", "open 1"])
        #expect(bench.connect(2) == ["guest 2 gets link 2"])
        #expect(bench.wait(.seconds(10)) == [])
    }

    /// #612, #620: the minimum stayed away, or all but one of several attempts were counted for ever.
    @Test func `Of several attempts that have failed one is made again, and when it succeeds the others are`()
    {
        var bench = Bench {
            $0.minimum = 3; $0.maximum = 3
        }
        #expect(bench.start() == ["open 3"])
        for _ in 0..<3 { #expect(bench.fail("away") == []) }
        #expect(bench.wait(.seconds(1.6)) == ["open 1"])
        #expect(bench.fail("away") == [])
        #expect(bench.wait(.seconds(1.6)) == ["open 1"])
        #expect(bench.connect(1) == ["open 2"])
        #expect(bench.connect(2) == [])
        #expect(bench.connect(3) == [])
    }

    /// #641: the one that was overtaken was dropped.
    @Test func `A timer that is overtaken by an earlier one still does what it was for`() throws {
        var bench = Bench()
        bench.lend(1)
        #expect(try bench.release(1) == [])
        #expect(bench.wait(.seconds(5)) == [])
        let idle = try #require(bench.nextRing)
        #expect(bench.acquire(2) == ["guest 2 gets link 1"])
        #expect(bench.acquire(3) == ["open 1"])
        #expect(try #require(bench.nextRing) < idle)
        #expect(bench.connect(2) == ["guest 3 gets link 2"])
        for number in 1...2 { #expect(try bench.release(number) == []) }
        // The first one rings in vain: both were used meanwhile.
        #expect(bench.wait(.seconds(299)) == [])
        #expect(bench.wait(.seconds(1)) == ["link 1 is closed: idle", "link 2 is closed: idle"])
    }

    /// #645: it was still counted as lent. #657: nobody opened another for who waits.
    @Test func `A connection that dies while it is lent makes room for another, once`() throws {
        var bench = Bench { $0.maximum = 1 }
        bench.lend(1)
        #expect(bench.acquire(2) == [])
        #expect(try bench.lose(1) == ["link 1 is closed: lost", "open 1"])
        #expect(try bench.lose(1) == [])
        #expect(try bench.release(1) == [])
        #expect(bench.acquire(3) == [])
        #expect(bench.connect(2) == ["guest 2 gets link 2"])
        #expect(try bench.release(2) == ["guest 3 gets link 2"])
    }
}

// MARK: Timers

@Suite(.timeLimit(.minutes(1))) struct `The timer heap` {
    @Test func `What is due comes out by its time, and once, in whatever order it went in`() {
        var random = SplitMix64(state: 1)
        var heap = TimerHeap()
        let journal = Journal()
        var times: [Int64] = []
        var waiting: Set<Int> = []
        for now in Int64(0)..<200 {
            for number in times.count..<times.count + Int.random(in: 0...8, using: &random) {
                // Few times for so many, so that some are equal, and some are over already.
                times.append(Int64.random(in: max(0, now - 5)...now + 50, using: &random))
                waiting.insert(number)
                heap.insert(Instant(nanoseconds: times[number])) { journal.note(number) }
            }
            #expect(heap.next?.nanoseconds == waiting.map { times[$0] }.min())
            let before = journal.entries.count
            for action in heap.due(at: Instant(nanoseconds: now)) { action() }
            let due = journal.entries[before...]
            #expect(Set(due) == waiting.filter { times[$0] <= now })
            #expect(due.map { times[$0] } == due.map { times[$0] }.sorted())
            waiting.subtract(due)
        }
        #expect(Set(journal.entries).count == journal.entries.count)
    }

    @Test func `Of those with the same time none is lost`() {
        var heap = TimerHeap()
        let journal = Journal()
        for number in [7, 7, 8, 7, 6, 7] {
            heap.insert(Instant(nanoseconds: Int64(number))) { journal.note(number) }
        }
        for action in heap.due(at: Instant(nanoseconds: 7)) { action() }
        #expect(journal.entries == [6, 7, 7, 7, 7])
        #expect(heap.next == Instant(nanoseconds: 8))
        #expect(heap.due(at: Instant(nanoseconds: 8)).count == 1)
        #expect(heap.next == nil)
    }
}

// MARK: Statements

@Suite(.timeLimit(.minutes(1))) struct `The statement cache` {
    private typealias Key = StatementCache.Key

    private func key(_ text: String, _ types: PGType...) -> Key {
        Key(text: text, types: types)
    }

    private func written(_ name: StatementCache.Name) -> String {
        String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    @Test func `The statement whose last use is longest ago gives way, and no name is used twice`() {
        var random = SplitMix64(state: 1)
        var cache = StatementCache(bound: 8)
        // The one that was used longest ago comes first.
        var known: [(key: Key, name: String)] = []
        var names: Set<String> = []
        for _ in 0..<3_000 {
            let key = key("select \(Int.random(in: 0..<12, using: &random))")
            let index = known.firstIndex { $0.key == key }
            let entry = index.map { known.remove(at: $0) }
            if Int.random(in: 0..<20, using: &random) == 0 {
                cache.remove(key)
                continue
            }
            switch cache.use(key) {
            case .prepared(let name):
                #expect(written(name) == entry?.name)
                known.append((key, written(name)))
            case .new(let name, let evicted):
                #expect(entry == nil)
                #expect(names.insert(written(name)).inserted)
                #expect(evicted == (known.count == 8 ? known.removeFirst().name : nil))
                known.append((key, written(name)))
            }
        }
    }

    @Test func `The same text with other types is another statement`() {
        var cache = StatementCache(bound: 8)
        var names: Set<String> = []
        for key in [key("select $1"), key("select $1", .int8), key("select $1", .bool)] {
            guard case .new(let name, evicted: nil) = cache.use(key) else {
                Issue.record("\(key) isn't new")
                continue
            }
            names.insert(written(name))
        }
        #expect(names.count == 3)
    }

    @Test func `What is pinned is never given up, and takes nobody's place`() {
        var cache = StatementCache(bound: 2)
        _ = cache.use(key("commit"), isPinned: true)
        for number in 0..<10 {
            guard case .new(_, let evicted) = cache.use(key("select \(number)")) else {
                Issue.record("it isn't new")
                continue
            }
            #expect((evicted == nil) == (number < 2))
        }
        guard case .prepared = cache.use(key("commit"), isPinned: true) else {
            Issue.record("it was given up")
            return
        }
    }

    @Test func `What was forgotten is prepared anew, under another name`() {
        var cache = StatementCache(bound: 2)
        var names: [String] = []
        for text in ["select 1", "select 2", "select 1", "select 2"] {
            if names.count == 2 { cache.removeAll() }
            guard case .new(let name, evicted: nil) = cache.use(key(text)) else {
                Issue.record("\(text) isn't new")
                continue
            }
            names.append(written(name))
        }
        #expect(Set(names).count == 4)
    }
}

// MARK: Random schedules

@Suite(.timeLimit(.minutes(1))) struct `The pool's rules in random schedules` {
    private static let perPart = 300

    /// In parts, so that they run in parallel.
    @Test(arguments: 0..<4) func `Whatever happens, in whatever order, the pool keeps its promises`(
        part: Int
    ) async throws {
        var seen: Set<String> = []
        for seed in part * Self.perPart..<(part + 1) * Self.perPart {
            let simulation = Simulation(seed: UInt64(seed))
            // The first violation is enough: its seed and step say how to meet it again.
            try simulation.run(steps: 300)
            seen.formUnion(simulation.seen)
            // Others test with a clock.
            await Task.yield()
        }
        // A promise is worth nothing if the occasion to break it never came.
        let kinds: [PGError.Kind] = [.connection, .poolTimeout, .poolExhausted, .poolClosed]
        let reasons = DiscardReason.allCases.map(\.rawValue)
        #expect(seen == Set(kinds.map(\.rawValue) + reasons + Simulation.occasions))
    }
}

/// A database, the tasks that use it, and their clock. What the pool asks for is done, and all that it
/// promises is checked against books that are kept here. The schedule follows from the seed.
private final class Simulation {
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
        for (guest, link) in effects.assigned {
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
