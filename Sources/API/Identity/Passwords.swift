import Domain
import HTTPTypes
import Tenancy

/// Which passwords may be had, and what they are recognised by.
struct Passwords: Sendable {
    private static let common = CommonPasswords(
        String(decoding: PackageResources.commonPasswords_txt, as: UTF8.self).split(separator: "\n")
    )

    private let hashing: PasswordHashing

    init(_ hashing: PasswordHashing) {
        self.hashing = hashing
    }

    /// - Throws: the problem that names the field `password`.
    func new(_ text: String, of address: EmailAddress? = nil) throws -> NewPassword {
        do {
            return try NewPassword(text, common: Self.common, address: address)
        } catch {
            throw Problem.invalid("password", error.why)
        }
    }

    func hash(_ password: NewPassword) async throws -> String {
        try await hashing.hash(password.text)
    }

    func matches(_ password: String, _ phc: String?) async throws -> Bool {
        try await hashing.matches(password, phc)
    }

    /// For what is asked twice: whoever is signed in says the password of the account too, where it has one, and
    /// that is still the password when `body` acts.
    ///
    /// - Throws: the problem that names the field, and `changed_meanwhile`.
    func confirmed<Result: Sendable>(
        _ shown: String?,
        field: String = "currentPassword",
        as principal: Principal,
        in database: TenantDatabase,
        _ body: (TenantTransaction) async throws -> Result
    ) async throws -> Result {
        let current = try await database.read(as: principal) { try await $0.ownPassword() }
        if let current {
            guard try await matches(shown ?? "", current) else {
                throw Problem.invalid(field, "is not the password")
            }
        }
        return try await database.write(as: principal) { tx in
            guard try await tx.ownPassword() == current else { throw Problem.passwordChanged }
            return try await body(tx)
        }
    }

    /// The same where that is good enough, otherwise with as much work as is asked for now.
    ///
    /// - Parameter password: which `phc` is known to be of.
    func renewed(_ phc: String, of password: String) async throws -> String {
        hashing.isOutdated(phc) ? try await hashing.hash(password) : phc
    }
}

extension Problem {
    fileprivate static let passwordChanged = Problem(
        .conflict,
        "changed_meanwhile",
        "The password was changed in the meantime"
    )
}
