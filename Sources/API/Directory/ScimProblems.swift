import Domain
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// What went wrong at `/scim/v2`, as a directory understands it (RFC 7644 §3.12), and a method that is
/// not for its path. Everything else about errors is as elsewhere.
struct ScimProblems: RouterMiddleware {
    typealias Context = AppContext

    private struct Body: Encodable {
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:Error"]
        /// As text, which is what the RFC says.
        let status: String
        let scimType: String?
        let detail: String
    }

    func handle(
        _ request: Request,
        context: AppContext,
        next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        guard let place = Self.place(request.uri.path) else { return try await next(request, context) }
        do {
            if let methods = Self.methods(place), !methods.contains(request.method) {
                throw Problem(.methodNotAllowed, "method_not_allowed", "That is not done there")
            }
            return try await next(request, context)
        } catch let error as ScimError {
            let problem = Problem(.badRequest, "scim", error.detail)
            return try Self.response(to: problem, error.kind, requestID: context.requestID)
        } catch {
            let problem = ProblemMiddleware.problem(for: error, context: context)
            var response = try Self.response(to: problem, problem.scimKind, requestID: context.requestID)
            if problem.status == .methodNotAllowed, let methods = Self.methods(place) {
                response.headers[.allow] = methods.map(\.rawValue).joined(separator: ", ")
            }
            return response
        }
    }

    private static func response(
        to problem: Problem,
        _ kind: ScimError.Kind?,
        requestID: String
    ) throws -> Response {
        let status: HTTPResponse.Status =
            problem.status == .unprocessableContent ? .badRequest : problem.status
        let words = [problem.field, problem.detail].compactMap(\.self).joined(separator: " ")
        let body = Body(
            status: String(status.code),
            scimType: kind?.rawValue,
            detail: words.isEmpty ? problem.title : "\(problem.title): \(words)"
        )
        var response = try problem.response(requestID: requestID)
        response.status = status
        response.headers[.contentType] = ScimAnswer.contentType
        response.body = ResponseBody(byteBuffer: ByteBuffer(bytes: try JSONOutput.bytes(of: body)))
        return response
    }

    /// What comes after `/scim/v2`.
    private static func place(_ path: String) -> [Substring]? {
        let parts = path.split(separator: "/")
        return parts.starts(with: ["scim", "v2"]) ? Array(parts.dropFirst(2)) : nil
    }

    /// What can be done there; nil where there is nothing.
    private static func methods(_ place: [Substring]) -> [HTTPRequest.Method]? {
        switch (place.first, place.count) {
        case ("ServiceProviderConfig", 1), ("ResourceTypes", 1...2), ("Schemas", 1...2): [.get]
        case (".search", 1): [.post]
        case ("Users", 1), ("Groups", 1): [.get, .post]
        case ("Users", 2), ("Groups", 2): place[1] == ".search" ? [.post] : [.get, .put, .patch, .delete]
        default: nil
        }
    }
}

extension Problem {
    fileprivate var scimKind: ScimError.Kind? {
        switch (status, code) {
        case (.conflict, _): .uniqueness
        case (.badRequest, "invalid_json"), (_, "invalid_text"), (_, "body_too_deep"): .invalidSyntax
        case (.unprocessableContent, _): .invalidValue
        default: nil
        }
    }
}
