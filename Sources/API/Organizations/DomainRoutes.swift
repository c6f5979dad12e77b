import Domain
import Foundation
import HTTPTypes
import Hummingbird
import Tenancy

/// `/v1/organizations/{organization}/domains`: the mail domains that a company has shown to be its own.
struct DomainRoutes: Sendable {
    let database: TenantDatabase
    let limits: Limits
    let lookup: TXTLookup
    let now: @Sendable () -> Date

    struct Claim: Encodable, Sendable {
        enum State: String, Encodable, Sendable {
            case pending, proved
            /// Proved, and its record is missing.
            case lost
        }

        /// What has to be in the domain's zone, and has to stay there.
        struct Record: Encodable, Sendable {
            let type = "TXT"
            let name: String
            let value: String
        }

        let domain: String
        let state: State
        /// Nil where the operator vouches for the domain.
        let record: Record?
        let claimedAt: Instant
        let provedAt: Instant?
        let checkedAt: Instant?
        /// When the domain is no longer the company's, unless the record is there again.
        let lapsesAt: Instant?
    }

    private struct List: Encodable {
        let domains: [Claim]
    }

    private struct Wish: Decodable {
        let domain: DomainName
    }

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.group("organizations/:organization/domains")
            .get(use: domains)
            .post(use: claimDomain)
            .post(":domain/prove", use: proveDomain)
            .delete(":domain", use: releaseDomain)
    }

    /// `GET /v1/organizations/{organization}/domains`
    @Sendable func domains(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let domains = try await database.read(as: context.principal.member(of: id)) { tx in
            try await tx.requirePermission("domains.manage", in: id)
            return try await tx.domainClaims(of: id)
        }
        return try JSON.response(List(domains: domains))
    }

    /// `POST /v1/organizations/{organization}/domains`: says what to write into the domain's zone. It says
    /// so whoever holds the domain: only a proof tells.
    @Sendable func claimDomain(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let domain = try await JSON.decode(Wish.self, from: request).domain
        if let refusal = domain.refusal { throw refusal }
        let claim = try await database.write(as: context.principal.member(of: id)) { tx in
            try await tx.claimDomain(domain, for: id, by: context.origin.address(at: now()))
            return try await tx.domainClaims(of: id, domain).first
        }
        guard let claim else { throw Problem.notFound }
        return try JSON.response(claim, status: .created)
    }

    /// `POST /v1/organizations/{organization}/domains/{domain}/prove`: looks for the record now. Not to find
    /// it is no error: the claim stays pending.
    @Sendable func proveDomain(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let domain = try context.parameters.domain()
        let principal = context.principal.member(of: id)
        // Who may not, has nobody's servers asked.
        try await database.read(as: principal) { tx in
            try await tx.requirePermission("domains.manage", in: id)
            guard try await !tx.domainClaims(of: id, domain).isEmpty else { throw Problem.notFound }
        }
        try await limits.take(
            .proveDomain,
            from: context.origin.source,
            account: context.principal.uid.text
        )
        let texts: [String]
        do {
            texts = try await lookup.texts(of: domain.recordName)
        } catch is TXTLookup.Unanswered {
            throw Problem.domainUnanswered
        }
        let now = now()
        let seen = texts.compactMap { DomainProof($0, at: Instant(now))?.token }
        let claim = try await database.write(as: principal) { tx in
            try await tx.proveDomain(domain, for: id, seen: seen, by: context.origin.address(at: now))
            return try await tx.domainClaims(of: id, domain).first
        }
        guard let claim else { throw Problem.notFound }
        return try JSON.response(claim)
    }

    /// `DELETE /v1/organizations/{organization}/domains/{domain}`: gives it back, and with it the
    /// memberships that hang on it.
    @Sendable func releaseDomain(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let domain = try context.parameters.domain()
        let released = try await database.write(as: context.principal) { tx in
            try await tx.releaseDomain(domain, of: id, by: context.origin.address(at: now()))
        }
        guard released else { throw Problem.notFound }
        return Response(status: .noContent)
    }
}

extension Problem {
    fileprivate static let domainUnanswered = Problem(
        .serviceUnavailable,
        "domain_unanswered",
        "The domain's name servers did not answer",
        retryAfter: 60
    )
}

extension Parameters {
    /// One that is no domain is one that nobody claimed.
    fileprivate func domain() throws -> DomainName {
        guard let domain = get("domain").flatMap(DomainName.init) else { throw Problem.notFound }
        return domain
    }
}
