import CLibpq

/// Rows of a stream, copied out of the results of one row each that libpq hands out.
@usableFromInline
final class RowBatch: Sendable {
    /// One of the rows as libpq has handed it out, which knows the columns.
    let columns: PGResult
    /// Of each column of each row the length, in the machine's byte order and -1 for NULL, and the value.
    ///
    /// Safe: nobody writes there any more, and the class has the only reference to the memory, which it frees when nobody
    /// has the class any more.
    nonisolated(unsafe) let bytes: UnsafeRawBufferPointer
    /// How many rows there are.
    let count: Int

    /// Takes over the memory.
    fileprivate init(of columns: PGResult, _ bytes: UnsafeRawBufferPointer, count: Int) {
        self.columns = columns
        self.bytes = bytes
        self.count = count
    }

    deinit {
        bytes.deallocate()
    }

    /// How many bytes it keeps from others.
    var footprint: Int { bytes.count + PQresultMemorySize(columns.handle) }
}

/// What is to be a batch. Each result of a row is given back as soon as it was copied, and the next one finds its memory
/// still warm.
struct RowCopies: ~Copyable {
    private var columns: PGResult?
    private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var count = 0
    /// How many bytes the rows have.
    private(set) var size = 0

    deinit {
        memory.deallocate()
    }

    /// Takes over a row.
    mutating func append(_ row: OpaquePointer, origin: @autoclosure () -> Origin) {
        for column in 0..<PQnfields(row) {
            let length = PQgetlength(row, 0, column)
            let isNull = length == 0 && PQgetisnull(row, 0, column) == 1
            reserve(MemoryLayout<Int32>.size + Int(length))
            memory.storeBytes(of: isNull ? -1 : length, toByteOffset: size, as: Int32.self)
            size += MemoryLayout<Int32>.size
            memory.baseAddress?.advanced(by: size)
                .copyMemory(from: PQgetvalue(row, 0, column), byteCount: Int(length))
            size += Int(length)
        }
        count += 1
        if columns == nil { columns = PGResult(row, origin: origin()) } else { PQclear(row) }
    }

    /// What was copied so far, as a batch; nil if there is nothing.
    mutating func take() -> RowBatch? {
        guard let columns else { return nil }
        let batch = RowBatch(of: columns, UnsafeRawBufferPointer(memory), count: count)
        (self.columns, memory, count, size) = (nil, UnsafeMutableRawBufferPointer(start: nil, count: 0), 0, 0)
        return batch
    }

    private mutating func reserve(_ more: Int) {
        guard size + more > memory.count else { return }
        let capacity = max(4 << 10, 2 * (size + more))
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 1)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<size]))
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
