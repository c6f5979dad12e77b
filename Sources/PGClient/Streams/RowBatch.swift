import CLibpq

/// Rows of a stream, copied out of the results of one row each that libpq hands out. Each of those is given back at
/// once, and the next one finds its memory still warm.
@usableFromInline
final class RowBatch: Sendable {
    /// One of the rows as libpq has handed it out, which knows the columns.
    let columns: PGResult
    /// Of each column of each row the length, in the machine's byte order and -1 for NULL, and the value.
    ///
    /// Safe: only the connection that copies rows writes here, before anybody else has the batch, which frees it when
    /// nobody has the batch any more.
    nonisolated(unsafe) private var memory = UnsafeMutableRawBufferPointer.allocate(
        byteCount: 4 << 10,
        alignment: 1
    )
    /// How many rows there are.
    ///
    /// Safe: only the connection that copies rows counts them, before anybody else has the batch.
    nonisolated(unsafe) private(set) var count = 0
    /// How many bytes the rows have.
    ///
    /// Safe: only the connection that copies rows adds to it, before anybody else has the batch.
    nonisolated(unsafe) private(set) var size = 0

    /// Without rows.
    init(of columns: PGResult) {
        self.columns = columns
    }

    deinit {
        memory.deallocate()
    }

    /// The rows, as long as the batch is there.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<size]) }

    /// How many bytes it keeps from others.
    var footprint: Int { memory.count + PQresultMemorySize(columns.handle) }

    /// Copies a row.
    func append(_ row: OpaquePointer) {
        for column in 0..<PQnfields(row) {
            let length = PQgetlength(row, 0, column)
            let isNull = length == 0 && PQgetisnull(row, 0, column) == 1
            reserve(MemoryLayout<Int32>.size + Int(length))
            memory.storeBytes(of: isNull ? -1 : length, toByteOffset: size, as: Int32.self)
            size += MemoryLayout<Int32>.size
            memory.baseAddress?.advanced(by: size).copyMemory(
                from: PQgetvalue(row, 0, column),
                byteCount: Int(length)
            )
            size += Int(length)
        }
        count += 1
    }

    private func reserve(_ more: Int) {
        guard size + more > memory.count else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * (size + more), alignment: 1)
        larger.copyMemory(from: bytes)
        memory.deallocate()
        memory = larger
    }
}

/// Reads the rows of a batch one after the other.
@usableFromInline
struct RowBatchReader {
    private let batch: RowBatch
    @usableFromInline var position: UnsafeRawPointer?
    @usableFromInline var reader: PGRowReader
    /// The number of the next row in its stream, from 0, and of the first that isn't here.
    @usableFromInline var row: Int
    @usableFromInline let end: Int

    /// - Parameter row: the number of the first row in its stream.
    @usableFromInline
    init(_ batch: RowBatch, from row: Int) {
        self.batch = batch
        position = batch.bytes.baseAddress
        reader = batch.columns.reader()
        self.row = row
        end = row + batch.count
    }

    /// The next row, or nil after the last.
    @inlinable
    mutating func next<Row>(_ read: (inout PGRowReader) throws -> Row) throws -> Row? {
        guard row < end else { return nil }
        reader.begin(row: row, copiedAt: position)
        let value = try read(&reader)
        try reader.end()
        position = reader.copied
        row += 1
        return value
    }
}
