import Synchronization

/// The sending side of a COPY: tells when the server is ready for data, and for more of it.
final class CopyWriter: Sendable {
    private enum State: Sendable {
        /// The server hasn't said yet that it takes data, or libpq still has to write what it was given.
        case waiting(UnsafeContinuation<Bool, Never>?)
        case ready
        /// The COPY is over, because of an error unless it was ended.
        case finished
    }

    private let state = Mutex(State.waiting(nil))

    var isFinished: Bool {
        state.withLock { if case .finished = $0 { true } else { false } }
    }

    /// More can be written.
    func becomeReady() {
        change { state in
            if case .finished = state { return }
            state = .ready
        }?.resume(returning: true)
    }

    /// What was written hasn't been sent yet.
    func becomeBusy() {
        state.withLock { state in
            if case .ready = state { state = .waiting(nil) }
        }
    }

    func finish() {
        change { $0 = .finished }?.resume(returning: false)
    }

    /// Waits until data can be written. False when the COPY is over.
    func wait() async -> Bool {
        await withUnsafeContinuation { continuation in
            let answer: Bool? = state.withLock { state in
                switch state {
                case .ready: return true
                case .finished: return false
                case .waiting:
                    state = .waiting(continuation)
                    return nil
                }
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    private func change(_ change: (inout State) -> Void) -> UnsafeContinuation<Bool, Never>? {
        state.withLock { state in
            var waiter: UnsafeContinuation<Bool, Never>?
            if case .waiting(let continuation) = state { waiter = continuation }
            change(&state)
            return waiter
        }
    }
}
