import Foundation
import PGClient
import Tenancy

extension TenantTransaction {
    /// In the place of the one before, which opens nothing any more. Sent with the commit.
    func keepRecoveryCode(_ code: RecoveryCode, at now: Date) throws {
        try executeWithCommit(
            """
            insert into app.recovery_code (uid, hash, made_at) values (\(code.uid), \(code.hash), \(now))
            on conflict (uid) do update set (hash, previous_hash, made_at) = (\(code.hash), null, \(now))
            """
        )
    }
}

extension TenantDatabase {
    /// As the person whose code it is, which is spent for the `next`. Nil for one that isn't good.
    func enter<Result: Sendable>(
        by code: RecoveryCode,
        next: RecoveryCode,
        at now: Date,
        _ body: (TenantTransaction) async throws -> Result
    ) async throws -> Result? {
        try await enter(
            by: "select app.enter_by_recovery_code(\(code.uid), \(code.hash), \(next.hash), \(now))",
            body
        )
    }
}
