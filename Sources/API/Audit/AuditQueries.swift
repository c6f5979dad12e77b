import Domain
import Foundation
import PGClient
import Tenancy

/// What is worth a line in the record that a person has of their account.
enum AuditAction: String, Sendable {
    case accountCreated = "account.created"
    case signedIn = "sign-in.begun"
    case signedOut = "sign-in.ended"
    case signedOutEverywhere = "sign-in.all-ended"
    /// A refresh token came long after the one that follows it was given out, and that one was not used yet.
    case refreshTokenRepeated = "sign-in.repeated"
    /// A refresh token came whose successor was used: somebody has a copy, so the sign-in was ended.
    case refreshTokenReused = "sign-in.reused"
    /// Somebody let a device in by the code that it showed.
    case deviceApproved = "device.approved"
    case deviceRevoked = "device.revoked"
    case tokenCreated = "token.created"
    case tokenRevoked = "token.revoked"
    case passwordSet = "password.set"
    case recoveryCodeMade = "recovery-code.made"
    case emailVerified = "email.verified"
    case emailRemoved = "email.removed"
    /// Another way in, or one less.
    case identityLinked = "identity.linked"
    case identityUnlinked = "identity.unlinked"
    /// Somebody asked for this account to end in another one, or for another one to end in this one.
    case accountMergeOpened = "account.merge-opened"
    case accountMergeAgreed = "account.merge-agreed"
    /// Another account of the person ended in this one.
    case accountMerged = "account.merged"
    case organizationKeyCreated = "organization-key.created"
    case organizationKeyRevoked = "organization-key.revoked"
    case privacyChanged = "privacy.changed"
}

/// A line of the record as its person reads it.
struct AuditEvent: PGRow, Encodable {
    let at: Instant
    let id: UUID
    let action: String
    let requestId: UUID
    /// The network that the request came from.
    let source: String
    let detail: String?

    init(from row: inout PGRowReader) throws {
        at = try row.next()
        id = try row.next()
        action = try row.next()
        requestId = try row.next()
        source = try row.next()
        detail = try row.next()
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(at, forKey: .at)
        try container.encode(id.text, forKey: .id)
        try container.encode(action, forKey: .action)
        try container.encode(requestId.text, forKey: .requestId)
        try container.encode(source, forKey: .source)
        try container.encodeIfPresent(detail, forKey: .detail)
    }

    private enum CodingKeys: CodingKey {
        case at, id, action, requestId, source, detail
    }
}

extension TenantTransaction {
    /// Adds to the record, with the commit: what is not done is not recorded, and what is not recorded is not done.
    ///
    /// - Parameter detail: more about it, at most 1000 characters; never a secret.
    func record(_ action: AuditAction, _ detail: String? = nil, by origin: Origin, at now: Date) throws {
        try executeWithCommit(
            """
            insert into app.audit_event (uid, happened_at, action, request_id, source, detail)
            values (\(principal.uid), \(Instant(now)), \(action.rawValue), \(UUID(uuidString: origin.requestID)),
              \(origin.source.coarse), \(detail))
            """
        )
    }

    /// The newest first, and one more than a page takes, if there are more.
    func ownAuditEvents(before cursor: AuditCursor?, limit: Int) async throws -> [AuditEvent] {
        try await query(
            """
            select happened_at, event_id, action, request_id, source, detail
            from app.audit_event
            where uid = \(principal.uid)
              and (\(cursor == nil) or (happened_at, event_id) < (\(cursor?.at), \(cursor?.id)))
            order by happened_at desc, event_id desc
            limit \(limit + 1)
            """
        )
    }
}
