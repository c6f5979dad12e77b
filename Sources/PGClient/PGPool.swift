import Foundation
import Synchronization

/// A bounded pool of connections with fair waiting.
public final class PGPool: Sendable {
    private struct Waiter {
        let id: UInt64
        let continuation: CheckedContinuation<Grant, any Error>
    }

    /// What a waiter gets: a connection, or the right to open one.
    private enum Grant {
        case connection(PGConnection)
        case permission
    }

    private struct State {
        var idle: [PGConnection] = []
        var total = 0
        var waiters: [Waiter] = []
        var nextID: UInt64 = 0
        var isClosed = false
    }

    private let configuration: PGConfiguration
    private let state = Mutex(State())

    /// A pool that connects when it is first asked.
    public init(_ configuration: PGConfiguration) {
        self.configuration = configuration
    }

    /// Runs `body` in one transaction, which commits when it returns and rolls
    /// back when it throws.
    ///
    /// `BEGIN`, `opening` and the body's first statement share a round trip; a
    /// read's commit is not waited for. A body that sends nothing costs nothing.
    ///
    /// - Parameter opening: sent after `BEGIN`, such as a call that binds the
    ///   transaction to a tenant. Where it fails, the first statement throws its error.
    /// - Throws: ``PGError``, `CancellationError`, or what `body` throws.
    public func transaction<Result: Sendable>(
        _ access: PGAccess = .readWrite,
        opening: SQL? = nil,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (PGTransaction) async throws -> Result
    ) async throws -> Result {
        let connection = try await lease()
        let state = PGTransaction.State(id: newID(), access: access, opening: opening?.rendered)
        let transaction = PGTransaction(connection: connection, state: state)
        do {
            let result = try await body(transaction)
            state.end()
            try await connection.commit(state)
            release(connection)
            return result
        } catch {
            state.end()
            await connection.rollback(state)
            release(connection)
            if Task.isCancelled { throw CancellationError() }
            throw error
        }
    }

    /// Closes what is idle at once and the rest when it comes back; whoever
    /// waits or asks from now on is refused.
    public func close() async {
        let (idle, waiters) = state.withLock { state in
            state.isClosed = true
            state.total -= state.idle.count
            defer { (state.idle, state.waiters) = ([], []) }
            return (state.idle, state.waiters)
        }
        for waiter in waiters {
            waiter.continuation.resume(throwing: PGError(.poolClosed, "the pool was closed"))
        }
        for connection in idle {
            await connection.close()
        }
    }

    private func newID() -> UInt64 {
        state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
    }

    // MARK: Leasing

    private func lease() async throws -> PGConnection {
        switch try await grant() {
        case .connection(let connection): return connection
        case .permission:
            do {
                return try await PGConnection.connect(configuration)
            } catch {
                passOn(nil)
                throw error
            }
        }
    }

    private func grant() async throws -> Grant {
        try Task.checkCancellation()
        let id = newID()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enqueue(Waiter(id: id, continuation: continuation))
            }
        } onCancel: {
            abandon(id, CancellationError())
        }
    }

    private func enqueue(_ waiter: Waiter) {
        enum Decision {
            case grant(Grant, discarding: [PGConnection])
            case refuse(PGError)
            case wait
        }
        let decision: Decision = state.withLock { state in
            if state.isClosed { return .refuse(PGError(.poolClosed, "the pool was closed")) }
            var discarded: [PGConnection] = []
            while let connection = state.idle.popLast() {
                if isFresh(connection) { return .grant(.connection(connection), discarding: discarded) }
                discarded.append(connection)
                state.total -= 1
            }
            if state.total < configuration.maximumConnections {
                state.total += 1
                return .grant(.permission, discarding: discarded)
            }
            guard state.waiters.count < configuration.maximumWaiters else {
                return .refuse(PGError(.poolExhausted, "too many are waiting for a connection"))
            }
            state.waiters.append(waiter)
            return .wait
        }
        switch decision {
        case .grant(let grant, let discarded):
            waiter.continuation.resume(returning: grant)
            for connection in discarded { Task { await connection.close() } }
        case .refuse(let error): waiter.continuation.resume(throwing: error)
        case .wait:
            let timeout = configuration.acquireTimeout
            Task { [self] in
                try? await Task.sleep(for: timeout)
                abandon(waiter.id, PGError(.poolTimeout, "no connection came free within \(timeout)"))
            }
        }
    }

    private func abandon(_ id: UInt64, _ error: any Error) {
        let waiter = state.withLock { state in
            state.waiters.firstIndex { $0.id == id }.map { state.waiters.remove(at: $0) }
        }
        waiter?.continuation.resume(throwing: error)
    }

    private func release(_ connection: PGConnection) {
        if isFresh(connection) {
            passOn(connection)
        } else {
            Task { await connection.close() }
            passOn(nil)
        }
    }

    /// Gives a connection, or the place of one that is gone, to whoever waits longest.
    private func passOn(_ connection: PGConnection?) {
        let (waiter, closing) = state.withLock { state -> (Waiter?, PGConnection?) in
            if !state.waiters.isEmpty { return (state.waiters.removeFirst(), nil) }
            if let connection, !state.isClosed {
                state.idle.append(connection)
                return (nil, nil)
            }
            state.total -= 1
            return (nil, connection)
        }
        waiter?.continuation.resume(returning: connection.map { .connection($0) } ?? .permission)
        if let closing { Task { await closing.close() } }
    }

    private func isFresh(_ connection: PGConnection) -> Bool {
        connection.isUsable && connection.openedAt.duration(to: .now) < configuration.maximumLifetime
    }
}
