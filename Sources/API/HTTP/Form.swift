import Foundation
import Hummingbird

/// What a page's form or a client of OAuth sends: `application/x-www-form-urlencoded`.
enum Form {
    private static let maximumBytes = 16 * 1024

    /// - Throws: the problem that names the field.
    static func decode<Body: Decodable>(_ type: Body.Type, from request: Request) async throws -> Body {
        guard
            request.headers[.contentType]?.lowercased().hasPrefix("application/x-www-form-urlencoded") == true
        else {
            throw Problem(
                .unsupportedMediaType,
                "unsupported_media_type",
                "The body has to be a form",
                detail: "application/x-www-form-urlencoded"
            )
        }
        let bytes = try await JSON.bytes(of: request, upTo: maximumBytes)
        guard let text = String(validating: bytes, as: UTF8.self), !text.contains("%00"),
            !text.contains("\0")
        else {
            throw Problem(.unprocessableContent, "invalid_text", "The body is not valid UTF-8")
        }
        do {
            return try URLEncodedFormDecoder().decode(type, from: text)
        } catch let DecodingError.keyNotFound(key, _) {
            throw Problem.invalid(key.stringValue, "is missing")
        } catch {
            throw Problem(.badRequest, "invalid_form", "The body is not a form")
        }
    }
}
