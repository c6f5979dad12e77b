/// Something that runs statements: a transaction, or a connection outside of one.
///
/// Every method throws ``PGError``, or `CancellationError` when the task was cancelled. A statement whose
/// task is cancelled while it runs is cancelled in the server, and with it the transaction that it belongs
/// to.
public protocol PGSession: Sendable {
    /// Runs a statement and returns its undecoded result. The other methods are spelled with this one.
    func run(_ sql: SQL, file: StaticString, line: UInt) async throws -> PGResult
}

extension PGSession {
    /// Runs a statement and returns how many rows it has inserted, updated, deleted or selected.
    @discardableResult
    public func execute(_ sql: SQL, file: StaticString = #fileID, line: UInt = #line) async throws -> Int {
        try await run(sql, file: file, line: line).affectedRows
    }

    /// All rows of a query.
    @inlinable
    public func query<Row: PGRow>(
        _ sql: SQL,
        as row: Row.Type = Row.self,
        file: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> [Row] {
        try await run(sql, file: file, line: line).rows(as: row)
    }

    /// All rows of a query as tuples, or as values if it has one column:
    /// ```swift
    /// let people = try await transaction.query("select id, name from person", as: (UUID, String).self)
    /// ```
    @inlinable
    public func query<each Column: PGDecodable>(
        _ sql: SQL,
        as row: (repeat each Column).Type,
        file: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> [(repeat each Column)] {
        try await run(sql, file: file, line: line).rows(as: row)
    }

    /// The first row of a query, or nil if there is none.
    @inlinable
    public func queryFirst<Row: PGRow>(
        _ sql: SQL,
        as row: Row.Type = Row.self,
        file: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> Row? {
        try await run(sql, file: file, line: line).rows(as: row, limit: 1).first
    }

    /// The first row of a query as a tuple, or nil if there is none.
    @inlinable
    public func queryFirst<each Column: PGDecodable>(
        _ sql: SQL,
        as row: (repeat each Column).Type,
        file: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> (repeat each Column)? {
        try await run(sql, file: file, line: line).rows(as: row, limit: 1).first
    }

    /// The row of a query that has exactly one.
    /// - Throws: ``PGError/Kind/unexpectedRowCount`` if it hasn't.
    @inlinable
    public func queryOne<Row: PGRow>(
        _ sql: SQL,
        as row: Row.Type = Row.self,
        file: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> Row {
        try await run(sql, file: file, line: line).expectingOneRow().rows(as: row)[0]
    }

    /// The row of a query that has exactly one, as a tuple.
    /// - Throws: ``PGError/Kind/unexpectedRowCount`` if it hasn't.
    @inlinable
    public func queryOne<each Column: PGDecodable>(
        _ sql: SQL,
        as row: (repeat each Column).Type,
        file: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> (repeat each Column) {
        try await run(sql, file: file, line: line).expectingOneRow().rows(as: row)[0]
    }
}

extension PGResult {
    /// The result, if it has exactly one row.
    @usableFromInline
    func expectingOneRow() throws -> PGResult {
        guard rowCount == 1 else {
            throw PGError(.unexpectedRowCount, "\(rowCount) rows instead of one", origin)
        }
        return self
    }
}
