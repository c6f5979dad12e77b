import Domain
import Foundation
import Logging
import PGClient

/// What companies need done without anybody asking: the records of their domains are looked for once a
/// day, lines of their own records are forgotten when they are older than each wants them kept, and those
/// whose time has come are deleted.
struct OrganizationTending: Sendable {
    /// So few that a quarter of an hour outlasts all of their servers being silent.
    private static let mostDomains = 20
    private static let mostRows = 1000

    let pool: PGPool
    let lookup: TXTLookup
    let now: @Sendable () -> Date
    let logger: Logger

    func tend() async throws {
        try await recheckDomains()
        try await delete()
        while true {
            let forgotten = try await pool.transaction { try await $0.forgetOrganizationEvents(at: now()) }
            if forgotten == 0 { return }
        }
    }

    /// In steps, each of which is for good: whoever dies in between goes on where they were.
    private func delete() async throws {
        while true {
            let step = try await pool.transaction {
                try await $0.deleteOrganizations(Self.mostRows, at: now())
            }
            if let finished = step.finished {
                logger.notice("a company is deleted", metadata: ["organization": "\(finished.text)"])
            } else if step.removed == 0 {
                return
            }
        }
    }

    private func recheckDomains() async throws {
        while true {
            let due = try await pool.transaction { try await $0.domainsToCheck(Self.mostDomains, at: now()) }
            if due.isEmpty { return }
            for claim in due {
                let texts = try? await lookup.texts(of: "\(DomainName.challenge).\(claim.domain)")
                let now = now()
                let seen = texts?.compactMap { DomainProof($0, at: Instant(now))?.token }
                let outcome = try await pool.transaction {
                    try await $0.recheckDomain(claim.domain, of: claim.organization, seen: seen, at: now)
                }
                if outcome != "proved" {
                    logger.notice(
                        "the record of a company's domain",
                        metadata: ["domain": "\(claim.domain)", "outcome": "\(outcome)"]
                    )
                }
            }
        }
    }
}
