import Domain
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// JSON in and out, with the limits that every body has.
enum JSON {
    static let maximumBytes = 2 * 1024 * 1024
    static let maximumDepth = 32

    static let encoder: JSONEncoder = {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }()

    /// Reads a request's body, or throws the problem that names what is wrong.
    static func decode<Body: Decodable>(_ type: Body.Type, from request: Request) async throws -> Body {
        try decode(type, from: try await bytes(of: request))
    }

    /// The body as it came, within its limit.
    static func bytes(of request: Request, upTo maximumBytes: Int = maximumBytes) async throws -> Data {
        let buffer: ByteBuffer
        do {
            buffer = try await request.body.collect(upTo: maximumBytes)
        } catch is NIOTooManyBytesError {
            throw Problem(
                .contentTooLarge,
                "body_too_large",
                "The body is too large",
                detail: "at most \(maximumBytes) bytes"
            )
        }
        return Data(buffer.readableBytesView)
    }

    static func decode<Body: Decodable>(_ type: Body.Type, from bytes: Data) throws -> Body {
        try check(bytes)
        do {
            return try JSONDecoder().decode(type, from: bytes)
        } catch let error as DecodingError {
            let (path, why) = error.whereAndWhy
            guard !path.isEmpty else {
                throw Problem(.badRequest, "invalid_json", "The body is not valid JSON")
            }
            throw Problem.invalid(path.map(\.stringValue).joined(separator: "."), why)
        }
    }

    /// What a parser would only notice too late or not at all: text that is not
    /// UTF-8, a NUL that Postgres cannot store, nesting that costs a stack.
    private static func check(_ bytes: Data) throws {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw Problem(.unprocessableContent, "invalid_text", "The body is not valid UTF-8")
        }
        var depth = 0
        var inString = false
        var escape: [UInt8] = []
        for byte in bytes {
            if byte == 0 {
                throw Problem.nulInText
            }
            if inString {
                if !escape.isEmpty {
                    escape.append(byte)
                    let isUnicode = escape.count > 1 && escape[1] == UInt8(ascii: "u")
                    if escape.count == (isUnicode ? 6 : 2) {
                        if escape == Array("\\u0000".utf8) { throw Problem.nulInText }
                        escape = []
                    }
                } else if byte == UInt8(ascii: "\\") {
                    escape = [byte]
                } else if byte == UInt8(ascii: "\"") {
                    inString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): inString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
            if depth > maximumDepth {
                throw Problem(
                    .unprocessableContent,
                    "body_too_deep",
                    "The body is nested too deeply",
                    detail: "at most \(maximumDepth) levels"
                )
            }
        }
    }

    static func response(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        response(bytes: try encoder.encode(value), status: status)
    }

    /// One that was encoded before.
    static func response(bytes: some Sequence<UInt8>, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        )
    }
}

extension Problem {
    fileprivate static let nulInText = Problem(
        .unprocessableContent,
        "invalid_text",
        "Text must not contain the character U+0000"
    )
}
