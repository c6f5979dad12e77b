import Synchronization

/// Events that nobody has read yet. When there are too many, all are dropped and the reader is told to start
/// anew.
final class EventQueue: Sendable {
    private static let bound = 1024

    private struct State: Sendable {
        var events: [PGListenerEvent] = []
        var waiter: CheckedContinuation<PGListenerEvent?, Never>?
    }

    private let state = Mutex(State())

    func push(_ event: PGListenerEvent) {
        let waiter = state.withLock { state -> CheckedContinuation<PGListenerEvent?, Never>? in
            if let waiter = state.waiter {
                state.waiter = nil
                return waiter
            }
            if event == .listening || state.events.count >= Self.bound {
                state.events = [.listening]
            }
            if event != .listening { state.events.append(event) }
            return nil
        }
        waiter?.resume(returning: event)
    }

    func next() async -> PGListenerEvent? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (isReady, event) = state.withLock { state -> (Bool, PGListenerEvent?) in
                    if Task.isCancelled { return (true, nil) }
                    if !state.events.isEmpty { return (true, state.events.removeFirst()) }
                    state.waiter = continuation
                    return (false, nil)
                }
                if isReady { continuation.resume(returning: event) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume(returning: nil)
        }
    }
}
