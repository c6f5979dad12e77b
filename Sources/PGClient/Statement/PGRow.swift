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
    private let handle: OpaquePointer
    /// The next column of a row that was copied out of its result; nil for one that is read where it is.
    @usableFromInline private(set) var copied: UnsafeRawPointer?
    private var row = 0
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
        let type = types[Int(column)]
        if let copied {
            let length = Int(copied.loadUnaligned(as: Int32.self))
            let value = copied + MemoryLayout<Int32>.size
            self.copied = value + max(length, 0)
            return PGCell(
                type: type,
                bytes: length < 0 ? nil : UnsafeRawBufferPointer(start: value, count: length)
            )
        }
        var bytes: UnsafeRawBufferPointer?
        let row = Int32(truncatingIfNeeded: row)
        let length = PQgetlength(handle, row, column)
        if length > 0 || PQgetisnull(handle, row, column) == 0 {
            bytes = UnsafeRawBufferPointer(start: PQgetvalue(handle, row, column), count: Int(length))
        }
        return PGCell(type: type, bytes: bytes)
    }

    @usableFromInline
    func error(reading type: Any.Type, _ error: any Error) -> PGError {
        let name = PQfname(handle, column - 1).map { String(cString: $0) } ?? ""
        return self.error("column \(column) \"\(name)\" isn't a \(type): \(error)")
    }

    @usableFromInline
    mutating func begin(row: Int) {
        self.row = row
        column = 0
    }

    /// Begins a row that was copied out of a result of the same statement.
    ///
    /// - Parameter start: where its first column is, until its last was read.
    @usableFromInline
    mutating func begin(row: Int, copiedAt start: UnsafeRawPointer?) {
        begin(row: row)
        copied = start
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
