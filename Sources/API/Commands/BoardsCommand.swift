import ArgumentParser
import Foundation
import PGClient

/// What an operator does about leaderboards.
struct BoardsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "boards",
        abstract: "Leaderboards.",
        subcommands: [Verify.self]
    )

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Counts every board again from what was practised; prints and fails where it differs.",
            discussion: "Reads only and takes no locks, so it may run beside servers."
        )

        func run() async throws {
            let settings = try Settings(environment: ProcessInfo.processInfo.environment)
            let url = try settings.require(
                settings.migrationDatabaseURL ?? settings.databaseURL,
                "MIGRATION_DATABASE_URL"
            )
            var configuration = PGConfiguration(url)
            // A board of a million people takes a while to count.
            configuration.statementTimeout = .seconds(3600)
            let pool = PGPool(configuration)
            let count = try await BoardAudit(pool: pool).run { print($0) }
            await pool.close()
            print("\(count.people) people, \(count.weeks) weeks, \(count.differences) differences")
            if count.differences > 0 { throw ExitCode.failure }
        }
    }
}
