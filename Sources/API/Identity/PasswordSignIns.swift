import Domain
import Foundation
import HTTPTypes
import PGClient
import Tenancy

/// Finds out who somebody is by an address and a password, for the API and for the pages.
struct PasswordSignIns: Sendable {
    let pool: PGPool
    let database: TenantDatabase
    let limits: Limits
    let passwords: Passwords

    /// What `body` does as the person who has that address and password. Takes as long whoever the address
    /// belongs to.
    ///
    /// - Throws: the problem `wrong_credentials` where the two don't belong together, and `too_many_requests`.
    func enter<Result: Sendable>(
        by address: EmailAddress,
        _ password: String,
        from source: SourceAddress,
        _ body: (TenantTransaction) async throws -> Result
    ) async throws -> Result {
        let account = address.description.lowercased()
        try await limits.take(.signIn, from: source, account: "\(account) \(source.limited)")
        let stored = try await pool.password(of: address, from: source.coarse)
        // Who guesses from many places is held up; whoever signed in from here before is not.
        if !stored.knowsSource { try await limits.take(.guessPassword, from: source, account: account) }
        guard try await passwords.matches(password, stored.phc), let uid = stored.uid, let phc = stored.phc
        else { throw Problem.wrongCredentials }
        let renewed = try await passwords.renewed(phc, of: password)
        let result = try await database.write(as: Principal(uid: uid)) { tx -> Result? in
            guard try await tx.confirmPassword(phc, renewed: renewed) else { return nil }
            return try await body(tx)
        }
        guard let result else { throw Problem.wrongCredentials }
        return result
    }
}

extension Problem {
    fileprivate static let wrongCredentials = Problem(
        .unauthorized,
        "wrong_credentials",
        "That address and password don't belong together"
    )
}
