import Crypto
import Foundation
import HTTPTypes
import Logging
import PGClient
import ServiceLifecycle
import Synchronization
import Tenancy

/// The event streams that are open in this process, and what feeds them: one
/// connection that listens for all of them, and a look at the database where
/// something may have been missed.
final class SyncEvents: Service {
    /// How much of it there is, and how often.
    struct Bounds: Sendable {
        var streams = 10_000
        /// More would be windows that nobody closed: the oldest gives way.
        var streamsPerPerson = 8
        /// Below the 30 to 60 seconds after which proxies take a silent line for dead.
        var heartbeat: Duration = .seconds(15)
        var look: Duration = .seconds(60)
    }

    private struct State {
        /// Each person's, the oldest first.
        var streams: [UUID: [SyncEventStream]] = [:]
        var count = 0

        mutating func remove(_ id: ObjectIdentifier, of uid: UUID) {
            guard let index = streams[uid]?.firstIndex(where: { ObjectIdentifier($0) == id }) else { return }
            streams[uid]?.remove(at: index)
            if streams[uid]?.isEmpty == true { streams[uid] = nil }
            count -= 1
        }
    }

    let bounds: Bounds
    private let pool: PGPool
    private let key: SymmetricKey
    private let logger: Logger
    private let state = Mutex(State())
    private let (looks, lookSoon) = AsyncStream.makeStream(
        of: Void.self,
        bufferingPolicy: .bufferingNewest(1)
    )

    init(pool: PGPool, key: SymmetricKey, bounds: Bounds, logger: Logger) {
        self.pool = pool
        self.key = key
        self.bounds = bounds
        self.logger = logger
    }

    // MARK: Streams

    /// Opens a stream for a person, whose oldest ends where they have too many.
    ///
    /// - Parameter deviceID: the device that listens, where it is known.
    /// - Returns: the stream, and what tells when it has something to say. The stream's place is free again
    ///   when that has ended or nobody holds it any more, whatever became of the answer it was for.
    /// - Throws: a ``Problem`` where the process has no room.
    func open(for uid: UUID, by deviceID: String?) throws -> (SyncEventStream, AsyncStream<Void>) {
        let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let stream = SyncEventStream(deviceID: deviceID, wake: wake)
        let id = ObjectIdentifier(stream)
        wake.onTermination = { [weak self] _ in self?.state.withLock { $0.remove(id, of: uid) } }

        let displaced = try state.withLock { state -> SyncEventStream? in
            let own = state.streams[uid] ?? []
            let oldest = own.count < bounds.streamsPerPerson ? nil : own.first
            if let oldest { state.remove(ObjectIdentifier(oldest), of: uid) }
            guard state.count < bounds.streams else { throw Problem.tooManyStreams }
            state.streams[uid, default: []].append(stream)
            state.count += 1
            return oldest
        }
        // Outside of the lock, which its termination takes.
        displaced?.displace()
        return (stream, wakes)
    }

    private func deliver(_ event: SyncEvent) {
        for stream in state.withLock({ $0.streams[event.uid] ?? [] }) { stream.offer(event) }
    }

    // MARK: What feeds them

    /// Feeds the streams until the server shuts down, or the task is cancelled.
    func run() async {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.listen() }
                group.addTask { for await _ in self.looks { await self.look() } }
                group.addTask {
                    while (try? await Task.sleep(for: self.bounds.look)) != nil { self.lookSoon.yield() }
                }
            }
        }
    }

    private func listen() async {
        var configuration = pool.configuration
        configuration.applicationName = "breathmaster events"
        for await event in PGListener(configuration, channels: SyncDoorbell.channel) {
            switch event {
            case .listening:
                logger.info("listening for syncs")
                lookSoon.yield()
            case .notification(let notification):
                if let event = SyncEvent(sealed: notification.payload, with: key) { deliver(event) }
            }
        }
    }

    /// Reads for everybody who has a stream whether they missed something: one after the other, so that it
    /// takes one connection from those who sync, however many listen. Whom it can't read for, the next look
    /// does.
    private func look() async {
        let database = TenantDatabase(pool: pool)
        for uid in state.withLock({ Array($0.streams.keys) }) where !Task.isCancelled {
            if let newest = try? await database.read(as: Principal(uid: uid), { try await $0.newestSync() }) {
                deliver(newest)
            }
        }
    }
}

extension Problem {
    fileprivate static let tooManyStreams = Problem(
        .serviceUnavailable,
        "too_many_streams",
        "No more event streams can be open right now",
        retryAfter: 60
    )
}
