import CLibpq

/// A row type that reads its columns one after the other, in the order of the `select` list:
/// ```swift
/// struct Person: PGRow {
///     let id: UUID
///     let name: String?
///     init(from row: inout PGRowReader) throws {
///         id = try row.next()
///         name = try row.next()
///     }
/// }
/// ```
public protocol PGRow: Sendable {
    /// Reads every column; leaving one unread is an error.
    init(from row: inout PGRowReader) throws
}

/// Reads the columns of a row from left to right.
///
/// It is inlined where rows are read, so that a row costs as many calls as it has columns and no more.
public struct PGRowReader {
    /// Of the result that is read, which whoever made this keeps.
    private var handle: OpaquePointer
    private var row: Int32 = 0
    private var column: Int32 = 0
    private let types: [PGType]
    private let origin: Origin

    /// The number of columns.
    public var columnCount: Int { types.count }

    init(_ handle: OpaquePointer, origin: Origin) {
        self.handle = handle
        self.origin = origin
        types = (0..<PQnfields(handle)).map { PGType(oid: PQftype(handle, $0)) }
    }

    /// Reads the next column.
    /// - Throws: ``PGError`` of kind ``PGError/Kind/decoding`` when there is none, or when its value isn't
    ///   one of that type.
    @inlinable
    public mutating func next<Value: PGDecodable>(_ type: Value.Type = Value.self) throws -> Value {
        let cell = try nextCell()
        do {
            return try Value(from: cell)
        } catch {
            throw self.error(reading: Value.self, error)
        }
    }

    @usableFromInline
    mutating func nextCell() throws -> PGCell {
        guard column < types.count else {
            throw error("only \(types.count) columns were selected, and the row reads more")
        }
        defer { column += 1 }
        var bytes: UnsafeRawBufferPointer?
        let length = PQgetlength(handle, row, column)
        if length > 0 || PQgetisnull(handle, row, column) == 0 {
            bytes = UnsafeRawBufferPointer(start: PQgetvalue(handle, row, column), count: Int(length))
        }
        return PGCell(type: types[Int(column)], bytes: bytes)
    }

    @usableFromInline
    func error(reading type: Any.Type, _ error: any Error) -> PGError {
        let name = PQfname(handle, column - 1).map { String(cString: $0) } ?? ""
        return self.error("column \(column) \"\(name)\" isn't a \(type): \(error)")
    }

    @usableFromInline
    mutating func begin(row: Int) {
        self.row = Int32(truncatingIfNeeded: row)
        column = 0
    }

    /// Goes on with another result of the same statement.
    mutating func begin(_ handle: OpaquePointer) {
        self.handle = handle
        column = 0
    }

    @usableFromInline
    func end() throws {
        guard column == types.count else {
            throw error("\(types.count) columns were selected, and the row reads \(column)")
        }
    }

    private func error(_ message: String) -> PGError {
        PGError(.decoding, "row \(row + 1): \(message)", origin)
    }
}
