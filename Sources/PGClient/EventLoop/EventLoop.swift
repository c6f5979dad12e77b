import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Something that is told when its socket is ready.
protocol EventLoopClient: AnyObject, Sendable {
    /// Called on the loop's thread, again and again for as long as the socket stays ready. False when
    /// somebody else is at the connection at this moment.
    func socketReady() -> Bool
}

/// What waits for its share of the sockets of this library, and of the deadlines. A thread of the ``PGTaskExecutor`` reads,
/// and resumes who waits; sending is done by whoever has something to send, on their own thread, which saves a
/// change of threads per statement.
final class EventLoop: Sendable {
    private struct Registry: Sendable {
        var clients: [UInt64: any EventLoopClient] = [:]
        var lastToken: UInt64 = 0
    }

    private struct Timers: Sendable {
        var heap = TimerHeap()
        /// Until when the thread sleeps or has slept; nil when it will look at the heap before it sleeps.
        var sleepsUntil: Instant?
    }

    private let poller: any Poller
    private let registry = Mutex(Registry())
    private let timers = Mutex(Timers())

    /// One of the loops of this process, by turns.
    static func next() throws -> EventLoop { try PGTaskExecutor.shared().nextLoop() }

    init() throws {
        #if os(Linux)
            guard let poller = EpollPoller() else {
                throw PGError(.connection, "no file descriptor is left for epoll")
            }
        #else
            #error("this system has no Poller yet: kqueue would be one")
        #endif
        self.poller = poller
    }

    /// Watches a socket until it can be read, and returns the registration's token, or nil when the kernel
    /// refuses. The client is held until ``unwatch(_:token:)``.
    func watch(_ socket: Int32, client: any EventLoopClient) -> UInt64? {
        let token = registry.withLock { registry in
            registry.lastToken += 1
            registry.clients[registry.lastToken] = client
            return registry.lastToken
        }
        if poller.add(socket, token: token, interest: .readable) { return token }
        registry.withLock { _ = $0.clients.removeValue(forKey: token) }
        return nil
    }

    /// Changes what a watched socket is waited for.
    func update(_ socket: Int32, token: UInt64, interest: Interest) {
        poller.update(socket, token: token, interest: interest)
    }

    /// Stops watching. The client may be called once more by the loop's thread, which may be about to.
    func unwatch(_ socket: Int32, token: UInt64) {
        poller.remove(socket)
        registry.withLock { _ = $0.clients.removeValue(forKey: token) }
    }

    /// Runs the action on the loop's thread at that time or soon after it. It can't be withdrawn: it has to
    /// check by itself whether it still has something to do.
    func schedule(at time: Instant, _ action: @escaping @Sendable () -> Void) {
        let mustWake = timers.withLock { timers in
            timers.heap.insert(time, action)
            return timers.sleepsUntil.map { time < $0 } ?? false
        }
        if mustWake { poller.wake() }
    }

    /// Does once what is due, and reads what has arrived. One thread at a time may call this.
    ///
    /// - Parameters:
    ///   - mayBlock: whether to wait until there is something to do.
    ///   - begin: called when the wait is over, before anything is done.
    func poll(mayBlock: Bool, begin: () -> Void) {
        let due = timers.withLock { timers in
            timers.sleepsUntil = nil
            return timers.heap.due(at: .now)
        }
        var hasBegun = !due.isEmpty
        if hasBegun { begin() }
        for action in due { action() }
        var isHeldUp = false
        poller.wait(milliseconds: mayBlock && due.isEmpty ? sleepingTime() : 0) { token in
            if !hasBegun {
                hasBegun = true
                begin()
            }
            // A client that was closed meanwhile isn't there any more.
            let client = registry.withLock { $0.clients[token] }
            if client?.socketReady() == false { isHeldUp = true }
        }
        if !hasBegun { begin() }
        // Waiting for a lock would hold up all other connections, and on few processors also the one who
        // has it.
        if isHeldUp { sched_yield() }
    }

    /// Ends a ``poll(mayBlock:begin:)``, also one that starts later. May be called from any thread.
    func wake() {
        poller.wake()
    }

    /// Goes to sleep: how long the poller may wait; nil for ever.
    private func sleepingTime() -> Int32? {
        timers.withLock { timers in
            let next = timers.heap.next
            timers.sleepsUntil = next ?? Instant(nanoseconds: .max)
            guard let next else { return nil }
            // Rounded up: waking a fraction too early would only spin.
            let milliseconds = max(0, next.nanoseconds - Instant.now.nanoseconds + 999_999) / 1_000_000
            return Int32(min(milliseconds, 60_000))
        }
    }
}
