import Crypto
import Domain
import Foundation
import Hummingbird
import Tenancy

/// `/v1/leaderboards`: who practises, as far as each of them wants it seen.
struct LeaderboardRoutes: Sendable {
    let database: TenantDatabase
    let cursorKey: SymmetricKey
    let now: @Sendable () -> Date

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.group("leaderboards")
            .get(use: boards)
            .get(":scope", use: standings)
    }

    /// `GET /v1/leaderboards`: the boards that there are for this viewer.
    @Sendable func boards(_ request: Request, in context: MemberContext) async throws -> Response {
        struct Body: Encodable {
            let boards: [Board]
        }
        let boards = try await database.read(as: context.principal) { try await $0.ownBoards() }
        return try JSON.response(Body(boards: boards))
    }

    /// `GET /v1/leaderboards/{scope}`: the board as this viewer may see it.
    @Sendable func standings(_ request: Request, in context: MemberContext) async throws -> Response {
        let asOf = Instant(now())
        let board = try BoardRequest(
            scope: context.parameters.get("scope"),
            query: request.uri.queryParameters,
            cursorKey: cursorKey,
            now: asOf
        )
        let principal = board.organizationID.map(context.principal.member(of:)) ?? context.principal
        let (season, page) = try await database.read(as: principal) { tx in
            let season = try await tx.season(of: board.period, at: asOf)
            return (season, try await tx.standings(on: board, in: season))
        }
        return try JSON.response(
            Leaderboard(page, of: board, in: season, cursorKey: cursorKey, asOf: asOf)
        )
    }
}
