import Domain
import Foundation
import PGClient
import Tenancy

extension TenantTransaction {
    /// Verified ones first, then those that wait for their code.
    func ownEmails(at now: Date) async throws -> [EmailRoutes.Email] {
        try await query(
            """
            select address, verified_at, null::timestamptz
            from app.email_claim where uid = \(principal.uid)
            union all
            select address, null, good_until
            from app.email_verification where uid = \(principal.uid) and good_until > \(now)
            order by 2 nulls last, 1
            """,
            as: (String, Instant?, Instant?).self
        ).map { EmailRoutes.Email(address: $0, verifiedAt: $1, codeExpiresAt: $2) }
    }

    /// Mails a code. The seconds to wait where that would be too much mail, nil where it is on its way.
    func askEmail(_ address: EmailAddress, seed: UUID, digest: [UInt8], at now: Date) async throws -> Int? {
        try await queryOne(
            """
            select app.ask_email(
              \(address.description), \(seed), \(digest), \(now), \(now.addingTimeInterval(EmailCodes.lifetime))
            )
            """,
            as: Int?.self
        )
    }

    /// Whether the code was good. A wrong one is counted, unless the transaction fails.
    func verifyEmail(_ address: EmailAddress, digest: [UInt8], at now: Date) async throws -> Bool {
        try await queryOne(
            "select app.verify_email(\(address.description), \(digest), \(now))",
            as: Bool.self
        )
    }

    /// Whether there was such an address, verified or not.
    func removeEmail(_ address: String) async throws -> Bool {
        try await queryOne(
            """
            with claimed as (
              delete from app.email_claim
              where uid = \(principal.uid) and lower(address) = lower(\(address)) returning 1
            ), asked as (
              delete from app.email_verification
              where uid = \(principal.uid) and lower(address) = lower(\(address)) returning 1
            )
            select exists (select from claimed) or exists (select from asked)
            """,
            as: Bool.self
        )
    }
}
