import Crypto
import Foundation
import Logging
import PGClient
import Synchronization
import Tenancy

/// Tells every server process that somebody has synced, after it was committed.
///
/// A NOTIFY in the sync's own transaction would lock the whole database's
/// notifications until that commit is on disk, and so put all syncs in one
/// queue. Here one statement tells of everybody who synced since the last one.
/// What can't be sent is dropped: the streams look for themselves now and then.
final class SyncDoorbell: Sendable {
    static let channel = "breathmaster_sync"
    /// The most people who wait to be told of. Beyond, their devices find out by looking.
    static let mostWaiting = 10_000

    private struct State {
        /// The newest of each person. An older one by another device says nothing more: whoever made the
        /// newest has it in their answer.
        var waiting: [UUID: SyncEvent] = [:]
        var isSending = false
    }

    private let pool: PGPool
    private let key: SymmetricKey
    private let logger: Logger
    private let state = Mutex(State())

    init(pool: PGPool, key: SymmetricKey, logger: Logger) {
        self.pool = pool
        self.key = key
        self.logger = logger
    }

    /// Says that a device has made a version of the person's state. Returns at once.
    func ring(for principal: Principal, at version: Int, by deviceID: String) {
        let event = SyncEvent(uid: principal.uid, version: version, deviceID: deviceID)
        let isFirst = state.withLock { state in
            let waiting = state.waiting[event.uid]
            guard waiting.map({ $0.version < version }) ?? (state.waiting.count < Self.mostWaiting) else {
                return false
            }
            state.waiting[event.uid] = event
            defer { state.isSending = true }
            return !state.isSending
        }
        if isFirst { Task { await send() } }
    }

    /// Sends until nobody waits.
    private func send() async {
        while let events = takeWaiting() {
            do {
                let payloads = try events.compactMap { try $0.sealed(with: key) }
                // The notifications have nothing to lose that a disk would keep.
                try await pool.execute(
                    """
                    select pg_notify(\(Self.channel), payload)
                    from set_config('synchronous_commit', 'off', true), unnest(\(payloads)) as waiting (payload)
                    """
                )
            } catch {
                logger.warning(
                    "sync events were dropped",
                    metadata: ["count": "\(events.count)", "error": "\(error)"]
                )
            }
        }
    }

    private func takeWaiting() -> [SyncEvent]? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isSending = false
                return nil
            }
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
    }
}
