import Foundation
package import PGClient

/// The only doors to data. Every transaction is bound to a principal in its
/// first round trip, so there is no way to ask without saying who asks.
package struct TenantDatabase: Sendable {
    private let pool: PGPool

    package init(pool: PGPool) {
        self.pool = pool
    }

    /// A read-only transaction bound to `principal`.
    ///
    /// - Throws: ``PGError`` with SQLSTATE `BM401` for an unknown user or a sign-in or token
    ///   that has ended, `BM403` for a token without the scope or a sign-in older than the
    ///   organization wants it, and `BM404` where they are not an active member, before any
    ///   statement of `body` counts.
    package func read<Result: Sendable>(
        as principal: Principal,
        _ body: (TenantTransaction) async throws -> Result
    ) async throws -> Result {
        try await pool.transaction(.readOnly, opening: principal.binding) { transaction in
            try await body(TenantTransaction(transaction: transaction, principal: principal))
        }
    }

    /// A transaction bound to `principal` that may write. Errors as ``read(as:_:)``.
    package func write<Result: Sendable>(
        as principal: Principal,
        _ body: (TenantTransaction) async throws -> Result
    ) async throws -> Result {
        try await pool.transaction(.readWrite, opening: principal.binding) { transaction in
            try await body(TenantTransaction(transaction: transaction, principal: principal))
        }
    }

    /// A read-only transaction bound to an organization by a key of it.
    ///
    /// - Throws: ``PGError`` with SQLSTATE `BM401` for a key that is over or comes from
    ///   elsewhere, and `BM403` for one without the scope.
    package func read<Result: Sendable>(
        as principal: OrganizationPrincipal,
        _ body: (OrganizationTransaction) async throws -> Result
    ) async throws -> Result {
        try await pool.transaction(.readOnly, opening: principal.binding) { transaction in
            try await body(OrganizationTransaction(transaction: transaction, principal: principal))
        }
    }

    /// A transaction bound to an organization that may write. Errors as for one that reads.
    package func write<Result: Sendable>(
        as principal: OrganizationPrincipal,
        _ body: (OrganizationTransaction) async throws -> Result
    ) async throws -> Result {
        try await pool.transaction(.readWrite, opening: principal.binding) { transaction in
            try await body(OrganizationTransaction(transaction: transaction, principal: principal))
        }
    }

    /// What an operator does about one person: with the rights of the owner, which row security holds too.
    package func operate<Result: Sendable>(
        on principal: Principal,
        _ body: (TenantTransaction) async throws -> Result
    ) async throws -> Result {
        try await pool.transaction(.readWrite, opening: "set local role breathmaster_owner") { transaction in
            try await transaction.execute(principal.binding)
            return try await body(TenantTransaction(transaction: transaction, principal: principal))
        }
    }

    /// What an operator looks at of one person, all of one moment, with the rights of the owner.
    package func inspect<Result: Sendable>(
        _ principal: Principal,
        _ body: (TenantTransaction) async throws -> Result
    ) async throws -> Result {
        try await pool.transaction(.readOnly, opening: "set local role breathmaster_owner") { transaction in
            try await transaction.execute(principal.binding)
            return try await body(TenantTransaction(transaction: transaction, principal: principal))
        }
    }

    /// A transaction that begins with nobody and becomes the user it registers.
    package func register<Result: Sendable>(
        _ body: (TenantTransaction) async throws -> Result
    ) async throws -> Result {
        try await pool.transaction(.readWrite) { transaction in
            let uid = try await transaction.queryOne("select app.register()", as: UUID.self)
            return try await body(TenantTransaction(transaction: transaction, principal: Principal(uid: uid)))
        }
    }

    /// A transaction that begins with nobody and becomes the user whom `door` binds it to. Nil where it opens to
    /// nobody; what it did, such as counting the attempt, is committed all the same.
    package func enter<Result: Sendable>(
        by door: SQL,
        _ body: (TenantTransaction) async throws -> Result
    ) async throws -> Result? {
        try await pool.transaction(.readWrite) { transaction in
            let uid = try await transaction.queryOne(door, as: UUID?.self)
            guard let uid else { return nil }
            return try await body(TenantTransaction(transaction: transaction, principal: Principal(uid: uid)))
        }
    }

    /// As ``enter(by:_:)``, where the door says more than whether it opens.
    package func enter<Outcome: PGDecodable & Sendable, Result: Sendable>(
        by door: SQL,
        saying outcome: Outcome.Type,
        _ body: (Outcome, TenantTransaction) async throws -> Result
    ) async throws -> (outcome: Outcome, result: Result?) {
        try await pool.transaction(.readWrite) { transaction in
            let (outcome, uid) = try await transaction.queryOne(door, as: (Outcome, UUID?).self)
            guard let uid else { return (outcome, nil) }
            let bound = TenantTransaction(transaction: transaction, principal: Principal(uid: uid))
            return (outcome, try await body(outcome, bound))
        }
    }
}

extension Principal {
    fileprivate var binding: SQL {
        if let token {
            "select app.bind(\(uid), \(organizationID), \(token.id), \(token.hash), \(token.scope), \(token.at))"
        } else if let signIn {
            "select app.bind(\(uid), \(organizationID), \(signIn), \(askedAt))"
        } else {
            "select app.bind(\(uid), \(organizationID))"
        }
    }
}

extension OrganizationPrincipal {
    fileprivate var binding: SQL {
        """
        select app.bind_organization(\(organizationID), \(keyID), \(hash), \(scopes),
          row(\(requestID), \(recordedSource), \(at))::app.origin, \(source))
        """
    }
}
