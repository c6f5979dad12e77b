import Synchronization

/// What has arrived of a stream and wasn't read yet: bounded, by holding up the connection while it is full.
final class StreamBuffer<Element: Sendable>: Sendable {
    /// About how many bytes may wait to be read.
    private let capacity = 256 << 10

    private struct State: Sendable {
        var elements: [Element] = []
        var bytes = 0
        var end: Result<Void, any Error>?
        var isAbandoned = false
        var waiter: UnsafeContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Whether the connection has to stop reading for now.
    var isFull: Bool { state.withLock { $0.bytes >= capacity && !$0.isAbandoned } }

    var isAbandoned: Bool { state.withLock { $0.isAbandoned } }

    /// Adds what has arrived; dropped when nobody reads any more.
    func push(_ element: Element, bytes: Int) {
        resume { state in
            guard !state.isAbandoned else { return false }
            state.elements.append(element)
            state.bytes += bytes
            return true
        }
    }

    /// Nothing more will come.
    func finish(_ end: Result<Void, any Error>) {
        resume { state in
            state.end = state.end ?? end
            return true
        }
    }

    /// Everything that comes from now on is dropped.
    ///
    /// - Parameter error: what a reader learns who asks nevertheless.
    func abandon(_ error: PGError? = nil) {
        resume { state in
            state.isAbandoned = true
            // One that nobody has read to its end isn't complete, whether all of it has come or not.
            if let error, state.end == nil || !state.elements.isEmpty { state.end = .failure(error) }
            state.elements = []
            state.bytes = 0
            return true
        }
    }

    /// Everything that is there, or nil at the end, or nil to be asked again once more has come.
    func take() throws -> [Element]? {
        try state.withLock { state in
            if !state.elements.isEmpty {
                defer { (state.elements, state.bytes) = ([], 0) }
                return state.elements
            }
            try state.end?.get()
            if state.isAbandoned { return nil }
            return state.end == nil ? [] : nil
        }
    }

    /// Waits until there is something to take. One task waits at a time.
    func wait() async {
        await withUnsafeContinuation { continuation in
            let isReady = state.withLock { state in
                let isReady = !state.elements.isEmpty || state.end != nil || state.isAbandoned
                if !isReady { state.waiter = continuation }
                return isReady
            }
            if isReady { continuation.resume() }
        }
    }

    private func resume(after change: (inout State) -> Bool) {
        let waiter = state.withLock { state -> UnsafeContinuation<Void, Never>? in
            guard change(&state) else { return nil }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }
}
