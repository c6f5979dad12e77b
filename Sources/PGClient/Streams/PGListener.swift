/// What a listener hears.
public enum PGListenerEvent: Sendable, Hashable {
    /// From now on notifications are heard; what was sent before may have been missed. It comes first, after
    /// every reconnect, and when notifications had to be dropped because nobody read them. Whoever keeps a copy
    /// of something reads it anew.
    case listening
    /// Somebody has sent a notification.
    case notification(PGNotification)
}

/// Listens to channels on a connection of its own, and goes on after it was lost.
/// ```swift
/// for await event in PGListener(configuration, channels: "sync") {
///     switch event {
///     case .listening: reload()
///     case .notification(let notification): apply(notification.payload)
///     }
/// }
/// ```
/// Each loop has a connection, which it closes when it ends. While the database is away the loop waits, and
/// tries to connect again after a pause with full jitter, at most every five seconds. It does so as well when the
/// server refuses it, such as for a wrong password: what comes of its attempts is counted in the metric
/// `pgclient_listens_total` by `outcome`: `success`, `unconnected`, `refused` or `lost`, with the dimension `pool`,
/// ``PGConfiguration/poolName``.
public struct PGListener: AsyncSequence, Sendable {
    let configuration: PGConfiguration
    let channels: [String]

    /// Prepares to listen to channels of a database, by their names exactly as the server knows them.
    ///
    /// - Precondition: no name is empty or has a NUL, which no channel's can.
    public init(_ configuration: PGConfiguration, channels: String...) {
        for channel in channels {
            precondition(!channel.isEmpty && !channel.utf8.contains(0), "no channel can have this name")
        }
        self.configuration = configuration
        self.channels = channels
    }

    /// Connects in the background.
    public func makeAsyncIterator() -> Iterator {
        Iterator(task: ListeningTask(configuration, channels))
    }

    /// Hears one event after the other.
    public struct Iterator: AsyncIteratorProtocol {
        let task: ListeningTask

        /// The next event; nil when the task was cancelled.
        public mutating func next() async -> PGListenerEvent? {
            await task.next()
        }
    }
}
