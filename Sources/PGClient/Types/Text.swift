extension String: PGEncodable, PGDecodable, PGArrayElement {
    /// `text`
    public static var pgType: PGType { .text }
    /// `text[]`
    public static var pgArrayType: PGType { .textArray }

    /// UTF-8 with an explicit length, so a NUL is refused by the server (22021) and never cuts the text
    /// short.
    public func encode(into buffer: inout PGBuffer) {
        buffer.append(contentsOf: utf8)
    }

    /// Reads every type whose binary format is its text: `text`, `varchar`, `char`, `name`, `json`, `xml`,
    /// and enums and other types that users and extensions define.
    public init(from cell: PGCell) throws {
        let bytes = try cell.required()
        guard cell.type.isUserDefined || Self.textTypes.contains(cell.type) else {
            throw PGDecodingError(mismatch: cell.type)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw PGDecodingError("it isn't valid UTF-8")
        }
        self = text
    }

    /// With `unknown` (705), `xml` (142), `"char"` (18) and `void` (2278, always empty).
    private static let textTypes: [PGType] =
        [.text, .varchar, .bpchar, .name, .json] + [705, 142, 18, 2278].map(PGType.init(oid:))
}

/// A `jsonb` or `json` document as its bytes: who reads it decides how it is parsed.
public struct PGJSON: Hashable, Sendable, PGEncodable, PGDecodable, PGArrayElement {
    /// The document in UTF-8.
    public var bytes: [UInt8]

    /// A document in UTF-8. The server refuses one that isn't valid.
    public init(_ bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
    }

    /// `jsonb`
    public static var pgType: PGType { .jsonb }
    /// `jsonb[]`
    public static var pgArrayType: PGType { .jsonbArray }

    /// The document, after the format's version.
    public func encode(into buffer: inout PGBuffer) {
        buffer.append(1 as UInt8)
        buffer.append(contentsOf: bytes)
    }

    /// Reads a `jsonb` or a `json`.
    public init(from cell: PGCell) throws {
        let bytes = try cell.required(.jsonb, .json)
        guard cell.type == .jsonb else {
            self.bytes = Array(bytes)
            return
        }
        guard bytes.first == 1 else { throw PGDecodingError("its jsonb version is unknown") }
        self.bytes = Array(bytes.dropFirst())
    }
}
