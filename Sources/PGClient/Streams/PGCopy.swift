/// A COPY from the server: its data, in pieces as the server sends them, which is a row each in the text and
/// CSV formats.
///
/// While the loop's body is busy, the server is held up. The transaction can't be used for anything else until
/// the loop ends.
public struct PGCopyOut: AsyncSequence, Sendable {
    let lease: Lease
    let id: Int?
    let statement: Statement

    /// Sends the COPY at the first call of `next()`.
    public func makeAsyncIterator() -> Iterator {
        let statement = statement
        return Iterator(reader: StreamReader(lease, in: id) { .copyOut(statement, into: $0) })
    }

    /// Reads the data.
    public struct Iterator: AsyncIteratorProtocol {
        @usableFromInline let reader: StreamReader<[UInt8]>

        init(reader: StreamReader<[UInt8]>) {
            self.reader = reader
        }

        /// The next piece, or nil at the end.
        /// - Throws: ``PGError``, or `CancellationError` when the task was cancelled.
        @inlinable
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> [UInt8]? {
            if let piece = reader.nextAtHand() { return piece }
            return try await reader.next(isolation: actor)
        }
    }
}

extension PGTransaction {
    /// Runs a `copy … to stdout`, whose statement can't have parameters.
    public func copyOut(_ sql: SQL, file: StaticString = #fileID, line: UInt = #line) -> PGCopyOut {
        PGCopyOut(lease: lease, id: id, statement: Statement(sql, file: file, line: line))
    }

    /// Runs a `copy … from stdin`, whose statement can't have parameters, and returns how many rows there were.
    ///
    /// The data is in the statement's format and cut anywhere; the next piece is asked for when the socket has
    /// taken the one before. What the server refuses is known only at the end. If the sequence throws, its error is thrown, nothing of the copy is kept, and the
    /// transaction can only be rolled back.
    @discardableResult
    public func copyIn<Chunks: AsyncSequence>(
        _ sql: SQL,
        from chunks: Chunks,
        file: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> Int where Chunks.Element == [UInt8] {
        try await lease.copyIn(Statement(sql, file: file, line: line), in: id) { write in
            for try await chunk in chunks {
                guard try await write(chunk) else { return }
            }
        }
    }

    /// Copies rows into a table in the binary format: the fastest way to insert many.
    /// ```swift
    /// try await transaction.copyIn(people.map { ($0.id, $0.name) }, into: ["person"], columns: ["id", "name"])
    /// ```
    /// A row is a tuple with a value for each column, or a value if there is one column. Each column of the table
    /// has to have exactly the type of its value: an `Int` is a `bigint`. The table's name may have its schema's
    /// before it. Returns how many rows there were.
    @discardableResult
    public func copyIn<Rows: Sequence, each Column: PGCopyable>(
        _ rows: Rows,
        into table: [String],
        columns: [String],
        file: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> Int where Rows.Element == (repeat each Column) {
        let (table, names) = (Self.list(table, "."), Self.list(columns, ", "))
        let statement = Statement(
            "copy \(table) (\(names)) from stdin (format binary)",
            file: file,
            line: line
        )
        var values = 0
        for _ in repeat (each Column).self { values += 1 }
        guard values == columns.count else {
            let message = "a row has \(values) values for \(columns.count) columns"
            throw PGError(.invalidStatement, message, statement.origin)
        }
        return try await lease.copyIn(statement, in: id) { write in
            var buffer = PGBuffer(copyingColumns: columns.count)
            for row in rows {
                buffer.append(Int16(truncatingIfNeeded: columns.count))
                repeat (each row).encodeColumn(into: &buffer)
                if buffer.isChunk, try await !write(buffer.take()) { return }
            }
            buffer.append(-1 as Int16)
            _ = try await write(buffer.take())
        }
    }
}

extension PGTransaction {
    private static func list(_ names: [String], _ separator: SQL) -> SQL {
        names.map { "\(identifier: $0)" }.joined(separator: separator)
    }
}

/// A value of a row that is copied in the binary format: everything that is ``PGEncodable``, and `Optional`s
/// of those.
public protocol PGCopyable: Sendable {
    /// Appends the value, preceded by its length.
    func encodeColumn(into buffer: inout PGBuffer)
}

extension PGEncodable {
    /// Appends the value, preceded by its length.
    public func encodeColumn(into buffer: inout PGBuffer) {
        buffer.appendWithLength(encode)
    }
}

extension Optional: PGCopyable where Wrapped: PGEncodable {
    /// Appends the value, or a NULL.
    public func encodeColumn(into buffer: inout PGBuffer) {
        if let self { self.encodeColumn(into: &buffer) } else { buffer.append(-1 as Int32) }
    }
}

extension PGBuffer {
    /// With the header of the binary format: its signature, no flags, nothing more.
    fileprivate init(copyingColumns count: Int) {
        append(contentsOf: "PGCOPY\n".utf8)
        append(contentsOf: [0xFF, 0x0D, 0x0A, 0x00])
        append(0 as Int32)
        append(0 as Int32)
    }

    /// Whether there is enough for a message.
    fileprivate var isChunk: Bool { bytes.count >= 64 << 10 }

    /// What has been written so far; afterwards there is nothing.
    fileprivate mutating func take() -> [UInt8] {
        let chunk = bytes
        bytes.removeAll(keepingCapacity: false)
        bytes.reserveCapacity(chunk.count + 1024)
        return chunk
    }
}

extension Lease {
    /// Runs a COPY to the server.
    ///
    /// - Parameter body: writes with the function it is given, which answers false when the server takes no
    ///   more.
    func copyIn(
        _ statement: Statement,
        in id: Int?,
        _ body: (_ write: ([UInt8]) async throws -> Bool) async throws -> Void
    ) async throws -> Int {
        let writer = CopyWriter()
        let (request, backend) = try await stream(.copyIn(statement, writer), in: id)
        return try await withTaskCancellationHandler {
            do {
                try await body { chunk in
                    guard chunk.count < Int32.max else {
                        throw PGError(
                            .invalidStatement,
                            "a piece of a copy has 2 GiB or more",
                            statement.origin
                        )
                    }
                    guard await writer.wait() else { return false }
                    backend.write(chunk)
                    return true
                }
            } catch {
                if await writer.wait() { backend.endCopy(failure: "the client has failed") }
                _ = await request.outcome()
                endStream(request, error)
                throw error
            }
            if await writer.wait() { backend.endCopy() }
            let outcome = await request.outcome()
            endStream(request, outcome.failure?.error)
            if let failure = outcome.failure { throw failure.error }
            return outcome.result?.affectedRows ?? 0
        } onCancel: {
            request.cancel()?.cancel(request)
        }
    }
}
