import Synchronization

/// What a transaction may do.
public enum PGAccess: Sendable {
    /// Reads only, and every statement of the transaction sees the same snapshot.
    case readOnly
    /// `begin`.
    case readWrite

    var begin: String {
        self == .readOnly ? "begin isolation level repeatable read, read only" : "begin"
    }
}

/// An open transaction. Statements from several child tasks are sent in turn
/// and share the pipeline. After its closure has ended it refuses to be used.
public struct PGTransaction: Sendable {
    final class State: Sendable {
        let id: UInt64
        let access: PGAccess
        let opening: (text: String, parameters: [PGParameter])?
        private let ended = Atomic(false)

        init(id: UInt64, access: PGAccess, opening: (text: String, parameters: [PGParameter])?) {
            self.id = id
            self.access = access
            self.opening = opening
        }

        var hasEnded: Bool { ended.load(ordering: .acquiring) }
        func end() { ended.store(true, ordering: .releasing) }
    }

    let connection: PGConnection
    let state: State

    /// Runs a statement; the number of rows that it affected.
    @discardableResult
    public func execute(_ sql: SQL, file: StaticString = #fileID, line: UInt = #line) async throws -> Int {
        try await send(sql, file: file, line: line) { $0?.affectedRows ?? 0 }
    }

    /// Every row, as a type that reads them.
    public func query<Row: PGRow>(
        _ sql: SQL,
        as row: Row.Type = Row.self,
        file: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> [Row] {
        try await send(sql, file: file, line: line) { try $0?.rows { try Row(from: &$0) } ?? [] }
    }

    /// Every row, as a tuple of its columns.
    public func query<each Column: PGDecodable>(
        _ sql: SQL,
        as columns: (repeat each Column).Type,
        file: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> [(repeat each Column)] {
        try await send(sql, file: file, line: line) { result in
            try result?.rows { row in (repeat try row.next((each Column).self)) } ?? []
        }
    }

    /// The first row, or nil.
    public func queryFirst<Row: PGRow>(
        _ sql: SQL,
        as row: Row.Type = Row.self,
        file: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> Row? {
        try await query(sql, as: row, file: file, line: line).first
    }

    /// The one row that there must be.
    /// - Throws: ``PGError`` of kind `unexpectedRowCount`.
    public func queryOne<each Column: PGDecodable>(
        _ sql: SQL,
        as columns: (repeat each Column).Type,
        file: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> (repeat each Column) {
        let rows = try await query(sql, as: columns, file: file, line: line)
        guard rows.count == 1, let row = rows.first else {
            throw PGError(.unexpectedRowCount, "\(rows.count) rows where there must be one")
        }
        return row
    }

    /// Runs trusted text that may hold many statements, such as a migration.
    public func script(_ text: String) async throws {
        try await connection.script(text, in: state)
    }

    private func send<Output>(
        _ sql: SQL,
        file: StaticString,
        line: UInt,
        _ decode: (PGResult?) throws -> Output
    ) async throws -> Output {
        let (text, parameters) = sql.rendered
        do {
            return try decode(try await connection.send(text, parameters, in: state))
        } catch let error as PGDecodingError {
            var told = PGError(.decoding, "a column of type \(error.type.oid) does not become \(error.into)")
            (told.sql, told.file, told.line) = (text, "\(file)", line)
            throw told
        } catch var error as PGError {
            (error.sql, error.file, error.line) = (text, "\(file)", line)
            throw error
        }
    }
}
