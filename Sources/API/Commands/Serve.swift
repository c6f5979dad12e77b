import ArgumentParser
import Foundation
import Hummingbird
import Logging
import PGClient
import ServiceLifecycle

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serves the API until SIGTERM.")

    func run() async throws {
        let settings = try Settings(environment: ProcessInfo.processInfo.environment)
        var configuration = PGConfiguration(try settings.require(settings.databaseURL, "DATABASE_URL"))
        configuration.applicationName = "breathmaster"
        let pool = PGPool(configuration)
        try await refuseUnknownSchema(pool, settings: settings)

        var logger = Logger(label: "breathmaster")
        logger.logLevel = settings.logLevel
        let server = Server(
            pool: pool,
            tokens: await AccessTokens(signingKey: try settings.signingKey(), now: { Date() }),
            now: { Date() }
        )
        let application = Application(
            router: server.router(),
            configuration: ApplicationConfiguration(
                address: .hostname(settings.host, port: settings.port),
                serverName: nil
            ),
            logger: logger
        )
        try await application.runService()
        await pool.close()
    }

    private func refuseUnknownSchema(_ pool: PGPool, settings: Settings) async throws {
        let migrator = try Migrator(folder: settings.sqlFolder)
        let pending = try await pool.transaction(.readOnly) { try await migrator.pending(in: $0) }
        guard pending.isEmpty else {
            throw Migrator.Failure(
                description:
                    "run `breathmaster migrate` first; pending: \(pending.map(\.name).joined(separator: ", "))"
            )
        }
    }
}
