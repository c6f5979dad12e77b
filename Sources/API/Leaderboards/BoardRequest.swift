import Crypto
import Domain
import Foundation
import Hummingbird

/// What was asked for, parsed; every parameter is named when it is wrong.
struct BoardRequest: Sendable {
    enum Anchor: Sendable {
        case top
        case next(BoardCursor)
        case me
    }

    let scope: Scope
    let metric: Metric
    let period: Period
    let organizationID: UUID?
    /// Nil for the whole company.
    let teamID: UUID?
    private(set) var limit: Int
    private(set) var anchor: Anchor
    /// Tells this board from all others.
    let name: String

    private static let largestPage = 100

    /// - Parameter week: the season that the path names; without it, `period` says which.
    init(
        scope given: String?,
        week: String? = nil,
        query: Parameters,
        cursorKey: SymmetricKey,
        now: Instant
    ) throws {
        guard let scope = given.flatMap(Scope.init(rawValue:)) else { throw Problem.notFound }
        self.scope = scope
        let metric = try Self.metric(query["metric"], in: scope)
        self.metric = metric
        period =
            try week.map { try Self.season($0, of: metric, now: now) }
            ?? Self.period(query["period"], for: metric, now: now)
        organizationID = try Self.organization(query["organization"], for: scope)
        teamID = try Self.team(query["team"], for: scope, isHistory: week != nil)
        limit = try Self.limit(query["limit"], most: Self.largestPage)
        let whose = [organizationID, teamID].compactMap { $0?.text }.joined(separator: "+")
        name = [scope.rawValue, metric.rawValue, "\(period)", whose].joined(separator: "/")
        anchor = try Self.anchor(cursor: query["cursor"], around: query["around"], on: name, key: cursorKey)
    }

    /// As much of it, from its top.
    var fromTop: BoardRequest {
        var board = self
        board.anchor = .top
        return board
    }

    /// Where whoever is among the first three by rank is found: of those who tie, there may be many.
    var podium: BoardRequest {
        var podium = fromTop
        podium.limit = Self.largestPage
        return podium
    }

    private static func season(_ text: String, of metric: Metric, now: Instant) throws -> Period {
        guard metric != .totalSessions else {
            throw Problem.invalid("metric", "totalSessions is of all time and has no seasons")
        }
        guard let week = Week(text) else {
            throw Problem.invalid("week", "must be an ISO week such as 2026-W47")
        }
        guard Season(week).startsAt <= now else { throw Problem.notFound }
        return .week(week)
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

    static func organization(_ text: Substring?, for scope: Scope) throws -> UUID? {
        switch (scope, text) {
        case (.company, nil): throw Problem.invalid("organization", "is needed for the company board")
        case (.company, let text?):
            guard let id = UUID(uuidString: String(text)) else { throw Problem.notFound }
            return id
        case (_, nil): return nil
        default: throw Problem.invalid("organization", "is for the company board only")
        }
    }

    private static func team(_ text: Substring?, for scope: Scope, isHistory: Bool) throws -> UUID? {
        guard let text else { return nil }
        guard scope == .company, !isHistory else {
            throw Problem.invalid("team", "is for the company board of a week, as it stands")
        }
        guard let id = UUID(uuidString: String(text)) else { throw Problem.teamNotOnBoard }
        return id
    }

    static func limit(_ text: Substring?, most: Int) throws -> Int {
        guard let text else { return 20 }
        guard let limit = Int(text), (1...most).contains(limit) else {
            throw Problem.invalid("limit", "must be a number from 1 to \(most)")
        }
        return limit
    }

    private static func anchor(
        cursor: Substring?,
        around: Substring?,
        on board: String,
        key: SymmetricKey
    ) throws -> Anchor {
        switch (cursor, around) {
        case (nil, nil): return .top
        case (nil, "me"): return .me
        case (nil, _): throw Problem.invalid("around", "must be me")
        case (let cursor?, nil):
            guard let cursor = BoardCursor(String(cursor), on: board, key: key) else {
                throw Problem.invalid("cursor", "must be a cursor of an earlier answer for this board")
            }
            return .next(cursor)
        default: throw Problem.invalid("cursor", "can't be combined with around")
        }
    }
}
