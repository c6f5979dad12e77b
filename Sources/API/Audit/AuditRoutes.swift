import Domain
import Foundation
import HTTPTypes
import Hummingbird
import Tenancy

/// `/v1/me/audit-events`: what happened to one's account, and from where.
struct AuditRoutes: Sendable {
    let database: TenantDatabase

    private struct Page: Encodable {
        let events: [AuditEvent]
        let nextCursor: String?
    }

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.get("me/audit-events", use: auditEvents)
    }

    /// `GET /v1/me/audit-events`: the newest first.
    @Sendable func auditEvents(_ request: Request, in context: MemberContext) async throws -> Response {
        let parameters = request.uri.queryParameters
        let limit = try parameters.wholeNumber("limit", in: 1...100) ?? 50
        let cursor = try parameters.get("cursor").map { text in
            guard let cursor = AuditCursor(text) else {
                throw Problem.invalid("cursor", "is not one of ours")
            }
            return cursor
        }
        let events = try await database.read(as: context.principal) { tx in
            try await tx.ownAuditEvents(before: cursor, limit: limit)
        }
        let page = Array(events.prefix(limit))
        let hasMore = events.count > page.count
        return try JSON.response(
            Page(events: page, nextCursor: hasMore ? page.last.map(AuditCursor.init)?.text : nil)
        )
    }
}

/// Where a page of the record ends.
struct AuditCursor: PageCursor {
    let at: Instant
    let id: UUID

    init(_ event: AuditEvent) {
        at = event.at
        id = event.id
    }
}
