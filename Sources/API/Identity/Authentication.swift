import Crypto
import Domain
import Foundation
import HTTPTypes
import Hummingbird
import PGClient
import Tenancy

/// Reads the bearer token, if there is a good one. Who may go on without is for
/// the routes to say: a client that always sends its token must be able to
/// refresh it when it is over.
struct Authentication: RouterMiddleware {
    typealias Context = AppContext

    let tokens: AccessTokens
    let uses: TokenUses
    let allowance: AccountAllowance
    let now: @Sendable () -> Date

    func handle(
        _ request: Request,
        context: AppContext,
        next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        do {
            return try await answer(request, in: &context, next: next)
        } catch {
            context.logRefusal(error, of: request)
            throw error
        }
    }

    private func answer(
        _ request: Request,
        in context: inout AppContext,
        next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        let parts = request.headers[.authorization]?.split(separator: " ", maxSplits: 1) ?? []
        guard parts.count == 2, parts[0].lowercased() == "bearer" else {
            return try await next(request, context)
        }
        if let token = PersonalAccessToken(String(parts[1])) {
            // Before it is known to be good, so it counts for itself and not for its person.
            try allowance.take(token.text, at: now())
            guard let scope = RouteScopes.scope(of: request.method, context.endpointPath ?? "") else {
                context.refusal = .tokenNotAccepted
                return try await next(request, context)
            }
            context.access = Access(
                principal: Principal(uid: token.uid, token: token.proof(for: scope, at: now())),
                endsAt: now().addingTimeInterval(AccessTokens.lifetime)
            )
            let response: Response
            do {
                response = try await next(request, context)
            } catch let error as PGError where error.sqlState?.rawValue == "BM403" && error.constraint == nil
            {
                throw Problem.insufficientScope(scope)
            }
            await uses.note(token, at: now(), logger: context.logger)
            return response
        }
        if let key = OrganizationKey(String(parts[1])) {
            try allowance.take(key.text, at: now(), policy: .organizationKey)
            guard let scopes = RouteScopes.keyScopes(of: request.method, context.endpointPath ?? "") else {
                context.refusal = .keyNotAccepted
                return try await next(request, context)
            }
            let principal = key.principal(for: scopes, at: now(), from: context.origin)
            context.key = principal
            let response: Response
            do {
                response = try await next(request, context)
            } catch let error as PGError where error.sqlState?.rawValue == "BM403" {
                throw Problem.insufficientScope(scopes)
            }
            await uses.note(principal, at: now(), logger: context.logger)
            return response
        }
        if let access = await tokens.access(by: String(parts[1])) {
            context.access = Access(principal: access.principal.asking(at: now()), endsAt: access.endsAt)
            try allowance.take(access.principal.uid.text, at: now())
        }
        return try await next(request, context)
    }
}
