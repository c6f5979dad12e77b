import Crypto
import Foundation
import PGClient

/// Brings a database to the newest schema: numbered files, each applied once,
/// in its own transaction, and never changed afterwards.
struct Migrator: Sendable {
    struct Migration: Sendable {
        let version: Int
        let name: String
        let text: String

        var checksum: [UInt8] { Array(SHA256.hash(data: Data(text.utf8))) }
    }

    private static let mostAttempts = 20

    let migrations: [Migration]

    /// - Parameter folder: the folder that holds `migrations/NNNN_feature.sql`.
    init(folder: String) throws {
        let path = "\(folder)/migrations"
        let names = try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasSuffix(".sql") }
            .sorted()
        let migrations = try names.map { name in
            guard let version = Int(name.prefix(4)) else {
                throw Failure(description: "\(path)/\(name): a migration's name begins with four digits")
            }
            return Migration(
                version: version,
                name: String(name.dropLast(4)),
                text: try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8)
            )
        }
        for (one, next) in zip(migrations, migrations.dropFirst()) where one.version == next.version {
            throw Failure(description: "\(path): \(one.name) and \(next.name) have the same number")
        }
        self.migrations = migrations
    }

    /// What is not applied yet.
    /// - Throws: ``Failure`` where the database holds something else than these
    ///   files say: an unknown version, or one whose file was changed.
    func pending(in transaction: PGTransaction) async throws -> [Migration] {
        let exists = try await transaction.queryOne(
            "select to_regclass('migration.applied') is not null",
            as: Bool.self
        )
        guard exists else { return migrations }
        let applied = try await transaction.query(
            "select version, name, checksum from migration.applied order by version",
            as: (Int, String, [UInt8]).self
        )
        for (version, name, checksum) in applied {
            guard let known = migrations.first(where: { $0.version == version }) else {
                throw Failure(
                    description: "the database has migration \(name), which this program doesn't know"
                )
            }
            guard known.checksum == checksum else {
                throw Failure(description: "\(known.name).sql was changed after it had been applied")
            }
        }
        return migrations.filter { migration in !applied.contains { $0.0 == migration.version } }
    }

    /// Applies what is pending; the names of what it applied.
    ///
    /// One transaction for each file. Two programs that migrate at once take turns.
    func migrate(_ pool: PGPool) async throws -> [String] {
        try await pool.transaction { transaction in
            try await lock(transaction)
            try await transaction.script(
                """
                create schema if not exists migration;
                create table if not exists migration.applied (
                  version integer primary key,
                  name text not null,
                  checksum bytea not null,
                  applied_at timestamptz not null default now()
                );
                """
            )
        }
        var applied: [String] = []
        for migration in migrations {
            if try await applyIfPending(migration, pool) { applied.append(migration.name) }
        }
        return applied
    }

    /// Roles are the cluster's. What changes one fails when another database's migration changed it meanwhile, and
    /// is begun again: somebody else got on each time.
    private func applyIfPending(_ migration: Migration, _ pool: PGPool) async throws -> Bool {
        var attempt = 1
        while true {
            do {
                return try await pool.transaction { transaction in
                    try await lock(transaction)
                    let isPending = try await pending(in: transaction).contains {
                        $0.version == migration.version
                    }
                    if isPending { try await apply(migration, in: transaction) }
                    return isPending
                }
            } catch let error as PGError where error.isOfRoleChangedMeanwhile {
                guard attempt < Self.mostAttempts else { throw Failure(in: migration.name, error) }
                attempt += 1
            }
        }
    }

    private func lock(_ transaction: PGTransaction) async throws {
        try await transaction.execute("select pg_advisory_xact_lock(hashtext('breathmaster.migrate'))")
        // A busy table should fail the migration rather than queue all traffic behind it.
        try await transaction.execute("set local lock_timeout = '2s'")
    }

    private func apply(_ migration: Migration, in transaction: PGTransaction) async throws {
        // The first makes the roles; from then on everything belongs to the owner.
        if migration.version > 1 {
            try await transaction.execute("set local role breathmaster_owner")
        }
        do {
            try await transaction.script(migration.text)
        } catch let error as PGError where !error.isOfRoleChangedMeanwhile {
            throw Failure(in: migration.name, error)
        }
        try await transaction.execute("set local role none")
        try await transaction.execute(
            """
            insert into migration.applied (version, name, checksum)
            values (\(Int32(migration.version)), \(migration.name), \(migration.checksum))
            """
        )
    }
}

extension Failure {
    fileprivate init(in migration: String, _ error: PGError) {
        self.init(description: "\(migration).sql: \(error.message)")
    }
}

extension PGError {
    /// Of two who change a role's row Postgres tells the second by a message that it has no code for and doesn't
    /// translate; of two who add one, by the catalog's own index; and who changes two may wait for who has begun
    /// with the other.
    fileprivate var isOfRoleChangedMeanwhile: Bool {
        message == "tuple concurrently updated" || sqlState == .deadlockDetected
            || sqlState == .uniqueViolation && schema == "pg_catalog"
    }
}
