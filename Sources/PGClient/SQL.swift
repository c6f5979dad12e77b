/// A statement with its parameters. Interpolated values are always bound, never
/// pasted: `"select \(name)"` sends `select $1`.
public struct SQL: Sendable, ExpressibleByStringInterpolation {
    enum Part: Sendable {
        case text(String)
        case value(PGParameter)
    }

    var parts: [Part]

    /// A statement without parameters.
    public init(stringLiteral text: String) {
        parts = [.text(text)]
    }

    /// A statement with what was interpolated into it.
    public init(stringInterpolation: Interpolation) {
        parts = stringInterpolation.parts
    }

    /// Collects the pieces of a literal.
    public struct Interpolation: StringInterpolationProtocol {
        var parts: [Part] = []

        /// Makes room for the pieces that the compiler announces.
        public init(literalCapacity: Int, interpolationCount: Int) {
            parts.reserveCapacity(2 * interpolationCount + 1)
        }

        /// Adds text as it stands in the source.
        public mutating func appendLiteral(_ literal: String) {
            parts.append(.text(literal))
        }

        /// Binds a value.
        public mutating func appendInterpolation(_ value: some PGEncodable) {
            parts.append(.value(PGParameter(value)))
        }

        /// Binds a value, or a NULL of its type.
        public mutating func appendInterpolation<Value: PGEncodable>(_ value: Value?) {
            parts.append(.value(value.map { PGParameter($0) } ?? PGParameter(nullOf: Value.self)))
        }

        /// Binds an array in which elements may be NULL.
        public mutating func appendInterpolation<Element: PGArrayElement>(_ values: [Element?]) {
            parts.append(.value(PGParameter(values)))
        }

        /// Splices another statement in, with its own parameters.
        public mutating func appendInterpolation(_ sql: SQL) {
            parts += sql.parts
        }

        /// Quotes a name.
        public mutating func appendInterpolation(identifier: String) {
            parts.append(.text("\"\(identifier.replacing("\"", with: "\"\""))\""))
        }

        /// Pastes text. The only way to do so, and it says what it is.
        public mutating func appendInterpolation(unsafeSQL text: String) {
            parts.append(.text(text))
        }
    }

    /// The text with numbered placeholders, and what stands for each.
    var rendered: (text: String, parameters: [PGParameter]) {
        var text = ""
        var parameters: [PGParameter] = []
        for part in parts {
            switch part {
            case .text(let piece): text += piece
            case .value(let parameter):
                parameters.append(parameter)
                text += "$\(parameters.count)"
            }
        }
        return (text, parameters)
    }
}

/// A parameter in Postgres' binary format; `bytes` is nil for NULL.
struct PGParameter: Sendable {
    let type: PGType
    let bytes: [UInt8]?

    init<Value: PGEncodable>(_ value: Value) {
        var buffer = PGBuffer()
        value.encode(into: &buffer)
        type = Value.pgType
        bytes = buffer.bytes
    }

    init<Element: PGArrayElement>(_ values: [Element?]) {
        var buffer = PGBuffer()
        [Element].encode(values, into: &buffer)
        type = Element.pgArrayType
        bytes = buffer.bytes
    }

    init<Value: PGEncodable>(nullOf: Value.Type) {
        type = Value.pgType
        bytes = nil
    }
}
