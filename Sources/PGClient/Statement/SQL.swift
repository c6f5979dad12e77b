/// A statement with its parameters.
///
/// It is written as a literal, and a value in it is always bound, never pasted:
/// ```swift
/// let sql: SQL = "select title from session where uid = \(uid) and started_at >= \(since)"
/// ```
/// Other interpolations are spelled out: `\(sql)` splices another ``SQL`` and renumbers its parameters,
/// `\(identifier: name)` quotes a name, and `\(unsafeSQL: text)` is the only one that pastes text.
public struct SQL: Sendable, ExpressibleByStringInterpolation {
    /// The text with `$1`, `$2`, … for the parameters.
    public private(set) var text = ""
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

    /// A statement without parameters.
    public init(stringLiteral text: String) {
        self.text = text
    }

    /// A statement from an interpolated literal.
    public init(stringInterpolation: StringInterpolation) {
        self = stringInterpolation.sql
    }

    /// Collects the pieces of a ``SQL`` literal.
    public struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var sql = SQL(stringLiteral: "")

        /// An empty interpolation.
        public init(literalCapacity: Int, interpolationCount: Int) {
            sql.text.reserveCapacity(literalCapacity + 3 * interpolationCount)
            sql.parameters.reserveCapacity(interpolationCount)
            sql.types.reserveCapacity(interpolationCount)
        }

        /// Text of the literal itself.
        public mutating func appendLiteral(_ literal: String) {
            sql.text += literal
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
            sql.text += text
        }

        /// Quotes one identifier: `a.b` becomes `"a.b"`, the name of one thing and not of two.
        public mutating func appendInterpolation(identifier name: String) {
            sql.text += "\""
            if name.utf8.contains(UInt8(ascii: "\"")) {
                // By scalars: with a combining mark, a quote is another character.
                for scalar in name.unicodeScalars {
                    sql.text.unicodeScalars.append(scalar)
                    if scalar == "\"" { sql.text += "\"" }
                }
            } else {
                sql.text += name
            }
            sql.text += "\""
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
        parameter.placeholder = text.utf8.count
        parameters.append(parameter)
        text += Self.placeholder(parameters.count)
    }

    private static func placeholder(_ number: Int) -> String {
        number <= firstPlaceholders.count ? firstPlaceholders[number - 1] : "$\(number)"
    }

    private static let firstPlaceholders = (1...32).map { "$\($0)" }

    private mutating func append(_ other: SQL) {
        if other.parameters.isEmpty { return text += other.text }
        let shift = buffer.bytes.count
        buffer.append(contentsOf: other.buffer.bytes)
        var position = other.text.utf8.startIndex
        for (index, parameter) in other.parameters.enumerated() {
            let placeholder = other.text.utf8.index(
                other.text.utf8.startIndex,
                offsetBy: parameter.placeholder
            )
            text += other.text[position..<placeholder]
            var moved = parameter
            moved.range = parameter.range.map { $0.lowerBound + shift..<$0.upperBound + shift }
            append(moved, other.types[index])
            position = other.text.utf8.index(placeholder, offsetBy: Self.placeholder(index + 1).utf8.count)
        }
        text += other.text[position...]
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
