/// A value that can be bound to a statement.
///
/// A `RawRepresentable` whose raw value is one gets everything by declaring the conformance.
public protocol PGEncodable: PGCopyable {
    /// The type the server is told. It is part of a prepared statement's identity, so it can't depend on the
    /// value.
    static var pgType: PGType { get }
    /// Appends the value in the binary format of ``pgType``, without its length.
    func encode(into buffer: inout PGBuffer)
}

/// A value that can be read from a column.
///
/// `Optional` reads a NULL as nil; everything else refuses it.
public protocol PGDecodable: Sendable {
    /// Reads the value from a column.
    /// - Throws: anything; it reaches the caller as a ``PGError`` of kind ``PGError/Kind/decoding`` that
    ///   names the column and the row.
    init(from cell: PGCell) throws
}

/// A value of which arrays can be bound and read.
///
/// Only ``pgArrayType`` has to be written for a type that is ``PGEncodable`` and ``PGDecodable``.
public protocol PGArrayElement: Sendable {
    /// The type of an array of these.
    static var pgArrayType: PGType { get }
    /// Appends a whole array in the binary format of ``pgArrayType``.
    static func encodeArray(_ elements: [Self], into buffer: inout PGBuffer)
    /// Reads a whole array.
    static func decodeArray(_ cell: PGCell) throws -> [Self]
}

/// The bytes of a value on its way to the server.
public struct PGBuffer: Sendable {
    var bytes: [UInt8] = []

    /// Appends an integer in network byte order.
    public mutating func append(_ integer: some FixedWidthInteger) {
        withUnsafeBytes(of: integer.bigEndian) { bytes.append(contentsOf: $0) }
    }

    /// Appends bytes as they are.
    public mutating func append(contentsOf other: some Sequence<UInt8>) {
        bytes.append(contentsOf: other)
    }

    /// Appends what the closure appends, preceded by its length in bytes as the protocol writes it.
    mutating func appendWithLength(_ append: (inout PGBuffer) -> Void) {
        let start = bytes.count
        self.append(Int32(0))
        append(&self)
        let length = Int32(truncatingIfNeeded: bytes.count - start - 4)
        withUnsafeBytes(of: length.bigEndian) { bytes.replaceSubrange(start..<start + 4, with: $0) }
    }
}

/// One column of one row, as the server sent it: borrowed, so it must not outlive the initializer that
/// received it.
public struct PGCell {
    /// The column's type.
    public let type: PGType
    /// The value in the type's binary format, in libpq's own memory; nil for NULL.
    public let bytes: UnsafeRawBufferPointer?

    /// The bytes of a value that isn't NULL.
    @inlinable
    public func required() throws -> UnsafeRawBufferPointer {
        guard let bytes else { throw PGDecodingError("it is NULL") }
        return bytes
    }

    /// The bytes, if the column has this type, or the other.
    @inlinable
    public func required(_ type: PGType, or other: PGType? = nil) throws -> UnsafeRawBufferPointer {
        let bytes = try required()
        guard self.type.oid == type.oid || self.type.oid == other?.oid else {
            throw PGDecodingError(mismatch: self.type)
        }
        return bytes
    }

    /// The value as an integer of exactly this width in network byte order.
    @inlinable
    public func integer<I: FixedWidthInteger>(_ integer: I.Type = I.self) throws -> I {
        let bytes = try required()
        guard bytes.count == MemoryLayout<I>.size else { throw PGDecodingError("\(bytes.count) bytes") }
        return I(bigEndian: bytes.loadUnaligned(as: I.self))
    }
}

/// Why a value couldn't be read; ``PGRowReader`` adds where.
@usableFromInline
struct PGDecodingError: Error, CustomStringConvertible {
    @usableFromInline let description: String

    @usableFromInline
    init(_ description: String) {
        self.description = description
    }

    @usableFromInline
    init(mismatch type: PGType) {
        description =
            type == .numeric
            ? "its type is numeric: cast it in the statement, or read a PGNumeric" : "its type is \(type.oid)"
    }
}

extension Optional: PGDecodable where Wrapped: PGDecodable {
    /// Reads a NULL as nil.
    @inlinable
    public init(from cell: PGCell) throws {
        self = cell.bytes == nil ? nil : try Wrapped(from: cell)
    }
}

extension PGEncodable where Self: RawRepresentable, RawValue: PGEncodable {
    /// The type of the raw value.
    public static var pgType: PGType { RawValue.pgType }

    /// Encodes the raw value.
    public func encode(into buffer: inout PGBuffer) {
        rawValue.encode(into: &buffer)
    }
}

extension PGDecodable where Self: RawRepresentable, RawValue: PGDecodable {
    /// Reads a raw value, and refuses one that stands for no value of this type.
    @inlinable
    public init(from cell: PGCell) throws {
        let raw = try RawValue(from: cell)
        guard let value = Self(rawValue: raw) else { throw PGDecodingError("no \(Self.self) is \(raw)") }
        self = value
    }
}

extension PGArrayElement where Self: RawRepresentable, RawValue: PGArrayElement {
    /// The type of an array of raw values.
    public static var pgArrayType: PGType { RawValue.pgArrayType }
}
