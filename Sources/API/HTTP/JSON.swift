import Domain
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// JSON in and out, with the limits that every body has.
enum JSON {
    static let maximumBytes = 2 * 1024 * 1024
    static let maximumDepth = 32

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
        } catch let error where !(error is CancellationError) {
            // It ended early, or in the middle of it isn't HTTP any more.
            throw Problem(.badRequest, "body_incomplete", "The body could not be read to its end")
        }
        return Data(buffer.readableBytesView)
    }

    static func decode<Body: Decodable>(_ type: Body.Type, from bytes: Data) throws -> Body {
        try JSONCheck.check(bytes, maximumDepth: maximumDepth)
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

    static func response(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        response(bytes: try JSONOutput.bytes(of: value), status: status)
    }

    static func response(_ row: some JSONRow) throws -> Response {
        response(bytes: try JSONOutput.bytes(of: row))
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
