import Crypto
import Domain
import Foundation
import Hummingbird
import Tenancy

/// `/v1/leaderboards/{scope}/seasons`: the weeks of a board, and how they ended.
struct SeasonRoutes: Sendable {
    let database: TenantDatabase
    let cursorKey: SymmetricKey
    let now: @Sendable () -> Date

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.group("leaderboards/:scope/seasons")
            .get(use: seasons)
            .get(":week", use: season)
    }

    private struct SeasonList: Encodable {
        let scope: Scope
        let seasons: [Listed]
        let nextCursor: String?
    }

    private struct Listed: Encodable {
        let week: Week
        let state: Season.State
        let endsAt, finalAt: Instant
        let finalisedAt: Instant?

        init(_ status: SeasonStatus) {
            week = status.season.week
            state = status.state
            endsAt = status.season.endsAt
            finalAt = status.season.finalAt
            finalisedAt = status.finalisedAt
        }
    }

    /// `GET /v1/leaderboards/{scope}/seasons`: the newest first.
    @Sendable func seasons(_ request: Request, in context: MemberContext) async throws -> Response {
        let list = try SeasonListRequest(
            scope: context.parameters.get("scope"),
            query: request.uri.queryParameters
        )
        let principal = list.organizationID.map(context.principal.member(of:)) ?? context.principal
        let seasons = try await database.read(as: principal) { tx in
            try await tx.seasons(of: list, at: Instant(now()))
        }
        let page = seasons.prefix(list.limit)
        let next = seasons.count > page.count ? page.last?.season.week : nil
        return try JSON.response(
            SeasonList(
                scope: list.scope,
                seasons: page.map(Listed.init),
                nextCursor: next.map(SeasonListRequest.cursor(after:))
            )
        )
    }

    /// A page of a season's board, and what is said of the season itself.
    private struct SeasonBoard: Encodable {
        let page: Leaderboard
        let podium: [Leaderboard.Entry]
        let changes: [LateChange]
        let finalisedAt: Instant?
        let digest: String?

        private enum Key: CodingKey {
            case podium, changes, finalisedAt, digest
        }

        /// In one object with the page.
        func encode(to encoder: any Encoder) throws {
            try page.encode(to: encoder)
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(podium, forKey: .podium)
            try container.encode(changes, forKey: .changes)
            try container.encodeIfPresent(finalisedAt, forKey: .finalisedAt)
            try container.encodeIfPresent(digest, forKey: .digest)
        }
    }

    /// `GET /v1/leaderboards/{scope}/seasons/{week}`: who was where, or is so far.
    @Sendable func season(_ request: Request, in context: MemberContext) async throws -> Response {
        let asOf = Instant(now())
        let board = try BoardRequest(
            scope: context.parameters.get("scope"),
            week: try context.parameters.require("week"),
            query: request.uri.queryParameters,
            cursorKey: cursorKey,
            now: asOf
        )
        let principal = board.organizationID.map(context.principal.member(of:)) ?? context.principal
        let (season, page, podium, changes, seal) = try await database.read(as: principal) { tx in
            let season = try await tx.season(of: board.period, at: asOf)
            // All four at once: none waits for another.
            async let page = tx.standings(on: board, in: season)
            async let podium = tx.standings(on: board.podium, in: season)
            async let changes = tx.lateChanges(of: board, in: season)
            async let seal = tx.seal(of: board, in: season)
            return (season, try await page, try await podium, try await changes, try await seal)
        }
        return try JSON.response(
            SeasonBoard(
                page: Leaderboard(page, of: board, in: season, cursorKey: cursorKey, asOf: asOf),
                // Where one of the first three has gone, nobody moves up.
                podium: podium.standings.filter { $0.rank <= 3 }.map(Leaderboard.Entry.init(standing:)),
                changes: page.isHidden ? [] : changes,
                finalisedAt: season?.finalisedAt,
                digest: seal?.digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
            )
        )
    }
}
