import Domain
import Foundation
import PGClient
import Tenancy

extension TenantTransaction {
    func askDeletion(of organization: UUID, by origin: SQL) async throws {
        try await execute("select app.ask_deletion(\(organization), \(origin))")
    }

    /// Whether there was one that had not begun.
    func cancelDeletion(of organization: UUID, by origin: SQL) async throws -> Bool {
        try await queryOne("select app.cancel_deletion(\(organization), \(origin))", as: Bool.self)
    }
}

extension PGTransaction {
    /// One step of deleting a company whose time has come: how many rows went, and the company where that was
    /// the last of it.
    func deleteOrganizations(_ most: Int, at now: Date) async throws -> (removed: Int32, finished: UUID?) {
        let (removed, finished) = try await queryOne(
            "select removed, finished from app.delete_organizations(\(Instant(now)), \(Int32(most)))",
            as: (Int32, UUID?).self
        )
        return (removed, finished)
    }

    // For the operator.

    func suspendOrganization(_ organization: UUID, _ closed: Bool, at now: Date) async throws {
        try await execute(
            "select app.suspend_organization(\(organization), \(closed), \(Self.console(at: now)))"
        )
    }

    func orderDeletion(of organization: UUID, at now: Date) async throws {
        try await execute("select app.order_deletion(\(organization), \(Self.console(at: now)))")
    }

    /// What was deleted of a company; nil where nobody asked for that.
    func deletionReceipt(of organization: UUID) async throws -> DeletionReceipt? {
        try await query(
            "select asked_at, begun_at, finished_at, counts from app.deletion_receipt(\(organization))",
            as: (Instant, Instant?, Instant?, String).self
        ).first.map { DeletionReceipt(askedAt: $0, begunAt: $1, finishedAt: $2, counts: $3) }
    }

    private static func console(at now: Date) -> SQL {
        "row(\(UUID()), 'console', \(Instant(now)))::app.origin"
    }
}

struct DeletionReceipt: Sendable, CustomStringConvertible {
    let askedAt: Instant
    let begunAt, finishedAt: Instant?
    /// Rows by table, as JSON.
    let counts: String

    var description: String {
        let state = finishedAt.map { "finished \($0)" } ?? begunAt.map { "began \($0)" } ?? "waits"
        return "asked \(askedAt), \(state): \(counts)"
    }
}
