import CLibpq

/// Some rows of a stream, each in a result of its own, as libpq hands them out.
///
/// It can be read from any thread, like ``PGResult`` and for the same reason: hence `@unchecked`.
final class RowBatch: @unchecked Sendable {
    let handles: [OpaquePointer]
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
