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
public struct PGRowReader {
    private let result: PGResult
    private var row: Int32 = 0
    private var column: Int32 = 0

    /// The number of columns.
    public let columnCount: Int

    init(_ result: PGResult) {
        self.result = result
        columnCount = result.columnCount
    }

    /// Reads the next column.
    /// - Throws: ``PGError`` of kind ``PGError/Kind/decoding`` when there is none, or when its value isn't
    ///   one of that type.
    public mutating func next<Value: PGDecodable>(_ type: Value.Type = Value.self) throws -> Value {
        guard column < columnCount else {
            throw error("only \(columnCount) columns were selected, and the row reads more")
        }
        let cell = PGCell(
            type: PGType(oid: PQftype(result.handle, column)),
            bytes: PQgetisnull(result.handle, row, column) == 1
                ? nil
                : UnsafeRawBufferPointer(
                    start: PQgetvalue(result.handle, row, column),
                    count: Int(PQgetlength(result.handle, row, column))
                )
        )
        do {
            let value = try Value(from: cell)
            column += 1
            return value
        } catch {
            let name = PQfname(result.handle, column).map { String(cString: $0) } ?? ""
            throw self.error("column \(column + 1) \"\(name)\" isn't a \(Value.self): \(error)")
        }
    }

    mutating func begin(row: Int) {
        self.row = Int32(truncatingIfNeeded: row)
        column = 0
    }

    func end() throws {
        guard column == columnCount else {
            throw error("\(columnCount) columns were selected, and the row reads \(column)")
        }
    }

    private func error(_ message: String) -> PGError {
        PGError(.decoding, "row \(row + 1): \(message)", result.origin)
    }
}
