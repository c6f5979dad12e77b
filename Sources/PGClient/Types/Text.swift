#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

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
    /// and enums and other types that users and extensions define, unless there is a NUL in it, as in a composite
    /// or an array.
    @inlinable
    public init(from cell: PGCell) throws {
        let bytes = try cell.required()
        guard cell.type.oid == PGType.text.oid || cell.type.isText else {
            throw PGDecodingError(mismatch: cell.type)
        }
        // No text of Postgres has a NUL, and nothing else tells what the binary format of such a type is.
        if cell.type.isUserDefined, bytes.contains(0) { throw PGDecodingError(mismatch: cell.type) }
        guard let text = String(exactly: bytes) else { throw PGDecodingError("it isn't valid UTF-8") }
        self = text
    }

    /// The text in UTF-8, or nil if it isn't valid. Decoding repairs what is invalid, and comparing is several
    /// times faster than `String(validating:as:)`, which isn't specialized in the standard library.
    @usableFromInline
    init?(exactly bytes: UnsafeRawBufferPointer) {
        self.init(decoding: bytes, as: UTF8.self)
        let isExact = utf8.withContiguousStorageIfAvailable { utf8 in
            guard utf8.count == bytes.count else { return false }
            guard let left = utf8.baseAddress, let right = bytes.baseAddress else { return true }
            return memcmp(left, right, bytes.count) == 0
        }
        guard isExact ?? utf8.elementsEqual(bytes) else { return nil }
    }
}

extension PGType {
    /// Whether the binary format is the text itself: with those named here, `unknown` (705), `xml` (142),
    /// `"char"` (18), `void` (2278, always empty), and enums and other types of users and extensions.
    @usableFromInline
    var isText: Bool {
        let types: [PGType] = [.text, .varchar, .bpchar, .name, .json]
        return isUserDefined || types.contains(self) || [705, 142, 18, 2278].contains(oid)
    }
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
    @inlinable
    public init(from cell: PGCell) throws {
        let bytes = try cell.required(.jsonb, or: .json)
        guard cell.type == .jsonb else {
            self.bytes = Array(bytes)
            return
        }
        guard bytes.first == 1 else { throw PGDecodingError("its jsonb version is unknown") }
        self.bytes = Array(bytes.dropFirst())
    }
}
