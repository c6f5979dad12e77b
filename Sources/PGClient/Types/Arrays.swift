extension Array: PGCopyable, PGEncodable where Element: PGArrayElement {
    /// The array type of the element.
    public static var pgType: PGType { Element.pgArrayType }

    /// One dimension, with its lower bound at 1.
    public func encode(into buffer: inout PGBuffer) {
        Element.encodeArray(self, into: &buffer)
    }
}

extension Array: PGDecodable where Element: PGArrayElement {
    /// Reads an array of one dimension, or an empty one.
    public init(from cell: PGCell) throws {
        self = try Element.decodeArray(cell)
    }
}

extension PGArrayElement where Self: PGEncodable & PGDecodable {
    /// Writes the elements one after the other.
    public static func encodeArray(_ elements: [Self], into buffer: inout PGBuffer) {
        buffer.appendArrayHeader(of: pgType, count: elements.count, hasNull: false)
        for element in elements {
            buffer.appendWithLength(element.encode)
        }
    }

    /// Reads the elements one after the other; a NULL among them is refused.
    public static func decodeArray(_ cell: PGCell) throws -> [Self] {
        try cell.elements { try Self(from: $0) }
    }
}

extension Optional: PGArrayElement where Wrapped: PGArrayElement & PGEncodable & PGDecodable {
    /// The array type of the value: NULLs change nothing about it.
    public static var pgArrayType: PGType { Wrapped.pgArrayType }

    /// Writes nil as NULL.
    public static func encodeArray(_ elements: [Wrapped?], into buffer: inout PGBuffer) {
        buffer.appendArrayHeader(
            of: Wrapped.pgType,
            count: elements.count,
            hasNull: elements.contains { $0 == nil }
        )
        for element in elements {
            if let element {
                buffer.appendWithLength(element.encode)
            } else {
                buffer.append(Int32(-1))
            }
        }
    }

    /// Reads NULL as nil.
    public static func decodeArray(_ cell: PGCell) throws -> [Wrapped?] {
        try cell.elements { $0.bytes == nil ? nil : try Wrapped(from: $0) }
    }
}

/// `[UInt8]` is a `bytea`, not an array to the server.
extension UInt8: PGArrayElement {
    /// `bytea`
    public static var pgArrayType: PGType { .bytea }

    /// The bytes as they are.
    public static func encodeArray(_ elements: [UInt8], into buffer: inout PGBuffer) {
        buffer.append(contentsOf: elements)
    }

    /// Reads a `bytea`.
    public static func decodeArray(_ cell: PGCell) throws -> [UInt8] {
        Array(try cell.required(.bytea))
    }
}

/// An array of byte strings, `bytea[]`.
extension Array: PGArrayElement where Element == UInt8 {
    /// `bytea[]`
    public static var pgArrayType: PGType { .byteaArray }
}

extension PGBuffer {
    fileprivate mutating func appendArrayHeader(of type: PGType, count: Int, hasNull: Bool) {
        append(Int32(count == 0 ? 0 : 1))
        append(Int32(hasNull ? 1 : 0))
        append(type.oid)
        guard count > 0 else { return }
        append(Int32(truncatingIfNeeded: count))
        append(Int32(1))
    }
}

extension PGCell {
    /// The elements of an array in the binary format: dimensions, flags, element type; per dimension its
    /// size and lower bound; then each element with its length, −1 for NULL.
    fileprivate func elements<Element>(_ read: (PGCell) throws -> Element) throws -> [Element] {
        var rest = Rest(bytes: try required()[...])
        let (dimensions, flags) = (try rest.integer(), try rest.integer())
        let type = PGType(oid: UInt32(bitPattern: try rest.integer()))
        // Nothing else tells an array from other types: those of users have any type.
        guard (0...6).contains(dimensions), (0...1).contains(flags), type.oid != 0,
            dimensions > 0 || rest.bytes.isEmpty
        else {
            throw PGDecodingError(mismatch: self.type)
        }
        guard dimensions > 0 else { return [] }
        guard dimensions == 1 else { throw PGDecodingError("it has \(dimensions) dimensions") }
        let count = Int(try rest.integer())
        _ = try rest.integer()
        var elements: [Element] = []
        // An element takes four bytes at least: a count that lies can't reserve more than was received.
        elements.reserveCapacity(min(max(count, 0), rest.bytes.count / 4))
        for _ in 0..<max(count, 0) {
            let length = Int(try rest.integer())
            elements.append(try read(PGCell(type: type, bytes: length < 0 ? nil : try rest.take(length))))
        }
        return elements
    }

    private struct Rest {
        var bytes: Slice<UnsafeRawBufferPointer>

        mutating func take(_ count: Int) throws -> UnsafeRawBufferPointer {
            guard bytes.count >= count else { throw PGDecodingError("it ends too early") }
            defer { bytes = bytes.dropFirst(count) }
            return UnsafeRawBufferPointer(rebasing: bytes.prefix(count))
        }

        mutating func integer() throws -> Int32 {
            Int32(bigEndian: try take(4).loadUnaligned(as: Int32.self))
        }
    }
}
