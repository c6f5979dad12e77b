import Domain
import Foundation
import Hummingbird
import Tenancy

/// `/v1/leaderboards`: who practises, as far as each of them wants it seen.
struct LeaderboardRoutes: Sendable {
    let database: TenantDatabase
    let now: @Sendable () -> Date

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.get("leaderboards/:scope", use: standings)
    }

    /// `GET /v1/leaderboards/{scope}`: the board as this viewer may see it.
    @Sendable func standings(_ request: Request, in context: MemberContext) async throws -> Response {
        let board = try BoardRequest(
            scope: context.parameters.get("scope"),
            query: request.uri.queryParameters,
            now: Instant(now())
        )
        let principal = board.organizationID.map(context.principal.member(of:)) ?? context.principal
        let page = try await database.read(as: principal) { tx in
            try await tx.standings(on: board)
        }
        return try JSON.response(Leaderboard(page, of: board, asOf: Instant(now())))
    }
}

/// What was asked for, parsed; every parameter is named when it is wrong.
struct BoardRequest: Sendable {
    enum Anchor: Sendable {
        case top
        case after(BoardCursor)
        case me
    }

    let scope: Scope
    let metric: Metric
    let period: Period
    let organizationID: UUID?
    let limit: Int
    let anchor: Anchor

    init(scope name: String?, query: Parameters, now: Instant) throws {
        guard let scope = name.flatMap(Scope.init(rawValue:)) else { throw Problem.notFound }
        self.scope = scope
        metric = try Self.metric(query["metric"], in: scope)
        period = try Self.period(query["period"], for: metric, now: now)
        organizationID = try Self.organization(query["organization"], for: scope)
        limit = try Self.limit(query["limit"])
        anchor = try Self.anchor(cursor: query["cursor"], around: query["around"])
    }

    private static func metric(_ text: Substring?, in scope: Scope) throws -> Metric {
        guard let text else { return scope.metrics[0] }
        guard let metric = Metric(rawValue: String(text)), scope.metrics.contains(metric) else {
            let allowed = scope.metrics.map(\.rawValue).joined(separator: ", ")
            throw Problem(
                .unprocessableContent,
                "metric_not_in_scope",
                "This board does not show that metric",
                detail: "the \(scope.rawValue) board has \(allowed)",
                field: "metric"
            )
        }
        return metric
    }

    private static func period(_ text: Substring?, for metric: Metric, now: Instant) throws -> Period {
        if metric == .totalSessions {
            guard text == nil || text == "all-time" else {
                throw Problem.invalid("period", "totalSessions has all-time only")
            }
            return .allTime
        }
        switch text {
        case nil, "current": return .week(Week(of: LocalDay(of: now, in: .utc)))
        case let text?:
            guard let week = Week(String(text)) else {
                throw Problem.invalid("period", "must be current or an ISO week such as 2026-W47")
            }
            return .week(week)
        }
    }

    private static func organization(_ text: Substring?, for scope: Scope) throws -> UUID? {
        switch (scope, text) {
        case (.company, nil): throw Problem.invalid("organization", "is needed for the company board")
        case (.company, let text?):
            guard let id = UUID(uuidString: String(text)) else { throw Problem.notFound }
            return id
        case (_, nil): return nil
        default: throw Problem.invalid("organization", "is for the company board only")
        }
    }

    private static func limit(_ text: Substring?) throws -> Int {
        guard let text else { return 20 }
        guard let limit = Int(text), (1...100).contains(limit) else {
            throw Problem.invalid("limit", "must be a number from 1 to 100")
        }
        return limit
    }

    private static func anchor(cursor: Substring?, around: Substring?) throws -> Anchor {
        switch (cursor, around) {
        case (nil, nil): return .top
        case (nil, "me"): return .me
        case (nil, _): throw Problem.invalid("around", "must be me")
        case (let cursor?, nil):
            guard let cursor = BoardCursor(String(cursor)) else {
                throw Problem.invalid("cursor", "must be the nextCursor of an earlier answer")
            }
            return .after(cursor)
        default: throw Problem.invalid("cursor", "can't be combined with around")
        }
    }
}

/// The place after one standing, in the order of a board. It holds nothing that
/// the page didn't show.
struct BoardCursor: Codable, Sendable {
    let value: Double
    let uid: UUID

    init(value: Double, uid: UUID) {
        self.value = value
        self.uid = uid
    }

    init?(_ text: String) {
        guard text.utf8.count < 512, let data = Data(base64URL: text),
            let cursor = try? JSONDecoder().decode(Self.self, from: data)
        else { return nil }
        self = cursor
    }

    var text: String? {
        try? JSON.encoder.encode(self).base64URL
    }
}
