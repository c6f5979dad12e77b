import CLibpq

/// Some rows of a stream, each in a result of its own, as libpq hands them out. They can be read from any thread.
final class RowBatch: Sendable {
    /// Safe: nothing changes a PGresult after libpq has handed it out, and the batch has the only references
    /// to its results, which it clears when nobody has the batch any more.
    nonisolated(unsafe) let handles: [OpaquePointer]
    let origin: Origin

    /// Takes over the results.
    init(_ handles: [OpaquePointer], origin: Origin) {
        self.handles = handles
        self.origin = origin
    }

    deinit {
        for handle in handles { PQclear(handle) }
    }
}
