/// A statement with its parameters.
///
/// It is written as a literal, and a value in it is always bound, never pasted:
/// ```swift
/// let sql: SQL = "select title from session where uid = \(uid) and started_at >= \(since)"
/// ```
/// Other interpolations are spelled out: `\(sql)` splices another ``SQL`` and renumbers its parameters,
/// `\(identifier: name)` quotes a name, and `\(unsafeSQL: text)` is the only one that pastes text.
public struct SQL: Sendable, ExpressibleByStringInterpolation {
    /// The text in UTF-8. A statement is put together of pieces each time that it runs, and as bytes that costs the
    /// least.
    private(set) var utf8: [UInt8] = []
    private(set) var parameters: [Parameter] = []
    /// The types of the parameters: with the text, what a prepared statement is known by.
    private(set) var types: [PGType] = []
    private(set) var buffer = PGBuffer()

    struct Parameter: Sendable {
        /// Where in the buffer the value lies; nil for NULL.
        var range: Range<Int>?
        /// Where in the text's UTF-8 the placeholder begins: splicing has to renumber it.
        var placeholder: Int

        var size: Int { range?.count ?? 0 }
    }

    /// The text with `$1`, `$2`, … for the parameters.
    public var text: String { String(decoding: utf8, as: UTF8.self) }

    /// A statement without parameters.
    public init(stringLiteral text: String) {
        utf8 = Array(text.utf8)
    }

    private init() {}

    /// A statement from an interpolated literal.
    public init(stringInterpolation: StringInterpolation) {
        self = stringInterpolation.sql
    }

    /// Collects the pieces of a ``SQL`` literal.
    public struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var sql = SQL()

        /// An empty interpolation.
        public init(literalCapacity: Int, interpolationCount: Int) {
            sql.utf8.reserveCapacity(literalCapacity + 3 * interpolationCount)
            sql.parameters.reserveCapacity(interpolationCount)
            sql.types.reserveCapacity(interpolationCount)
        }

        /// Text of the literal itself.
        public mutating func appendLiteral(_ literal: String) {
            sql.utf8.append(contentsOf: literal.utf8)
        }

        /// Binds a value.
        public mutating func appendInterpolation<Value: PGEncodable>(_ value: Value) {
            sql.bind(value)
        }

        /// Binds a value, or a NULL of its type.
        public mutating func appendInterpolation<Value: PGEncodable>(_ value: Value?) {
            if let value { sql.bind(value) } else { sql.bindNull(of: Value.pgType) }
        }

        /// Splices another statement with its parameters.
        public mutating func appendInterpolation(_ other: SQL) {
            sql.append(other)
        }

        /// Pastes text as it is. It must never come from outside the program.
        public mutating func appendInterpolation(unsafeSQL text: String) {
            sql.utf8.append(contentsOf: text.utf8)
        }

        /// Quotes one identifier: `a.b` becomes `"a.b"`, the name of one thing and not of two.
        public mutating func appendInterpolation(identifier name: String) {
            let quote = UInt8(ascii: "\"")
            sql.utf8.append(quote)
            for byte in name.utf8 {
                if byte == quote { sql.utf8.append(quote) }
                sql.utf8.append(byte)
            }
            sql.utf8.append(quote)
        }
    }

    /// Appends another statement's text and parameters.
    public static func += (left: inout SQL, right: SQL) {
        left.append(right)
    }

    private mutating func bind<Value: PGEncodable>(_ value: Value) {
        let start = buffer.bytes.count
        value.encode(into: &buffer)
        append(Parameter(range: start..<buffer.bytes.count, placeholder: 0), Value.pgType)
    }

    private mutating func bindNull(of type: PGType) {
        append(Parameter(range: nil, placeholder: 0), type)
    }

    private mutating func append(_ parameter: Parameter, _ type: PGType) {
        var parameter = parameter
        types.append(type)
        parameter.placeholder = utf8.count
        parameters.append(parameter)
        utf8.append(UInt8(ascii: "$"))
        if parameters.count < 10 {
            utf8.append(UInt8(ascii: "0") + UInt8(parameters.count))
        } else {
            utf8.append(contentsOf: String(parameters.count).utf8)
        }
    }

    private mutating func append(_ other: SQL) {
        if utf8.isEmpty, parameters.isEmpty {
            self = other
            return
        }
        let shift = buffer.bytes.count
        buffer.append(contentsOf: other.buffer.bytes)
        var position = 0
        // How long the placeholders are that are left out, and what is longer than them.
        var (length, longer) = (2, 10)
        for (index, parameter) in other.parameters.enumerated() {
            append(other.utf8, position..<parameter.placeholder)
            var moved = parameter
            moved.range = parameter.range.map { $0.lowerBound + shift..<$0.upperBound + shift }
            append(moved, other.types[index])
            if index + 1 == longer { (length, longer) = (length + 1, 10 * longer) }
            position = parameter.placeholder + length
        }
        append(other.utf8, position..<other.utf8.count)
    }

    private mutating func append(_ bytes: [UInt8], _ range: Range<Int>) {
        bytes.withUnsafeBufferPointer { utf8.append(contentsOf: UnsafeBufferPointer(rebasing: $0[range])) }
    }
}

extension Sequence<SQL> {
    /// The statements one after the other with a separator between them, such as the conditions of a `where`.
    public func joined(separator: SQL = "") -> SQL {
        var result: SQL = ""
        for (index, sql) in enumerated() {
            if index > 0 { result += separator }
            result += sql
        }
        return result
    }
}
