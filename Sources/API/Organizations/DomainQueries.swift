import Domain
import Foundation
import PGClient
import Tenancy

extension TenantTransaction {
    /// Of the bound organization; all, or one.
    func domainClaims(of organization: UUID, _ domain: DomainName? = nil) async throws -> [DomainRoutes.Claim]
    {
        try await query(
            """
            select domain, token, claimed_at, proved_at, checked_at, lost_at + interval '7 days'
            from app.domain_claim
            where organization_id = \(organization)
              and (\(domain?.description)::text is null or domain = \(domain?.description))
            order by domain
            """,
            as: (String, String?, Instant, Instant?, Instant?, Instant?).self
        ).map { domain, token, claimedAt, provedAt, checkedAt, lapsesAt in
            DomainRoutes.Claim(
                domain: domain,
                state: provedAt == nil ? .pending : lapsesAt == nil ? .proved : .lost,
                record: token.map {
                    .init(name: "\(DomainName.challenge).\(domain)", value: "token=\($0) expiry=never")
                },
                claimedAt: claimedAt,
                provedAt: provedAt,
                checkedAt: checkedAt,
                lapsesAt: lapsesAt
            )
        }
    }

    func claimDomain(_ domain: DomainName, for organization: UUID, by origin: SQL) async throws {
        // 26 signs of 5 bits: nobody guesses what another company was told.
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567")
        let token = String((0..<26).map { _ in alphabet[Int.random(in: alphabet.indices)] })
        try await execute(
            "select app.claim_domain(\(organization), \(domain.description), \(token), \(origin))"
        )
    }

    func proveDomain(_ domain: DomainName, for organization: UUID, seen: [String], by origin: SQL)
        async throws
    {
        try await execute(
            "select app.prove_domain(\(organization), \(domain.description), \(seen), \(origin))"
        )
    }

    /// Whether there was a claim.
    func releaseDomain(_ domain: DomainName, of organization: UUID, by origin: SQL) async throws -> Bool {
        try await queryOne(
            "select app.release_domain(\(organization), \(domain.description), \(origin))",
            as: Bool.self
        )
    }
}

extension PGTransaction {
    /// Nobody else is given them for a quarter of an hour.
    func domainsToCheck(_ most: Int, at now: Date) async throws -> [(organization: UUID, domain: String)] {
        try await query(
            "select organization_id, domain from app.domains_to_check(\(now), \(Int32(most)))",
            as: (UUID, String).self
        ).map { (organization: $0, domain: $1) }
    }

    /// - Parameter seen: nil where nobody answered.
    func recheckDomain(_ domain: String, of organization: UUID, seen: [String]?, at now: Date) async throws
        -> String
    {
        try await queryOne(
            """
            select app.recheck_domain(\(organization), \(domain), \(seen),
              row(\(UUID()), 'server', \(Instant(now)))::app.origin)
            """,
            as: String.self
        )
    }
}
