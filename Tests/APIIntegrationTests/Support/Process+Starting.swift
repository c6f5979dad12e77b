import Foundation
import Synchronization

extension Process {
    private static let starting = Mutex(())

    /// Starts it, one after another: what tells Foundation of a process's end is open for a moment in which one that
    /// is started beside it would inherit it, and the first would seem to live as long as the second.
    func start() throws {
        try Self.starting.withLock { _ in try run() }
    }
}
