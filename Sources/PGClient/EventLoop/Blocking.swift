import Dispatch

/// Calls that block and can't be made not to: connecting, asking the server to cancel. Each gets a thread of its
/// own, of which there are at most a few at a time, since a connection has one such call under way.
enum Blocking {
    /// A serial queue of its own brings a thread of its own. A concurrent one would take threads out of the
    /// pool in which Swift's tasks run as well: with as many calls blocked as there are processors, the tasks
    /// of the whole process would wait, and Dispatch adds one thread per second.
    static func run(_ work: @escaping @Sendable () -> Void) {
        DispatchQueue(label: "PGClient.blocking").async(execute: work)
    }
}
