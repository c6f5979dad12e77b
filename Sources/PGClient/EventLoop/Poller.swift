import CLibpq

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What a socket is waited for.
struct Interest: OptionSet, Sendable {
    let rawValue: UInt8
    static let readable = Interest(rawValue: 1)
    static let writable = Interest(rawValue: 2)
}

/// The kernel's readiness queue, as small as the loop needs it: this is all that another system has to
/// bring. Level-triggered, because libpq decides by itself how much it reads from a socket.
///
/// A registration is known by a token that is never used twice: the number of a socket is, as soon as it is
/// closed, somebody else's.
protocol Poller: Sendable {
    /// Starts to watch a socket. False when the kernel refuses.
    func add(_ socket: Int32, token: UInt64, interest: Interest) -> Bool
    /// Changes what a watched socket is waited for. For nothing means not even to be told that it has ended, which
    /// it would be again and again.
    func update(_ socket: Int32, token: UInt64, interest: Interest)
    /// Stops watching; harmless for a socket that was closed already.
    func remove(_ socket: Int32)
    /// Blocks until a socket is ready, ``wake()`` is called, or the time (nil: for ever) is over.
    /// Errors and hang-ups count as readiness: whoever reads will meet them.
    func wait(milliseconds: Int32?, _ ready: (_ token: UInt64) -> Void)
    /// Ends a ``wait(milliseconds:_:)``, also one that starts later. May be called from any thread.
    func wake()
}

#if os(Linux)
    /// epoll, with an eventfd to be woken by.
    final class EpollPoller: Poller {
        private let epoll: Int32
        private let event: Int32
        private static let wakeToken = UInt64.max
        private static let batch = 64

        /// Fails when the process has no file descriptor left.
        init?() {
            epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
            event = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
            guard epoll >= 0, event >= 0, add(event, token: Self.wakeToken, interest: .readable) else {
                return nil
            }
        }

        deinit {
            close(epoll)
            close(event)
        }

        func add(_ socket: Int32, token: UInt64, interest: Interest) -> Bool {
            var event = Self.event(token, interest)
            return epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) == 0
        }

        func update(_ socket: Int32, token: UInt64, interest: Interest) {
            var event = Self.event(token, interest)
            if interest.isEmpty {
                remove(socket)
            } else if epoll_ctl(epoll, EPOLL_CTL_MOD, socket, &event) != 0 {
                epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event)
            }
        }

        func remove(_ socket: Int32) {
            var unused = epoll_event()
            epoll_ctl(epoll, EPOLL_CTL_DEL, socket, &unused)
        }

        func wait(milliseconds: Int32?, _ ready: (UInt64) -> Void) {
            withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Self.batch) { events in
                let count = epoll_wait(epoll, events.baseAddress, Int32(Self.batch), milliseconds ?? -1)
                // A negative count is a signal that interrupted the wait: the loop comes back by itself.
                for index in 0..<Int(max(count, 0)) {
                    let token = events[index].data.u64
                    if token == Self.wakeToken {
                        var count: UInt64 = 0
                        _ = read(event, &count, MemoryLayout<UInt64>.size)
                    } else {
                        ready(token)
                    }
                }
            }
        }

        func wake() {
            var one: UInt64 = 1
            _ = write(event, &one, MemoryLayout<UInt64>.size)
        }

        private static func event(_ token: UInt64, _ interest: Interest) -> epoll_event {
            var mask: UInt32 = 0
            if interest.contains(.readable) { mask |= EPOLLIN.rawValue }
            if interest.contains(.writable) { mask |= EPOLLOUT.rawValue }
            return epoll_event(events: mask, data: epoll_data_t(u64: token))
        }
    }
#endif
