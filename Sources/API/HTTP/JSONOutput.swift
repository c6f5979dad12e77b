import Domain
import Foundation

/// Writes what is `Encodable` as JSON (RFC 8259) straight into bytes, members in the order in which a value names them.
/// Foundation's encoder makes a tree of a value first, which for a board took more time than reading it. What that one
/// has its own ways for, `Date`, `Data` and `URL`, isn't in any answer and would be written as it encodes itself.
///
/// A container is never told that it is done. So each knows how deep it is, and what is deeper is over when it goes on.
final class JSONOutput {
    typealias Number = BinaryFloatingPoint & LosslessStringConvertible & Encodable

    private enum OpenValue {
        /// Nothing is written of it yet.
        case untouched
        case object(isEmpty: Bool)
        case array(isEmpty: Bool)
        /// It is what the one value in it is, and needs no end.
        case single
    }

    /// Memory of its own, of which the first so many bytes are written. An array is asked at each byte whether anybody
    /// else has it, and whether there is room, which for the hundred rows of a board was half of writing them.
    private struct Buffer {
        private var memory = UnsafeMutablePointer<UInt8>.allocate(capacity: 2048)
        private var capacity = 2048
        private(set) var count = 0

        /// Where the next `length` bytes go, all of which the caller has to write.
        mutating func take(_ length: Int) -> UnsafeMutablePointer<UInt8> {
            if capacity - count < length { grow(by: length) }
            defer { count += length }
            return memory + count
        }

        private mutating func grow(by length: Int) {
            capacity = 2 * capacity + length
            let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
            larger.update(from: memory, count: count)
            memory.deallocate()
            memory = larger
        }

        var bytes: [UInt8] { Array(UnsafeBufferPointer(start: memory, count: count)) }

        func deallocate() { memory.deallocate() }
    }

    // Safe: only ``bytes(of:)`` makes an output, which no other thread ever has, and nothing that writes to these two is
    // called while one of them is being changed. Having each access checked for that took as much as all the rest.
    @exclusivity(unchecked)
    private var buffer = Buffer()
    @exclusivity(unchecked)
    private var open: [OpenValue] = []

    private init() {
        open.reserveCapacity(16)
    }

    deinit {
        buffer.deallocate()
    }

    /// - Throws: `EncodingError` for a number that isn't finite.
    static func bytes(of value: some Encodable) throws -> [UInt8] {
        let output = JSONOutput()
        try output.write(value)
        return output.buffer.bytes
    }

    /// What a row writes itself, without an encoder around it.
    static func bytes(of row: some JSONRow) throws -> [UInt8] {
        let output = JSONOutput()
        try output.write(row)
        return output.buffer.bytes
    }

    // MARK: Values

    /// A value, and all that is in it.
    func write<Value: Encodable>(_ value: Value) throws {
        // A dictionary by itself has no order.
        if Value.self == [String: JSONValue].self, let members = value as? [String: JSONValue] {
            return try write(JSONValue.object(members))
        }
        let outside = open.count
        try value.encode(to: begin())
        close(downTo: outside)
    }

    func write(_ row: some JSONRow) throws {
        append("{")
        var object = JSONObject(in: self)
        try row.write(to: &object)
        append("}")
    }

    func write(_ rows: [some JSONRow]) throws {
        append("[")
        for (index, row) in rows.enumerated() {
            if index > 0 { append(",") }
            try write(row)
        }
        append("]")
    }

    func write(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            // Mostly nothing has to be. Without a way out of the loop, many bytes are looked at at once.
            var escaped: UInt8 = 0
            for byte in utf8 { escaped |= byte.isEscapedInJSON ? 1 : 0 }
            if escaped == 0 {
                let place = buffer.take(utf8.count + 2)
                place[0] = UInt8(ascii: "\"")
                if let start = utf8.baseAddress { (place + 1).update(from: start, count: utf8.count) }
                place[utf8.count + 1] = UInt8(ascii: "\"")
            } else {
                append("\"")
                utf8.forEach(appendEscaped)
                append("\"")
            }
        }
    }

    func write(_ value: some FixedWidthInteger & Encodable) {
        appendText(String(value))
    }

    /// In as few digits as tell it from every other number, without a point where it is whole.
    func write(_ value: some Number) throws {
        guard value.isFinite else {
            throw EncodingError.invalidValue(
                value,
                .init(codingPath: [], debugDescription: "is no number of JSON")
            )
        }
        // Most numbers are whole, and quickly written as such. Minus zero isn't one of those.
        if let whole = Int32(exactly: value), whole != 0 {
            return write(whole)
        }
        let text = String(value)
        appendText(text.hasSuffix(".0") ? String(text.dropLast(2)) : text)
    }

    func write(_ value: Bool) {
        appendText(value ? "true" : "false")
    }

    func write(_ value: UUID) {
        let place = buffer.take(UUID.textLength + 2)
        place[0] = UInt8(ascii: "\"")
        value.writeText(to: UnsafeMutableBufferPointer(start: place + 1, count: UUID.textLength))
        place[UUID.textLength + 1] = UInt8(ascii: "\"")
    }

    func writeNull() {
        appendText("null")
    }

    // MARK: What is in what

    /// A value that comes in pieces.
    func begin() -> JSONValueEncoder {
        open.append(.untouched)
        return JSONValueEncoder(output: self, depth: open.count)
    }

    func beginObject(at depth: Int) {
        close(downTo: depth)
        // Who asks for a second container goes on in the first.
        guard case .untouched = open[depth - 1] else { return }
        open[depth - 1] = .object(isEmpty: true)
        append("{")
    }

    func beginArray(at depth: Int) {
        close(downTo: depth)
        guard case .untouched = open[depth - 1] else { return }
        open[depth - 1] = .array(isEmpty: true)
        append("[")
    }

    func beginSingle(at depth: Int) {
        close(downTo: depth)
        open[depth - 1] = .single
    }

    func beginMember(_ key: some CodingKey, at depth: Int) {
        close(downTo: depth)
        if case .object(isEmpty: false) = open[depth - 1] { append(",") }
        open[depth - 1] = .object(isEmpty: false)
        write(key.stringValue)
        append(":")
    }

    /// Others may have written members of the same object before, and may go on with it.
    func writeMembers(of row: some JSONRow, at depth: Int) throws {
        beginObject(at: depth)
        guard case .object(let isEmpty) = open[depth - 1] else { return }
        var object = JSONObject(in: self, isEmpty: isEmpty)
        try row.write(to: &object)
        open[depth - 1] = .object(isEmpty: object.isEmpty)
    }

    /// - Parameter name: nothing in it has to be escaped.
    func beginMember(_ name: StaticString, isFirst: Bool) {
        if !isFirst { append(",") }
        let length = name.utf8CodeUnitCount
        let place = buffer.take(length + 3)
        place[0] = UInt8(ascii: "\"")
        (place + 1).update(from: name.utf8Start, count: length)
        place[length + 1] = UInt8(ascii: "\"")
        place[length + 2] = UInt8(ascii: ":")
    }

    func beginElement(at depth: Int) {
        close(downTo: depth)
        if case .array(isEmpty: false) = open[depth - 1] { append(",") }
        open[depth - 1] = .array(isEmpty: false)
    }

    private func close(downTo depth: Int) {
        while open.count > depth {
            switch open.removeLast() {
            case .untouched: writeNull()
            case .object: append("}")
            case .array: append("]")
            case .single: break
            }
        }
    }

    // MARK: Bytes

    private func append(_ sign: Unicode.Scalar) {
        buffer.take(1).pointee = UInt8(ascii: sign)
    }

    /// - Parameter text: as it is, without quotes.
    private func appendText(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            if let start = utf8.baseAddress { buffer.take(utf8.count).update(from: start, count: utf8.count) }
        }
    }

    private func appendEscaped(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            append("\\")
            buffer.take(1).pointee = byte
        case 0..<0x20:
            let digits = String(byte, radix: 16)
            appendText("\\u00\(byte < 0x10 ? "0" : "")\(digits)")
        default:
            buffer.take(1).pointee = byte
        }
    }
}

extension UInt8 {
    fileprivate var isEscapedInJSON: Bool {
        self < 0x20 || self == UInt8(ascii: "\"") || self == UInt8(ascii: "\\")
    }
}
