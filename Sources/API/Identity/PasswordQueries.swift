import Domain
import Foundation
import PGClient
import Tenancy

/// What a password is checked against; of nobody where `uid` is nil.
struct StoredPassword: Sendable {
    let uid: UUID?
    let phc: String?
    /// Whether its person has signed in from there before.
    let knowsSource: Bool
}

extension PGPool {
    func password(of address: EmailAddress, from source: String) async throws -> StoredPassword {
        let (uid, phc, knowsSource) = try await transaction { tx in
            try await tx.queryOne(
                """
                select found_uid, found_phc, knows_source
                from app.password_by_email(\(address.description), \(source))
                """,
                as: (UUID?, String?, Bool).self
            )
        }
        return StoredPassword(uid: uid, phc: phc, knowsSource: knowsSource)
    }

    func askPasswordReset(_ ask: PasswordReset, of address: EmailAddress, at now: Date) async throws {
        try await transaction { tx in
            _ = try await tx.execute(
                """
                select app.ask_password_reset(\(ask.id), \(address.description), \(ask.seed), \(ask.digest), \(now),
                  \(now.addingTimeInterval(EmailCodes.lifetime)))
                """
            )
        }
    }
}

extension TenantDatabase {
    /// As the person to whom the code was mailed. Nil for one that isn't good, which is counted.
    func enter<Result: Sendable>(
        byReset id: UUID,
        digest: [UInt8],
        at now: Date,
        _ body: (TenantTransaction) async throws -> Result
    ) async throws -> Result? {
        try await enter(by: "select app.enter_by_password_reset(\(id), \(digest), \(now))", body)
    }
}

extension TenantTransaction {
    func ownPassword() async throws -> String? {
        try await query("select phc from app.password where uid = \(principal.uid)", as: (String).self).first
    }

    func setPassword(_ phc: String, at now: Date) async throws {
        try await execute(
            """
            insert into app.password (uid, phc, set_at) values (\(principal.uid), \(phc), \(now))
            on conflict (uid) do update set (phc, set_at) = (excluded.phc, excluded.set_at)
            """
        )
    }

    /// Whether `phc` is still what the password is recognised by, and stays so until the commit. With `renewed`,
    /// which is the same password made with more work, in its place where that is another.
    func confirmPassword(_ phc: String, renewed: String) async throws -> Bool {
        if renewed == phc {
            return try await query(
                "select true from app.password where uid = \(principal.uid) and phc = \(phc) for share",
                as: (Bool).self
            ).first ?? false
        }
        return try await execute(
            "update app.password set phc = \(renewed) where uid = \(principal.uid) and phc = \(phc)"
        ) == 1
    }

    /// By mail, to each of their addresses.
    func notifyOfPassword(at now: Date) throws {
        try executeWithCommit("select app.notify_of_password(\(now))")
    }

    /// Another password, and the end of whatever acts as this person.
    func resetPassword(_ phc: String, from origin: Origin, at now: Date) async throws {
        try await endSignIns(except: principal.signIn)
        try await execute("select app.forget_recovery_code()")
        try await setPassword(phc, at: now)
        try record(.passwordSet, by: origin, at: now)
        try notifyOfPassword(at: now)
    }
}
