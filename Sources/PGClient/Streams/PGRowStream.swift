/// The rows of a query, one after the other, as the server sends them.
///
/// However many there are, only a few hundred kilobytes are in memory: while the loop's body is busy, the
/// server is held up. The query is sent when the loop begins, and its statement timeout counts from row to
/// row. Until the loop ends the transaction can't be used for anything else; one that is left early reads on
/// in the background and drops the rows, for at most the statement timeout: a query that is never read to its end
/// deserves a `limit`.
///
/// ``PGTransaction`` makes one with its `stream`.
public struct PGRowStream<Row: Sendable>: AsyncSequence, Sendable {
    let lease: Lease
    let id: Int?
    let statement: Statement
    let read: @Sendable (inout PGRowReader) throws -> Row

    /// Sends the query at the first call of `next()`.
    public func makeAsyncIterator() -> Iterator {
        let statement = statement
        return Iterator(batches: StreamReader(lease, in: id) { .rows(statement, into: $0) }, read: read)
    }

    /// Reads the rows.
    public struct Iterator: AsyncIteratorProtocol {
        @usableFromInline let batches: StreamReader<RowBatch>
        @usableFromInline let read: @Sendable (inout PGRowReader) throws -> Row
        @usableFromInline var batch: RowBatchReader?

        init(batches: StreamReader<RowBatch>, read: @escaping @Sendable (inout PGRowReader) throws -> Row) {
            self.batches = batches
            self.read = read
        }

        /// The next row, or nil after the last.
        ///
        /// It stays where it is called: most rows are there already, and a change of executors would be the largest
        /// part of what they cost.
        /// - Throws: ``PGError``, or `CancellationError` when the task was cancelled.
        @inlinable
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> Row? {
            while true {
                if let row = try batch?.next(read) { return row }
                guard let next = try await batches.next(isolation: actor) else { return nil }
                batch = RowBatchReader(next, from: batch?.row ?? 0)
            }
        }
    }
}

extension PGTransaction {
    /// The rows of a query as a stream.
    public func stream<Row: PGRow>(
        _ sql: SQL,
        as row: Row.Type = Row.self,
        file: StaticString = #fileID,
        line: UInt = #line
    ) -> PGRowStream<Row> {
        stream(Statement(sql, prepares: false, file: file, line: line)) { try Row(from: &$0) }
    }

    /// The rows of a query as a stream of tuples, or of values if it has one column:
    /// ```swift
    /// for try await (id, name) in transaction.stream("select id, name from person", as: (UUID, String).self) {
    ///     …
    /// }
    /// ```
    public func stream<each Column: PGDecodable>(
        _ sql: SQL,
        as row: (repeat each Column).Type,
        file: StaticString = #fileID,
        line: UInt = #line
    ) -> PGRowStream<(repeat each Column)> {
        stream(Statement(sql, prepares: false, file: file, line: line)) { reader in
            (repeat try reader.next((each Column).self))
        }
    }

    private func stream<Row>(
        _ statement: Statement,
        _ read: @escaping @Sendable (inout PGRowReader) throws -> Row
    ) -> PGRowStream<Row> {
        PGRowStream(lease: lease, id: id, statement: statement, read: read)
    }
}
