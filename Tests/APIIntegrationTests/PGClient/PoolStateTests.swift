import Testing

@testable import PGClient

private typealias State = PoolState<Link, Guest>

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
        if let next = effects.assigned {
            story.append("guest \(next.waiter.number) gets link \(next.connection.number)")
        }
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
