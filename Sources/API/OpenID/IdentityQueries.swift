import Domain
import Foundation
import PGClient
import Tenancy

/// Somebody whom a provider vouches for, and that this server asked it to.
struct ShownIdentity: Sendable {
    let person: OpenIDPerson
    let nonceDigest: [UInt8]
    let shownAt: Date

    /// When no ID token with that nonce is good any more.
    fileprivate var nonceEndsAt: Date { shownAt.addingTimeInterval(OpenIDAttempt.lifetime) }
}

/// Where an identity has led.
enum IdentityOutcome: String, Sendable, PGDecodable {
    case known, new, spent
    case addressTaken = "address taken"
}

/// What has come of linking one: it may have been linked before, and its ID token may have been used before.
enum LinkOutcome: String, Sendable, PGDecodable {
    case linked, kept, spent
}

/// A way into an account by a provider, as its person sees it.
struct LinkedIdentity: PGRow, Sendable {
    let issuer: String
    let address: String?
    let linkedAt: Instant

    init(from row: inout PGRowReader) throws {
        issuer = try row.next()
        address = try row.next()
        linkedAt = try row.next()
    }
}

extension TenantDatabase {
    /// As the person whose identity it is; if they are new here, with the first line of their record.
    func enter<Result: Sendable>(
        by shown: ShownIdentity,
        from origin: Origin,
        _ body: (TenantTransaction) async throws -> Result
    ) async throws -> (outcome: IdentityOutcome, result: Result?) {
        let person = shown.person
        return try await enter(
            by: """
                select outcome, entered from app.enter_by_identity(\(person.issuer), \(person.subject),
                  \(person.address), \(person.vouchedAddress?.description), \(shown.nonceDigest), \(shown.shownAt),
                  \(shown.nonceEndsAt))
                """,
            saying: IdentityOutcome.self
        ) { outcome, tx in
            if outcome == .new { try tx.record(.accountCreated, by: origin, at: shown.shownAt) }
            return try await body(tx)
        }
    }
}

extension TenantTransaction {
    func link(_ shown: ShownIdentity) async throws -> LinkOutcome {
        let person = shown.person
        return try await queryOne(
            """
            select app.link_identity(\(person.issuer), \(person.subject), \(person.address),
              \(person.vouchedAddress?.description), \(shown.nonceDigest), \(shown.shownAt), \(shown.nonceEndsAt))
            """,
            as: LinkOutcome.self
        )
    }

    /// Whether there was one.
    func unlinkIdentity(of issuer: String) async throws -> Bool {
        try await queryOne("select app.unlink_identity(\(issuer))", as: Bool.self)
    }

    func ownIdentities() async throws -> [LinkedIdentity] {
        try await query(
            "select issuer, address, linked_at from app.identity where uid = \(principal.uid) order by issuer"
        )
    }
}
