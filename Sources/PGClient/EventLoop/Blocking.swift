import Dispatch

/// Calls that block and can't be made not to: resolving a name, asking the server to cancel. They get a
/// thread outside Swift's concurrency pool and outside the reactor. There are at most a few at a time, since
/// a connection has one of them under way.
enum Blocking {
    private static let queue = DispatchQueue(label: "PGClient.blocking", attributes: .concurrent)

    static func run(_ work: @escaping @Sendable () -> Void) {
        queue.async(execute: work)
    }
}
