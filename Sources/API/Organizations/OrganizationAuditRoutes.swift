import Domain
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Tenancy

/// `/v1/organizations/{organization}/audit`: what was done to a company, for those who answer for it.
struct OrganizationAuditRoutes: Sendable {
    let database: TenantDatabase

    /// How the lines are wanted: as a page, or as what other programs take in.
    private enum Format {
        case page, csv, lines

        /// The first that `Accept` names and we have; a page where it names none.
        init(accept: String?) {
            for word in (accept ?? "").split(separator: ",") {
                let type = word.split(separator: ";")[0].filter { !$0.isWhitespace }.lowercased()
                switch type {
                case "text/csv": self = .csv
                case "application/jsonl", "application/x-ndjson": self = .lines
                case "application/json", "application/*", "*/*": self = .page
                default: continue
                }
                return
            }
            self = .page
        }
    }

    private struct Page: Encodable {
        let events: [OrganizationEvent]
        let nextCursor: String?
    }

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.get("organizations/:organization/audit", use: events)
    }

    /// `GET /v1/organizations/{organization}/audit`: the newest first. Where there are more, `Link` names them,
    /// in every format.
    @Sendable func events(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let parameters = request.uri.queryParameters
        let limit = try parameters.wholeNumber("limit", in: 1...1000) ?? 100
        let filter = OrganizationEventFilter(
            before: try parameters.wholeNumber("cursor", in: 1...Int.max).map(Int64.init),
            action: parameters.get("action"),
            actor: parameters.get("actor"),
            target: parameters.get("target"),
            since: try parameters.instant("since"),
            until: try parameters.instant("until")
        )
        let found = try await database.read(as: context.principal) { tx in
            try await tx.requirePermission("audit.read", in: id)
            return try await tx.organizationEvents(of: id, filter, limit: limit)
        }
        let events = Array(found.prefix(limit))
        let cursor = found.count > events.count ? events.last.map { "\($0.number)" } : nil
        var response: Response
        switch Format(accept: request.headers[.accept]) {
        case .page:
            response = try JSON.response(Page(events: events, nextCursor: cursor))
        case .csv:
            let text = OrganizationEvent.csvHeader + events.map(\.csv).joined()
            response = JSON.response(bytes: text.utf8)
            response.headers[.contentType] = "text/csv; charset=utf-8; header=present"
            response.headers[.contentDisposition] = "attachment; filename=\"audit.csv\""
        case .lines:
            let lines = try events.map { try JSONOutput.bytes(of: $0) + [UInt8(ascii: "\n")] }
            response = JSON.response(bytes: lines.joined())
            response.headers[.contentType] = "application/jsonl"
        }
        if let cursor { response.headers[.link] = Self.next(after: cursor, of: request) }
        return response
    }

    /// The same question, from there on.
    private static func next(after cursor: String, of request: Request) -> String {
        let asked = (request.uri.query ?? "").split(separator: "&").filter { !$0.hasPrefix("cursor=") }
        return "<\(request.uri.path)?\((asked + ["cursor=\(cursor)"]).joined(separator: "&"))>; rel=\"next\""
    }
}

extension Parameters {
    fileprivate func instant(_ name: String) throws -> Instant? {
        guard let text = get(name) else { return nil }
        guard let instant = Instant(text) else {
            throw Problem.invalid(name, "must be an RFC 3339 date and time")
        }
        return instant
    }
}
