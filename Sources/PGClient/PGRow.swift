import CLibpq

/// A type that a row can become, column by column in their order.
public protocol PGRow: Sendable {
    /// Reads the columns with ``PGRowReader/next()``.
    init(from row: inout PGRowReader) throws
}

/// Walks along one row, straight over libpq's buffer.
public struct PGRowReader {
    let result: OpaquePointer
    let row: Int32
    var column: Int32 = 0

    /// The next column as the type that is asked for.
    public mutating func next<Value: PGDecodable>(_ type: Value.Type = Value.self) throws -> Value {
        guard column < PQnfields(result) else {
            throw PGDecodingError(type: PGType(oid: 0), into: "column \(column + 1)")
        }
        defer { column += 1 }
        guard PQgetisnull(result, row, column) == 0 else { return try Value.fromNull() }
        let bytes = UnsafeRawBufferPointer(
            start: PQgetvalue(result, row, column),
            count: Int(PQgetlength(result, row, column))
        )
        return try Value(from: PGCell(type: PGType(oid: PQftype(result, column)), bytes: bytes))
    }
}

/// A result that libpq allocated.
///
/// Unchecked: libpq never changes a result once it has handed it out, and only
/// `deinit` frees it.
final class PGResult: @unchecked Sendable {
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        PQclear(pointer)
    }

    var commandTag: String { String(cString: PQcmdStatus(pointer)) }
    var affectedRows: Int { Int(String(cString: PQcmdTuples(pointer))) ?? 0 }

    func rows<Row>(_ decode: (inout PGRowReader) throws -> Row) throws -> [Row] {
        try (0..<PQntuples(pointer)).map { row in
            var reader = PGRowReader(result: pointer, row: row)
            let decoded = try decode(&reader)
            guard reader.column == PQnfields(pointer) else {
                throw PGDecodingError(type: PGType(oid: 0), into: "\(reader.column) columns")
            }
            return decoded
        }
    }

    var error: PGError {
        func field(_ code: Character) -> String? {
            code.asciiValue.flatMap { PQresultErrorField(pointer, Int32($0)) }.map { String(cString: $0) }
        }
        // The letters are those of the protocol's ErrorResponse fields.
        var error = PGError(.server, field("M") ?? String(cString: PQresultErrorMessage(pointer)))
        error.sqlState = field("C").map(SQLState.init(rawValue:))
        error.constraint = field("n")
        error.table = field("t")
        error.detail = field("D")
        return error
    }
}
