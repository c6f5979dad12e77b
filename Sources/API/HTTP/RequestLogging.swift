import Hummingbird
import Logging

/// A line for each request: what was asked by which route, and how it ended. Of the path no more than the router
/// knows of it, and no query: codes, tickets and addresses are in both.
struct RequestLogging: RouterMiddleware {
    typealias Context = AppContext

    func handle(
        _ request: Request,
        context: AppContext,
        next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        let response = try await next(request, context)
        context.logger.info(
            "request",
            metadata: [
                "method": "\(request.method.rawValue)", "route": "\(context.endpointPath ?? "NotFound")",
                "status": "\(response.status.code)",
            ]
        )
        return response
    }
}
