/// Actions by the time at which they are due, in a binary heap.
struct TimerHeap: Sendable {
    private struct Timer: Sendable {
        let time: Instant
        let action: @Sendable () -> Void
    }

    private var timers: [Timer] = []

    mutating func insert(_ time: Instant, _ action: @escaping @Sendable () -> Void) {
        timers.append(Timer(time: time, action: action))
        var child = timers.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            if timers[parent].time <= timers[child].time { break }
            timers.swapAt(parent, child)
            child = parent
        }
    }

    /// When the next is due.
    var next: Instant? { timers.first?.time }

    /// Takes out everything that is due, the earliest first.
    mutating func due(at now: Instant) -> [@Sendable () -> Void] {
        var actions: [@Sendable () -> Void] = []
        while let first = timers.first, first.time <= now {
            actions.append(first.action)
            removeFirst()
        }
        return actions
    }

    private mutating func removeFirst() {
        timers.swapAt(0, timers.count - 1)
        timers.removeLast()
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < timers.count {
                if timers[child].time < timers[smallest].time { smallest = child }
            }
            if smallest == parent { return }
            timers.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
