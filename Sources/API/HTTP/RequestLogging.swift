import Hummingbird
import Logging
import PGClient
import Tenancy

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

extension AppContext {
    /// A line for somebody who may not do what they asked for, or whom nobody knows: who, as far as a good token says
    /// so, and by which route. What is hidden from them is answered as what isn't there, and no refusal.
    func logRefusal(_ error: any Error, of request: Request) {
        let problem = (error as? Problem) ?? (error as? PGError).map(Problem.init)
        guard let problem, [.unauthorized, .forbidden].contains(problem.status) else { return }
        var metadata: Logger.Metadata = [
            "method": "\(request.method.rawValue)", "route": "\(endpointPath ?? "NotFound")",
            "code": "\(problem.code)",
        ]
        // Of a program's token it is known only once the database has looked whose it is.
        if problem.status == .forbidden {
            metadata["user"] = access.map { "\($0.principal.uid.text)" }
            metadata["organization"] = key.map { "\($0.organizationID.text)" }
        }
        logger.notice("refused", metadata: metadata)
    }
}
