import Domain
import Foundation
import HTTPTypes
import Hummingbird
import Tenancy

/// `/v1/sync/sessions`, `/receipts` and `/days`: what is known of one's practice, and why it counts.
struct PracticeRoutes: Sendable {
    let database: TenantDatabase
    let now: @Sendable () -> Date

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.group("sync")
            .get("sessions", use: ownSessions)
            .get("receipts/:batch", use: receipt)
            .get("days/:date", use: explainDay)
    }

    private struct SessionPage: Encodable {
        let sessions: [StoredSession]
        let nextCursor: String?
    }

    /// `GET /v1/sync/sessions`: in the order in which they came, those in quarantine too.
    @Sendable func ownSessions(_ request: Request, in context: MemberContext) async throws -> Response {
        let selection = try SessionSelection(request.uri.queryParameters)
        let sessions = try await database.read(as: context.principal) { tx in
            try await tx.ownSessions(selection)
        }
        let page = Array(sessions.prefix(selection.limit))
        let hasMore = sessions.count > page.count
        return try JSON.response(
            SessionPage(sessions: page, nextCursor: hasMore ? page.last.map(SessionCursor.init)?.text : nil)
        )
    }

    /// `GET /v1/sync/receipts/{batchId}`: what became of a batch, as it was answered.
    @Sendable func receipt(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("batch")
        let answer = try await database.read(as: context.principal) { tx in
            try await tx.answer(to: id)
        }
        guard let answer else { throw Problem.notFound }
        return try JSON.response(try JSONDecoder().decode(Receipt.self, from: Data(answer)))
    }

    /// The part of an answer that explains it.
    private struct Receipt: Codable {
        let batchId: String
        let syncVersion: Int
        let epoch: Int
        let outcomes: JSONValue
        let receipt: JSONValue
    }

    /// `GET /v1/sync/days/{date}`: why that local day counts for the streak, or doesn't.
    @Sendable func explainDay(_ request: Request, in context: MemberContext) async throws -> Response {
        guard let date = LocalDay(try context.parameters.require("date")) else {
            throw Problem.invalid("date", "must be a day such as 2026-11-24")
        }
        let stored = try await database.read(as: context.principal) { tx in
            try await tx.ledger()
        }
        return try JSON.response(stored.explanation(of: date, at: Instant(now())))
    }
}

extension StoredLedger {
    fileprivate func explanation(of date: LocalDay, at instant: Instant) -> DayExplanation {
        DayExplanation(
            of: date,
            today: today(at: instant),
            streakToday: streakToday(at: instant),
            in: ledger.streaks,
            days: ledger.days.values,
            dayStartsAt: dayStart
        )
    }
}

/// Which sessions are asked for.
struct SessionSelection: Sendable {
    /// Those that a sync after this one brought or changed.
    let since: Int
    /// Local days, both included.
    let from, to: LocalDay?
    let limit: Int
    let cursor: SessionCursor?

    fileprivate init(_ parameters: Parameters) throws {
        since = try parameters.wholeNumber("since", in: 0...Int(Int32.max)) ?? 0
        limit = try parameters.wholeNumber("limit", in: 1...SyncBatch.mostItems) ?? 100
        from = try parameters.localDay("from")
        to = try parameters.localDay("to")
        cursor = try parameters.get("cursor").map { text in
            guard let cursor = SessionCursor(text) else {
                throw Problem.invalid("cursor", "is not one of ours")
            }
            return cursor
        }
    }
}

/// Where a page of sessions ends.
struct SessionCursor: PageCursor {
    let syncVersion: Int
    let deviceID: String
    let sessionID: String
    let startedAt: Instant

    init(_ session: StoredSession) {
        syncVersion = session.syncVersion
        deviceID = session.deviceId
        sessionID = session.id
        startedAt = session.startedAt
    }
}

extension Parameters {
    /// Nil where it isn't given.
    func wholeNumber(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let text = get(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw Problem.invalid(
                name,
                "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return number
    }

    fileprivate func localDay(_ name: String) throws -> LocalDay? {
        guard let text = get(name) else { return nil }
        guard let day = LocalDay(text) else {
            throw Problem.invalid(name, "must be a day such as 2026-11-24")
        }
        return day
    }
}
