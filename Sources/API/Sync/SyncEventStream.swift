import Synchronization

/// What one open stream has to say next. It keeps the newest event only, so a
/// client that reads slowly costs no more than one that reads at once.
final class SyncEventStream: Sendable {
    private struct State {
        /// The newest version that the client has been told of, or has made.
        var known = 0
        var news: SyncEvent?
        var isDisplaced = false
    }

    private let deviceID: String?
    private let wake: AsyncStream<Void>.Continuation
    private let state = Mutex(State())

    /// - Parameter deviceID: the device that listens, which is not told of what it made itself.
    init(deviceID: String?, wake: AsyncStream<Void>.Continuation) {
        self.deviceID = deviceID
        self.wake = wake
    }

    /// Tells it what the client knows already.
    func begin(knowing version: Int) {
        state.withLock { state in
            state.known = max(state.known, version)
            if let news = state.news, news.version <= version { state.news = nil }
        }
    }

    func offer(_ event: SyncEvent) {
        let isNews = state.withLock { state in
            guard event.version > state.known else { return false }
            state.known = event.version
            // Its answer had everything before it too.
            state.news = event.deviceID == deviceID ? nil : event
            return state.news != nil
        }
        if isNews { wake.yield() }
    }

    /// Has it say something, whether or not there is news.
    func beat() {
        wake.yield()
    }

    func end() {
        wake.finish()
    }

    /// Ends it in favour of a newer stream, and asks the client not to hurry back and displace another one.
    func displace() {
        state.withLock { $0.isDisplaced = true }
        wake.yield()
        wake.finish()
    }

    /// What it was woken for: the news, or the comment that keeps the line alive.
    func message() throws -> String {
        let (news, isDisplaced) = state.withLock { state in
            defer { state.news = nil }
            return (state.news, state.isDisplaced)
        }
        return (try news?.message() ?? ": \n\n") + (isDisplaced ? "retry: 60000\n\n" : "")
    }
}
