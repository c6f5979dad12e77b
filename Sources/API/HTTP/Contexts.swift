import Foundation
import HTTPTypes
import Hummingbird
import Logging
import Tenancy

/// What every request has: an id that its log lines and its answer carry.
struct AppContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let requestID: String
    /// Set by ``Authentication`` where a valid access token came along.
    var access: Access?

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        requestID = UUID().uuidString.lowercased()
        logger[metadataKey: "requestId"] = .string(requestID)
    }
}

/// A request by somebody we know: handlers behind it hold a principal that is
/// never optional, and one without a token never reaches them.
struct MemberContext: ChildRequestContext {
    var coreContext: CoreRequestContextStorage
    let principal: Principal
    /// For answers that last: they must not go on beyond the token.
    let accessEndsAt: Date

    init(context: AppContext) throws {
        guard let access = context.access else { throw Problem.unauthorized }
        coreContext = context.coreContext
        principal = access.principal
        accessEndsAt = access.endsAt
    }
}

/// Reads the bearer token, if there is a good one. Who may go on without is for
/// the routes to say: a client that always sends its token must be able to
/// refresh it when it is over.
struct Authentication: RouterMiddleware {
    typealias Context = AppContext

    let tokens: AccessTokens

    func handle(
        _ request: Request,
        context: AppContext,
        next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        let parts = request.headers[.authorization]?.split(separator: " ", maxSplits: 1) ?? []
        if parts.count == 2, parts[0].lowercased() == "bearer" {
            context.access = await tokens.access(by: String(parts[1]))
        }
        return try await next(request, context)
    }
}
