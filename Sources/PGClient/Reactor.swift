import Foundation
import CLibpq
import Glibc
import Synchronization

/// The one thread that waits for all sockets: level-triggered epoll, an eventfd
/// that wakes it for jobs, and deadlines. It is the executor of every
/// connection, so a connection's state is only ever touched there.
///
/// Unchecked: what other threads touch is behind `inbox`; the rest belongs to
/// the thread.
final class Reactor: SerialExecutor, @unchecked Sendable {
    static let shared = Reactor()

    private struct Inbox {
        var jobs: [UnownedJob] = []
    }

    struct TimerID: Hashable {
        let deadline: ContinuousClock.Instant
        let number: UInt64
    }

    private let epoll: Int32
    private let wakeup: Int32
    private let inbox = Mutex(Inbox())
    private var handlers: [Int32: (UInt32) -> Void] = [:]
    private var timers: [TimerID: () -> Void] = [:]
    private var nextTimer: UInt64 = 0
    private let threadID = Mutex<pthread_t?>(nil)

    private init() {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        wakeup = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(fd: wakeup))
        epoll_ctl(epoll, EPOLL_CTL_ADD, wakeup, &event)
        Thread.detachNewThread { [self] in
            threadID.withLock { $0 = pthread_self() }
            run()
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let wasEmpty = inbox.withLock { inbox in
            inbox.jobs.append(job)
            return inbox.jobs.count == 1
        }
        guard wasEmpty else { return }
        var one: UInt64 = 1
        _ = write(wakeup, &one, 8)
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    func checkIsolated() {
        precondition(threadID.withLock { $0 } == pthread_self(), "only on the reactor's thread")
    }

    // MARK: On the thread only

    func watch(_ fd: Int32, writable: Bool, handler: @escaping (UInt32) -> Void) {
        var event = epoll_event(
            events: EPOLLIN.rawValue | (writable ? EPOLLOUT.rawValue : 0),
            data: epoll_data_t(fd: fd)
        )
        epoll_ctl(epoll, handlers[fd] == nil ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event)
        handlers[fd] = handler
    }

    func unwatch(_ fd: Int32) {
        guard handlers.removeValue(forKey: fd) != nil else { return }
        epoll_ctl(epoll, EPOLL_CTL_DEL, fd, nil)
    }

    func after(_ duration: Duration, _ action: @escaping () -> Void) -> TimerID {
        nextTimer += 1
        let id = TimerID(deadline: .now + duration, number: nextTimer)
        timers[id] = action
        return id
    }

    func cancel(_ timer: TimerID) {
        timers[timer] = nil
    }

    private func run() {
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        while true {
            let count = epoll_wait(epoll, &events, Int32(events.count), millisecondsToNextTimer)
            for event in events.prefix(Int(max(0, count))) {
                if event.data.fd == wakeup {
                    var value: UInt64 = 0
                    _ = read(wakeup, &value, 8)
                } else {
                    handlers[event.data.fd]?(event.events)
                }
            }
            let now = ContinuousClock.now
            for id in timers.keys.filter({ $0.deadline <= now }) {
                timers.removeValue(forKey: id)?()
            }
            let jobs = inbox.withLock { inbox in
                defer { inbox.jobs = [] }
                return inbox.jobs
            }
            for job in jobs {
                job.runSynchronously(on: asUnownedSerialExecutor())
            }
        }
    }

    private var millisecondsToNextTimer: Int32 {
        guard let next = timers.keys.map(\.deadline).min() else { return -1 }
        let left = ContinuousClock.now.duration(to: next).components
        return Int32(max(0, min(60_000, left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000 + 1)))
    }
}
