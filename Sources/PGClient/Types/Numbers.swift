extension Bool: PGEncodable, PGDecodable, PGArrayElement {
    /// `boolean`
    public static var pgType: PGType { .bool }
    /// `boolean[]`
    public static var pgArrayType: PGType { .boolArray }

    /// One byte.
    public func encode(into buffer: inout PGBuffer) {
        buffer.append(self ? 1 : 0 as UInt8)
    }

    /// Reads a `boolean`.
    @inlinable
    public init(from cell: PGCell) throws {
        _ = try cell.required(.bool)
        self = try cell.integer(UInt8.self) != 0
    }
}

extension PGDecodable where Self: FixedWidthInteger {
    /// Reads a `smallint`, `integer` or `bigint` whose value fits.
    @inlinable
    public init(from cell: PGCell) throws {
        let value: Int64
        switch cell.type {
        case .int8: value = try cell.integer(Int64.self)
        case .int4: value = Int64(try cell.integer(Int32.self))
        case .int2: value = Int64(try cell.integer(Int16.self))
        default: throw PGDecodingError(mismatch: cell.type)
        }
        guard let fitting = Self(exactly: value) else {
            throw PGDecodingError("\(value) doesn't fit into \(Self.self)")
        }
        self = fitting
    }
}

extension PGEncodable where Self: FixedWidthInteger {
    /// The integer in network byte order.
    public func encode(into buffer: inout PGBuffer) {
        buffer.append(self)
    }
}

extension Int16: PGEncodable, PGDecodable, PGArrayElement {
    /// `smallint`
    public static var pgType: PGType { .int2 }
    /// `smallint[]`
    public static var pgArrayType: PGType { .int2Array }
}

extension Int32: PGEncodable, PGDecodable, PGArrayElement {
    /// `integer`
    public static var pgType: PGType { .int4 }
    /// `integer[]`
    public static var pgArrayType: PGType { .int4Array }
}

extension Int64: PGEncodable, PGDecodable, PGArrayElement {
    /// `bigint`
    public static var pgType: PGType { .int8 }
    /// `bigint[]`
    public static var pgArrayType: PGType { .int8Array }
}

extension Int: PGEncodable, PGDecodable, PGArrayElement {
    /// `bigint`
    public static var pgType: PGType { .int8 }
    /// `bigint[]`
    public static var pgArrayType: PGType { .int8Array }

    /// Always eight bytes, whatever the platform.
    public func encode(into buffer: inout PGBuffer) {
        buffer.append(Int64(self))
    }
}

extension Float: PGEncodable, PGDecodable, PGArrayElement {
    /// `real`
    public static var pgType: PGType { .float4 }
    /// `real[]`
    public static var pgArrayType: PGType { .float4Array }

    /// The IEEE 754 bit pattern.
    public func encode(into buffer: inout PGBuffer) {
        buffer.append(bitPattern)
    }

    /// Reads a `real`. A `double precision` is refused, since it would lose digits.
    @inlinable
    public init(from cell: PGCell) throws {
        _ = try cell.required(.float4)
        self.init(bitPattern: try cell.integer(UInt32.self))
    }
}

extension Double: PGEncodable, PGDecodable, PGArrayElement {
    /// `double precision`
    public static var pgType: PGType { .float8 }
    /// `double precision[]`
    public static var pgArrayType: PGType { .float8Array }

    /// The IEEE 754 bit pattern.
    public func encode(into buffer: inout PGBuffer) {
        buffer.append(bitPattern)
    }

    /// Reads a `double precision` or a `real`.
    @inlinable
    public init(from cell: PGCell) throws {
        _ = try cell.required(.float8, or: .float4)
        if cell.type == .float4 {
            self.init(Float(bitPattern: try cell.integer(UInt32.self)))
        } else {
            self.init(bitPattern: try cell.integer(UInt64.self))
        }
    }
}
