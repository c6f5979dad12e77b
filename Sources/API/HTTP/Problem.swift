import Domain
import Foundation
import HTTPTypes
import Hummingbird

/// An answer that says what went wrong: `application/problem+json` (RFC 9457).
///
/// `code` is the stable name that a client may branch on; `title` is for people.
struct Problem: Error, Sendable {
    let status: HTTPResponse.Status
    let code: String
    let title: String
    var detail: String?
    /// Path of the offending field, such as `device.timeZone`.
    var field: String?
    /// Seconds after which trying again makes sense.
    var retryAfter: Int?
    /// The quota that is spent.
    var rateLimit: RateLimitPolicy?
    /// The scope that a personal access token would need.
    var scope: String?
    /// Members beyond the standard ones, when a problem has more to tell.
    var eligibility: Eligibility?
    var state: GameState?

    init(
        _ status: HTTPResponse.Status,
        _ code: String,
        _ title: String,
        detail: String? = nil,
        field: String? = nil,
        retryAfter: Int? = nil
    ) {
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.field = field
        self.retryAfter = retryAfter
    }

    static func invalid(_ field: String, _ detail: String) -> Problem {
        Problem(.unprocessableContent, "invalid_field", "A field is not valid", detail: detail, field: field)
    }

    /// Also for what exists but is not this principal's to see.
    static let notFound = Problem(.notFound, "not_found", "There is nothing here")
    static let unauthorized = Problem(
        .unauthorized,
        "unauthorized",
        "A valid access token is needed"
    )
    static let unavailable = Problem(
        .serviceUnavailable,
        "unavailable",
        "The service cannot answer right now",
        retryAfter: 1
    )
    static let unexpected = Problem(.internalServerError, "internal", "Something went wrong on our side")

    static func notEligible(_ eligibility: Eligibility) -> Problem {
        var problem = Problem(
            .forbidden,
            "not_eligible",
            "Cloud sync opens at level 5; until then everything stays on your device"
        )
        problem.eligibility = eligibility
        return problem
    }
}

extension Problem {
    private struct Body: Encodable {
        let type = "about:blank"
        let status: Int
        let code: String
        let title: String
        let detail: String?
        let field: String?
        let requestId: String
        let eligibility: Eligibility?
        let state: GameState?
    }

    func response(requestID: String) throws -> Response {
        let body = Body(
            status: status.code,
            code: code,
            title: title,
            detail: detail,
            field: field,
            requestId: requestID,
            eligibility: eligibility,
            state: state
        )
        var headers: HTTPFields = [.contentType: "application/problem+json", .cacheControl: "no-store"]
        if let retryAfter {
            headers[.retryAfter] = String(retryAfter)
        }
        if let rateLimit, let retryAfter {
            headers[.rateLimitPolicy] = rateLimit.policy
            headers[.rateLimit] = rateLimit.spent(retryAfter: retryAfter)
        }
        if status == .unauthorized {
            headers[.wwwAuthenticate] = "Bearer"
        }
        if let scope {
            headers[.wwwAuthenticate] = "Bearer error=\"insufficient_scope\", scope=\"\(scope)\""
        }
        return Response(
            status: status,
            headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: try JSONOutput.bytes(of: body)))
        )
    }
}

extension HTTPField.Name {
    static func known(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else {
            preconditionFailure("\(name) is not the name of a field")
        }
        return name
    }

    static let rateLimitPolicy = known("RateLimit-Policy")
    static let rateLimit = known("RateLimit")
    static let link = known("Link")
    static let forwardedFor = known("X-Forwarded-For")
}
