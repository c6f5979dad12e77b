// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation
// The conformances say nothing that their protocols don't.

public import Foundation

/// A Postgres type, by its OID in `pg_type.dat`.
public struct PGType: Hashable, Sendable {
    /// The OID.
    public let oid: UInt32

    /// A type by its OID.
    public init(oid: UInt32) {
        self.oid = oid
    }

    static let bool = PGType(oid: 16)
    static let bytea = PGType(oid: 17)
    static let int8 = PGType(oid: 20)
    static let int2 = PGType(oid: 21)
    static let int4 = PGType(oid: 23)
    static let text = PGType(oid: 25)
    static let json = PGType(oid: 114)
    static let float4 = PGType(oid: 700)
    static let float8 = PGType(oid: 701)
    static let varchar = PGType(oid: 1043)
    static let date = PGType(oid: 1082)
    static let timestamptz = PGType(oid: 1184)
    static let uuid = PGType(oid: 2950)
    static let jsonb = PGType(oid: 3802)

    static let boolArray = PGType(oid: 1000)
    static let int2Array = PGType(oid: 1005)
    static let int4Array = PGType(oid: 1007)
    static let textArray = PGType(oid: 1009)
    static let int8Array = PGType(oid: 1016)
    static let float8Array = PGType(oid: 1022)
    static let dateArray = PGType(oid: 1182)
    static let timestamptzArray = PGType(oid: 1185)
    static let uuidArray = PGType(oid: 2951)
}

/// Bytes on their way to the server, in network order.
public struct PGBuffer: Sendable {
    var bytes: [UInt8] = []

    /// Appends an integer, most significant byte first.
    public mutating func append<Integer: FixedWidthInteger>(_ integer: Integer) {
        withUnsafeBytes(of: integer.bigEndian) { bytes.append(contentsOf: $0) }
    }

    /// Appends bytes as they are.
    public mutating func append(contentsOf more: some Sequence<UInt8>) {
        bytes.append(contentsOf: more)
    }
}

/// One value of a result. Borrowed: it is only good while the row is decoded.
public struct PGCell {
    /// The column's type.
    public let type: PGType
    /// The value in binary format.
    public let bytes: UnsafeRawBufferPointer

    /// Reads an integer at `offset`.
    func integer<Integer: FixedWidthInteger>(at offset: Int = 0, as: Integer.Type = Integer.self) throws
        -> Integer
    {
        guard bytes.count >= offset + MemoryLayout<Integer>.size else {
            throw PGDecodingError(type: type, into: "an integer")
        }
        return Integer(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Integer.self))
    }
}

/// A column that is not what the code asks for.
struct PGDecodingError: Error {
    let type: PGType
    let into: String
}

/// A value that can be a parameter.
public protocol PGEncodable: Sendable {
    /// The type it is sent as.
    static var pgType: PGType { get }
    /// Appends the value in binary format.
    func encode(into buffer: inout PGBuffer)
}

/// A value that a column can become.
public protocol PGDecodable: Sendable {
    /// Decodes the binary format.
    /// - Throws: where the column is of another type.
    init(from cell: PGCell) throws
    /// What a NULL becomes; throws where there is no such value.
    static func fromNull() throws -> Self
}

extension PGDecodable {
    /// Refuses: only optionals have a value for NULL.
    public static func fromNull() throws -> Self {
        throw PGDecodingError(type: PGType(oid: 0), into: "\(Self.self) from NULL")
    }
}

/// A value that arrays can be made of.
public protocol PGArrayElement: PGEncodable {
    /// The type of an array of it.
    static var pgArrayType: PGType { get }
}

extension Optional: PGDecodable where Wrapped: PGDecodable {
    /// Decodes the value.
    public init(from cell: PGCell) throws {
        self = .some(try Wrapped(from: cell))
    }

    /// NULL is nil.
    public static func fromNull() throws -> Wrapped? { nil }
}

extension Bool: PGArrayElement, PGDecodable {
    public static var pgType: PGType { .bool }
    public static var pgArrayType: PGType { .boolArray }
    public func encode(into buffer: inout PGBuffer) { buffer.append(self ? 1 as UInt8 : 0) }
    public init(from cell: PGCell) throws {
        guard cell.type == .bool, cell.bytes.count == 1 else {
            throw PGDecodingError(type: cell.type, into: "Bool")
        }
        self = cell.bytes[0] != 0
    }
}

extension FixedWidthInteger {
    /// Any of Postgres' integers, when the value fits.
    fileprivate init(integerFrom cell: PGCell) throws {
        let value: Int64 =
            switch cell.type {
            case .int2: Int64(try cell.integer(as: Int16.self))
            case .int4: Int64(try cell.integer(as: Int32.self))
            case .int8: try cell.integer()
            default: throw PGDecodingError(type: cell.type, into: "\(Self.self)")
            }
        guard let exact = Self(exactly: value) else {
            throw PGDecodingError(type: cell.type, into: "\(Self.self)")
        }
        self = exact
    }
}

extension Int16: PGArrayElement, PGDecodable {
    public static var pgType: PGType { .int2 }
    public static var pgArrayType: PGType { .int2Array }
    public func encode(into buffer: inout PGBuffer) { buffer.append(self) }
    public init(from cell: PGCell) throws { try self.init(integerFrom: cell) }
}

extension Int32: PGArrayElement, PGDecodable {
    public static var pgType: PGType { .int4 }
    public static var pgArrayType: PGType { .int4Array }
    public func encode(into buffer: inout PGBuffer) { buffer.append(self) }
    public init(from cell: PGCell) throws { try self.init(integerFrom: cell) }
}

extension Int64: PGArrayElement, PGDecodable {
    public static var pgType: PGType { .int8 }
    public static var pgArrayType: PGType { .int8Array }
    public func encode(into buffer: inout PGBuffer) { buffer.append(self) }
    public init(from cell: PGCell) throws { try self.init(integerFrom: cell) }
}

extension Int: PGArrayElement, PGDecodable {
    public static var pgType: PGType { .int8 }
    public static var pgArrayType: PGType { .int8Array }
    public func encode(into buffer: inout PGBuffer) { buffer.append(Int64(self)) }
    public init(from cell: PGCell) throws { try self.init(integerFrom: cell) }
}

extension Double: PGArrayElement, PGDecodable {
    public static var pgType: PGType { .float8 }
    public static var pgArrayType: PGType { .float8Array }
    public func encode(into buffer: inout PGBuffer) { buffer.append(bitPattern) }
    public init(from cell: PGCell) throws {
        switch cell.type {
        case .float8: self.init(bitPattern: try cell.integer())
        case .float4: self.init(Float(bitPattern: try cell.integer()))
        default: throw PGDecodingError(type: cell.type, into: "Double")
        }
    }
}

extension String: PGArrayElement, PGDecodable {
    public static var pgType: PGType { .text }
    public static var pgArrayType: PGType { .textArray }
    public func encode(into buffer: inout PGBuffer) { buffer.append(contentsOf: utf8) }
    /// Text, and whatever else travels as text in binary format, enums included.
    public init(from cell: PGCell) throws {
        let isNumber: Set<PGType> = [
            .bool, .int2, .int4, .int8, .float4, .float8, .uuid, .date, .timestamptz, .bytea, .jsonb,
        ]
        guard !isNumber.contains(cell.type) else { throw PGDecodingError(type: cell.type, into: "String") }
        self = String(decoding: cell.bytes, as: UTF8.self)
    }
}

extension UUID: PGArrayElement, PGDecodable {
    public static var pgType: PGType { .uuid }
    public static var pgArrayType: PGType { .uuidArray }
    public func encode(into buffer: inout PGBuffer) {
        withUnsafeBytes(of: uuid) { buffer.append(contentsOf: $0) }
    }
    public init(from cell: PGCell) throws {
        guard cell.type == .uuid, cell.bytes.count == 16 else {
            throw PGDecodingError(type: cell.type, into: "UUID")
        }
        self.init(uuid: cell.bytes.loadUnaligned(as: uuid_t.self))
    }
}

extension Date: PGArrayElement, PGDecodable {
    /// Microseconds from 1970 to 2000, where Postgres counts from.
    private static let epochOffset: Int64 = 946_684_800_000_000

    public static var pgType: PGType { .timestamptz }
    public static var pgArrayType: PGType { .timestamptzArray }
    /// Rounded to the microsecond; beyond what Postgres can hold, its limits.
    public func encode(into buffer: inout PGBuffer) {
        let microseconds = (timeIntervalSince1970 * 1_000_000).rounded()
        buffer.append(Int64(min(max(microseconds, -2e17), 9e17)) - Self.epochOffset)
    }
    public init(from cell: PGCell) throws {
        guard cell.type == .timestamptz else { throw PGDecodingError(type: cell.type, into: "Date") }
        let microseconds: Int64 = try cell.integer()
        self.init(timeIntervalSince1970: Double(microseconds + Self.epochOffset) / 1_000_000)
    }
}

/// A `date`: a calendar day without a zone.
public struct PGDate: Hashable, Sendable {
    /// Days since 1970-01-01.
    public let daysSince1970: Int32

    /// A day by its number.
    public init(daysSince1970: Int32) {
        self.daysSince1970 = daysSince1970
    }
}

extension PGDate: PGArrayElement, PGDecodable {
    private static let epochOffset: Int32 = 10_957

    public static var pgType: PGType { .date }
    public static var pgArrayType: PGType { .dateArray }
    public func encode(into buffer: inout PGBuffer) { buffer.append(daysSince1970 - Self.epochOffset) }
    public init(from cell: PGCell) throws {
        guard cell.type == .date else { throw PGDecodingError(type: cell.type, into: "PGDate") }
        self.init(daysSince1970: try cell.integer(as: Int32.self) + Self.epochOffset)
    }
}

extension UInt8: PGArrayElement, PGDecodable {
    public static var pgType: PGType { .int2 }
    /// An array of bytes is not an array to Postgres.
    public static var pgArrayType: PGType { .bytea }
    public func encode(into buffer: inout PGBuffer) { buffer.append(Int16(self)) }
    public init(from cell: PGCell) throws { try self.init(integerFrom: cell) }
}

extension Array: PGEncodable where Element: PGArrayElement {
    public static var pgType: PGType { Element.pgArrayType }

    public func encode(into buffer: inout PGBuffer) {
        // An empty array of anything casts to an array of bytes.
        if Element.self == UInt8.self, let bytes = self as? [UInt8] {
            buffer.append(contentsOf: bytes)
        } else {
            Self.encode(map(Optional.some), into: &buffer)
        }
    }

    static func encode(_ elements: [Element?], into buffer: inout PGBuffer) {
        // One dimension, with its length and lower bound; none when empty.
        buffer.append(Int32(elements.isEmpty ? 0 : 1))
        buffer.append(Int32(elements.contains { $0 == nil } ? 1 : 0))
        buffer.append(Element.pgType.oid)
        guard !elements.isEmpty else { return }
        buffer.append(Int32(elements.count))
        buffer.append(Int32(1))
        for element in elements {
            guard let element else {
                buffer.append(Int32(-1))
                continue
            }
            var value = PGBuffer()
            element.encode(into: &value)
            buffer.append(Int32(value.bytes.count))
            buffer.append(contentsOf: value.bytes)
        }
    }
}

extension Array: PGDecodable where Element: PGDecodable {
    public init(from cell: PGCell) throws {
        if cell.type == .bytea, let bytes = Array<UInt8>(cell.bytes) as? [Element] {
            self = bytes
            return
        }
        let dimensions = try cell.integer(as: Int32.self)
        guard dimensions <= 1 else { throw PGDecodingError(type: cell.type, into: "a flat array") }
        let elementType = PGType(oid: try cell.integer(at: 8))
        guard dimensions == 1 else {
            self = []
            return
        }
        var elements: [Element] = []
        var offset = 20
        for _ in 0..<(try cell.integer(at: 12, as: Int32.self)) {
            let length = Int(try cell.integer(at: offset, as: Int32.self))
            offset += 4
            if length < 0 {
                elements.append(try Element.fromNull())
                continue
            }
            guard offset + length <= cell.bytes.count else {
                throw PGDecodingError(type: cell.type, into: "an array")
            }
            let bytes = UnsafeRawBufferPointer(rebasing: cell.bytes[offset..<offset + length])
            elements.append(try Element(from: PGCell(type: elementType, bytes: bytes)))
            offset += length
        }
        self = elements
    }
}
