import HTTPTypes
import Hummingbird

/// For people at a browser a problem is a page too.
struct PageProblems: RouterMiddleware {
    typealias Context = AppContext

    let pages: Pages

    func handle(
        _ request: Request,
        context: AppContext,
        next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            context.logRefusal(error, of: request)
            return try pages.message(ProblemMiddleware.problem(for: error, context: context))
        }
    }
}
