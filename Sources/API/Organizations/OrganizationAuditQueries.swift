import Domain
import Foundation
import PGClient
import Tenancy

/// A line of a company's record.
struct OrganizationEvent: PGRow, Encodable {
    let number: Int64
    let at: Instant
    let actor: String
    let action: String
    let target: String
    /// What it was before, as JSON; nil where there is nothing to say.
    let before: String?
    let after: String?
    let source: String
    let requestId: UUID
    /// Of this line and the hash of the one before.
    let hash: [UInt8]

    init(from row: inout PGRowReader) throws {
        number = try row.next()
        at = try row.next()
        actor = try row.next()
        action = try row.next()
        target = try row.next()
        before = try row.next()
        after = try row.next()
        source = try row.next()
        requestId = try row.next()
        hash = try row.next()
    }

    private enum CodingKeys: CodingKey {
        case number, at, actor, action, target, before, after, source, requestId, hash
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(number, forKey: .number)
        try container.encode(at, forKey: .at)
        try container.encode(actor, forKey: .actor)
        try container.encode(action, forKey: .action)
        try container.encode(target, forKey: .target)
        try container.encodeIfPresent(before.map(Self.json), forKey: .before)
        try container.encodeIfPresent(after.map(Self.json), forKey: .after)
        try container.encode(source, forKey: .source)
        try container.encode(requestId.text, forKey: .requestId)
        try container.encode(hash.hex, forKey: .hash)
    }

    private static func json(_ text: String) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }
}

extension OrganizationEvent {
    static let csvHeader = "number,at,actor,action,target,before,after,source,requestId,hash\r\n"

    /// One record (RFC 4180).
    var csv: String {
        let cells = [
            "\(number)", "\(at)", actor, action, target, before ?? "", after ?? "", source, requestId.text,
            hash.hex,
        ]
        return cells.map(Self.cell).joined(separator: ",") + "\r\n"
    }

    /// Quoted, and begun with an apostrophe where a spreadsheet would take it for a formula.
    static func cell(_ text: String) -> String {
        let isFormula = text.unicodeScalars.first.map { "=+-@\t\r\n".unicodeScalars.contains($0) } ?? false
        // By scalars: with a combining mark, a quote is another character.
        let quoted = text.unicodeScalars.reduce(into: "") { quoted, scalar in
            quoted.unicodeScalars.append(scalar)
            if scalar == "\"" { quoted += "\"" }
        }
        return "\"\(isFormula ? "'" : "")\(quoted)\""
    }
}

extension [UInt8] {
    var hex: String {
        map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

/// Which lines are asked for: nil is every one.
struct OrganizationEventFilter: Sendable {
    var before: Int64?
    var action: String?
    /// A key is found by `key:ID`, without the name that follows it.
    var actor: String?
    var target: String?
    var since: Instant?
    var until: Instant?
}

extension TenantTransaction {
    /// The newest first, and one more than a page takes, if there are more.
    func organizationEvents(
        of organization: UUID,
        _ filter: OrganizationEventFilter,
        limit: Int
    ) async throws -> [OrganizationEvent] {
        try await query(
            """
            select number, happened_at, actor, action, target, before::text, after::text, source, request_id, hash
            from app.organization_event
            where organization_id = \(organization)
              and (\(filter.before)::bigint is null or number < \(filter.before))
              and (\(filter.action)::text is null or action = \(filter.action))
              and (\(filter.actor)::text is null or actor = \(filter.actor) or starts_with(actor, \(filter.actor) || ' '))
              and (\(filter.target)::text is null or target = \(filter.target))
              and (\(filter.since)::timestamptz is null or happened_at >= \(filter.since))
              and (\(filter.until)::timestamptz is null or happened_at < \(filter.until))
            order by number desc
            limit \(limit + 1)
            """
        )
    }
}

extension PGTransaction {
    /// How many lines were older than their companies want them kept. At most so many companies at once.
    func forgetOrganizationEvents(at now: Date) async throws -> Int32 {
        try await queryOne("select app.forget_organization_events(\(now), 100)", as: Int32.self)
    }

    /// Whether a company's record is what was written. For the operator.
    func verifyOrganizationEvents(of organization: UUID) async throws -> RecordVerdict {
        let (events, wrong, why, number, hash) = try await queryOne(
            "select events, wrong, why, last_number, last_hash from app.verify_organization_events(\(organization))",
            as: (Int64, Int64?, String?, Int64, [UInt8]).self
        )
        return RecordVerdict(
            events: events,
            wrong: wrong,
            why: why,
            lastNumber: number,
            lastHash: hash.hex
        )
    }
}

/// What ``PGClient/PGTransaction/verifyOrganizationEvents(of:)`` found.
struct RecordVerdict: Equatable, Sendable {
    let events: Int64
    /// The first line that isn't what was written; nil where there is none.
    let wrong: Int64?
    let why: String?
    let lastNumber: Int64
    let lastHash: String
}
