import Foundation
import HTTPTypes
import Hummingbird
import Logging
import Tenancy

/// What every request has: an id that its log lines and its answer carry.
struct AppContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let requestID: String
    /// Of the connection, until ``OriginReading`` knows better.
    var origin: Origin
    /// Set by ``Authentication`` where a valid access token came along.
    var access: Access?
    /// Set by ``Authentication`` where an organization's key came along that the route takes.
    var key: OrganizationPrincipal?
    /// Set by ``Authentication`` where the token doesn't open this route, whatever it opens.
    var refusal: Problem?

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        // Not `UUID()`, which opens and reads a file for each.
        var random = SystemRandomNumberGenerator()
        requestID = UUID.random(using: &random).text
        origin = Origin(
            requestID: requestID,
            source: SourceAddress(source.channel.remoteAddress) ?? .loopback
        )
        logger[metadataKey: "requestId"] = .string(requestID)
    }
}

/// A request by somebody we know: handlers behind it hold a principal that is
/// never optional, and one without a token never reaches them.
struct MemberContext: ChildRequestContext {
    var coreContext: CoreRequestContextStorage
    let principal: Principal
    let origin: Origin
    /// For answers that last: they must not go on beyond the token.
    let accessEndsAt: Date

    init(context: AppContext) throws {
        guard let access = context.access else { throw context.refusal ?? Problem.unauthorized }
        coreContext = context.coreContext
        origin = context.origin
        principal = access.principal
        accessEndsAt = access.endsAt
    }
}

/// A request by an organization's own program, and by nobody in it.
struct KeyContext: ChildRequestContext {
    var coreContext: CoreRequestContextStorage
    let principal: OrganizationPrincipal

    init(context: AppContext) throws {
        guard let key = context.key else { throw context.refusal ?? Problem.unauthorized }
        coreContext = context.coreContext
        principal = key
    }
}

/// By which request something was done, and from where.
struct Origin: Sendable {
    let requestID: String
    let source: SourceAddress
}

/// Finds out where a request came from, which only a trusted proxy can say of others.
struct OriginReading: RouterMiddleware {
    typealias Context = AppContext

    let proxies: TrustedProxies

    func handle(
        _ request: Request,
        context: AppContext,
        next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.origin = Origin(
            requestID: context.requestID,
            source: proxies.source(
                of: context.origin.source,
                forwardedFor: request.headers[values: .forwardedFor]
            )
        )
        return try await next(request, context)
    }
}
