import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Something that lives on the reactor's thread and is told when its socket is ready.
protocol ReactorClient: AnyObject, Sendable {
    /// Called on the reactor's thread.
    func socketReady()
}

/// One thread that waits for every socket of this library, and the serial executor of the actors that own
/// those sockets: what a socket wakes and what a task calls run on the same thread, so neither needs a lock
/// and no thread of the concurrency pool is ever blocked.
final class Reactor: SerialExecutor {
    private enum Work: Sendable {
        case job(UnownedJob)
        case action(@Sendable () -> Void)
    }

    private struct Inbox: Sendable {
        var work: [Work] = []
        /// While the thread is awake it looks here before it sleeps, so nobody has to wake it.
        var isAwake = true
    }

    private let poller: any Poller
    private let inbox = Mutex(Inbox())
    private let thread = Atomic<UInt>(0)

    // Safe without a lock: the three below are touched only by the reactor's own thread.
    private nonisolated(unsafe) var clients: [UInt64: any ReactorClient] = [:]
    private nonisolated(unsafe) var lastToken: UInt64 = 0
    private nonisolated(unsafe) var timers = TimerHeap()

    private static let process = Mutex<Reactor?>(nil)

    /// The reactor of this process, started when first asked for. It is never stopped: an idle thread
    /// costs less than the question of who stops it.
    static func shared() throws -> Reactor {
        try process.withLock { process in
            if let process { return process }
            #if os(Linux)
                guard let poller = EpollPoller() else {
                    throw PGError(.connection, "no file descriptor is left for epoll")
                }
            #endif
            let reactor = Reactor(poller: poller)
            process = reactor
            return reactor
        }
    }

    private init(poller: any Poller) {
        self.poller = poller
        // A serial queue of its own brings a thread of its own; Dispatch does nothing else here.
        DispatchQueue(label: "PGClient.reactor").async { self.run() }
    }

    // MARK: From any thread

    func enqueue(_ job: consuming ExecutorJob) {
        post(.job(UnownedJob(job)))
    }

    /// Runs the action on the reactor's thread, after everything that was enqueued before it.
    func execute(_ action: @escaping @Sendable () -> Void) {
        post(.action(action))
    }

    /// Runs the action on the reactor's thread at that time or soon after it. It can't be withdrawn:
    /// it has to check by itself whether it still has something to do.
    func execute(at time: Instant, _ action: @escaping @Sendable () -> Void) {
        if isCurrent {
            timers.insert(time, action)
        } else {
            execute { self.timers.insert(time, action) }
        }
    }

    func isIsolatingCurrentContext() -> Bool? {
        isCurrent
    }

    private func post(_ work: Work) {
        let mustWake = inbox.withLock { inbox in
            inbox.work.append(work)
            defer { inbox.isAwake = true }
            return !inbox.isAwake
        }
        if mustWake { poller.wake() }
    }

    private var isCurrent: Bool {
        thread.load(ordering: .relaxed) == Self.currentThread
    }

    private static var currentThread: UInt {
        #if os(Linux)
            UInt(pthread_self())
        #else
            UInt(bitPattern: pthread_self())
        #endif
    }

    // MARK: On the reactor's thread

    /// Watches a socket and returns the registration's token, or nil when the kernel refuses.
    func watch(_ socket: Int32, interest: Interest, client: any ReactorClient) -> UInt64? {
        lastToken += 1
        guard poller.add(socket, token: lastToken, interest: interest) else { return nil }
        clients[lastToken] = client
        return lastToken
    }

    func update(_ socket: Int32, token: UInt64, interest: Interest) {
        poller.update(socket, token: token, interest: interest)
    }

    func unwatch(_ socket: Int32, token: UInt64) {
        clients[token] = nil
        poller.remove(socket)
    }

    private func run() {
        thread.store(Self.currentThread, ordering: .relaxed)
        while true {
            let more = runWork()
            let (due, nextTimer) = timers.due(at: .now)
            for action in due { action() }
            poller.wait(milliseconds: more || !due.isEmpty ? 0 : sleep(until: nextTimer)) { token in
                // A client closed by an event before this one in the same batch isn't there any more.
                clients[token]?.socketReady()
            }
        }
    }

    /// Runs what has been enqueued, and what that enqueues, in a few rounds only: sockets are to be looked
    /// at also when tasks never stop calling. True when work is left.
    private func runWork() -> Bool {
        for _ in 0..<8 {
            let work = inbox.withLock { inbox in
                let work = inbox.work
                inbox.work = []
                inbox.isAwake = true
                return work
            }
            if work.isEmpty { return false }
            for work in work {
                switch work {
                case .job(let job): job.runSynchronously(on: asUnownedSerialExecutor())
                case .action(let action): action()
                }
            }
        }
        return true
    }

    /// Goes to sleep unless work has come meanwhile: how long the poller may wait.
    private func sleep(until timer: Instant?) -> Int32? {
        let hasWork = inbox.withLock { inbox in
            inbox.isAwake = !inbox.work.isEmpty
            return inbox.isAwake
        }
        if hasWork { return 0 }
        guard let timer else { return nil }
        // Rounded up: waking a fraction too early would only spin.
        let milliseconds = max(0, timer.nanoseconds - Instant.now.nanoseconds + 999_999) / 1_000_000
        return Int32(min(milliseconds, 60_000))
    }
}
