import Synchronization

/// Owns the task that keeps a connection, and ends it.
final class ListeningTask: Sendable {
    private let events: EventQueue
    private let task: Task<Void, Never>

    init(_ configuration: PGConfiguration, _ channels: [String]) {
        let events = EventQueue()
        self.events = events
        task = Task { await Self.listen(configuration, channels, events) }
    }

    deinit {
        task.cancel()
    }

    func next() async -> PGListenerEvent? {
        await events.next()
    }

    private static func listen(
        _ configuration: PGConfiguration,
        _ channels: [String],
        _ events: EventQueue
    ) async {
        let statements = channels.map { channel in
            Statement("listen \(identifier: channel)", file: #fileID, line: #line)
        }
        let metrics = configuration.listenerMetrics
        var failures = 0
        while !Task.isCancelled {
            let start = Instant.now
            await listenOnce(configuration, statements, events, metrics)
            // One that is cut off at once, such as by a pooler, isn't a success.
            if Instant.now > start + .seconds(5) { failures = 0 }
            let ceiling = min(5000, 25 << min(failures, 8))
            failures += 1
            try? await Task.sleep(for: .milliseconds(Int.random(in: 0...ceiling)))
        }
    }

    /// Listens until the connection is lost or the task cancelled.
    private static func listenOnce(
        _ configuration: PGConfiguration,
        _ statements: [Statement],
        _ events: EventQueue,
        _ metrics: ListenerMetrics?
    ) async {
        let closing = Latch()
        let backend: Backend
        do {
            backend = try await Backend.open(
                configuration,
                onNotification: { events.push(.notification($0)) },
                onClose: { _ in closing.open() }
            )
        } catch {
            metrics?.note(.unconnected)
            return
        }
        let outcome = await backend.send(.statements(statements))
        if let failure = outcome.failure {
            metrics?.note(failure)
            return backend.close()
        }
        metrics?.note(.success)
        events.push(.listening)
        await withTaskCancellationHandler {
            await closing.pass()
        } onCancel: {
            backend.close()
        }
    }
}

/// Opens once, for whoever waits.
private final class Latch: Sendable {
    private struct State: Sendable {
        var isOpen = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func open() {
        let waiter = state.withLock { state in
            state.isOpen = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    func pass() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiter = continuation }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }
}
