import CLibpq

/// What a statement has answered, in libpq's own memory. It can be read from any thread.
public final class PGResult: Sendable {
    /// Safe: nothing changes a PGresult after libpq has handed it out, and the class has the only reference
    /// to it, which it clears when nobody has the class any more.
    nonisolated(unsafe) let handle: OpaquePointer
    let origin: Origin

    /// Takes over the result.
    init(_ handle: OpaquePointer, origin: Origin) {
        self.handle = handle
        self.origin = origin
    }

    deinit {
        PQclear(handle)
    }

    /// The number of rows.
    public var rowCount: Int { Int(PQntuples(handle)) }

    /// The number of columns.
    public var columnCount: Int { Int(PQnfields(handle)) }

    /// The number of rows that were inserted, updated, deleted or selected; 0 for any other statement.
    public var affectedRows: Int {
        PQcmdTuples(handle).flatMap { Int(String(cString: $0)) } ?? 0
    }

    /// The command tag, such as `COMMIT`.
    var commandTag: String {
        PQcmdStatus(handle).map { String(cString: $0) } ?? ""
    }

    /// Reads the rows, at most as many as the limit says.
    @inlinable
    public func rows<Row: PGRow>(as row: Row.Type = Row.self, limit: Int = .max) throws -> [Row] {
        try rows(limit) { try Row(from: &$0) }
    }

    /// Reads the rows into tuples, or into values if there is one column.
    @inlinable
    public func rows<each Column: PGDecodable>(
        as row: (repeat each Column).Type,
        limit: Int = .max
    ) throws -> [(repeat each Column)] {
        try rows(limit) { reader in (repeat try reader.next((each Column).self)) }
    }

    @inlinable
    func rows<Row>(_ limit: Int, _ read: (inout PGRowReader) throws -> Row) throws -> [Row] {
        let count = min(rowCount, limit)
        var rows: [Row] = []
        rows.reserveCapacity(count)
        var reader = reader()
        for index in 0..<count {
            reader.begin(row: index)
            rows.append(try read(&reader))
            try reader.end()
        }
        return rows
    }

    @usableFromInline
    func reader() -> PGRowReader {
        PGRowReader(handle, origin: origin)
    }
}
