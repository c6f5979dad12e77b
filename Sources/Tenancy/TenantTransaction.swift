import Foundation
package import PGClient

/// A transaction that is bound to a person. Features extend it with the queries that
/// their handlers send.
package typealias TenantTransaction = BoundTransaction<Principal>

/// One that is bound to an organization by a key of it, and to no person: what is
/// asked of people can't be asked here, which the compiler says before Postgres does.
package typealias OrganizationTransaction = BoundTransaction<OrganizationPrincipal>

/// A transaction that is bound to a principal.
package struct BoundTransaction<Bound: Sendable>: Sendable {
    let transaction: PGTransaction
    package let principal: Bound

    @discardableResult
    package func execute(_ sql: SQL, file: StaticString = #fileID, line: UInt = #line) async throws -> Int {
        try await transaction.execute(sql, file: file, line: line)
    }

    /// Queries that don't depend on one another's results, in one message.
    package func query<each Row: PGRow>(_ queries: repeat PGQuery<each Row>) async throws -> (
        repeat [each Row]
    ) {
        try await transaction.query(repeat each queries)
    }

    /// Leaves a statement to be sent together with the commit, and to fail it.
    package func executeWithCommit(_ sql: SQL, file: StaticString = #fileID, line: UInt = #line) throws {
        try transaction.executeWithCommit(sql, file: file, line: line)
    }

    package func query<Row: PGRow>(
        _ sql: SQL,
        as row: Row.Type = Row.self,
        file: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> [Row] {
        try await transaction.query(sql, as: row, file: file, line: line)
    }

    package func query<each Column: PGDecodable>(
        _ sql: SQL,
        as columns: (repeat each Column).Type,
        file: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> [(repeat each Column)] {
        try await transaction.query(sql, as: columns, file: file, line: line)
    }

    package func queryFirst<Row: PGRow>(
        _ sql: SQL,
        as row: Row.Type = Row.self,
        file: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> Row? {
        try await transaction.queryFirst(sql, as: row, file: file, line: line)
    }

    package func queryOne<each Column: PGDecodable>(
        _ sql: SQL,
        as columns: (repeat each Column).Type,
        file: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> (repeat each Column) {
        try await transaction.queryOne(sql, as: columns, file: file, line: line)
    }
}

extension TenantTransaction {
    /// The same transaction as another user, to whom `door` binds it. Nil where it opens to nobody; it is bound
    /// to nobody then, and nothing more can be asked in it.
    package func goOver(by door: SQL) async throws -> TenantTransaction? {
        try await queryOne(door, as: UUID?.self).map { uid in
            TenantTransaction(transaction: transaction, principal: Principal(uid: uid))
        }
    }
}
