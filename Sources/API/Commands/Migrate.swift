import ArgumentParser
import Foundation
import PGClient

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Brings the database to the newest schema.")

    @Flag(help: "Only tell what is pending; fails if anything is.")
    var check = false

    func run() async throws {
        let settings = try Settings(environment: ProcessInfo.processInfo.environment)
        let url = try settings.require(
            settings.migrationDatabaseURL ?? settings.databaseURL,
            "MIGRATION_DATABASE_URL"
        )
        let migrator = try Migrator(folder: settings.sqlFolder)
        var configuration = PGConfiguration(url)
        // Building an index may take its time; what it may block is bounded by a lock timeout.
        configuration.statementTimeout = .seconds(3600)
        let pool = PGPool(configuration)
        if check {
            let pending = try await pool.transaction(.readOnly) { try await migrator.pending(in: $0) }
            pending.forEach { print("pending: \($0.name)") }
            if !pending.isEmpty { throw ExitCode.failure }
        } else {
            let applied = try await migrator.migrate(pool)
            applied.forEach { print("applied: \($0)") }
        }
        print("up to date")
        await pool.close()
    }
}
