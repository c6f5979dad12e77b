import ArgumentParser
import Foundation
import Hummingbird
import Logging
import NIOCore
import PGClient

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serves the API until SIGTERM.")

    @Flag(help: "Load the demo first, and print what to try once listening.")
    var demo = false

    func run() async throws {
        // Connections need less of a processor than what answers on them, and a thread that is awake needn't be woken.
        NIOSingletons.groupLoopCountSuggestion = max(1, System.coreCount / 2)
        let settings = try Settings(environment: ProcessInfo.processInfo.environment)
        let server = try await Server(settings)
        try await refuseUnknownSchema(server.pool, settings: settings)
        let guide = demo ? try await loadDemo(on: server, settings: settings) : nil

        if case .folder(let folder) = settings.mailTransport {
            server.logger.notice(
                "SMTP_URL is not set, so mail is written to a folder",
                metadata: ["folder": "\(folder.path())"]
            )
        }

        let application = server.application(
            at: .hostname(settings.host, port: settings.port),
            services: server.jobs,
            onServerRunning: { _ in
                // Past the buffer that standard output has when it is not a terminal.
                if let guide { FileHandle.standardOutput.write(Data((guide + "\n").utf8)) }
            }
        )
        try await withTaskExecutorPreference(PGTaskExecutor.shared()) { try await application.runService() }
        await server.close()
    }

    private func refuseUnknownSchema(_ pool: PGPool, settings: Settings) async throws {
        let migrator = try Migrator(folder: settings.sqlFolder)
        let pending = try await pool.transaction(.readOnly) { try await migrator.pending(in: $0) }
        guard pending.isEmpty else {
            throw Failure(
                description:
                    "run `breathmaster migrate` first; pending: \(pending.map(\.name).joined(separator: ", "))"
            )
        }
    }
}

/// Loads the demo; what to try of it.
func loadDemo(on server: Server, settings: Settings) async throws -> String {
    let url = try settings.require(settings.migrationDatabaseURL, "MIGRATION_DATABASE_URL")
    let operators = PGPool(PGConfiguration(url))
    let demo = Demo(server: server, operators: operators)
    try await demo.load()
    await operators.close()
    return try await demo.guide(address: "http://\(settings.host):\(settings.port)")
}
