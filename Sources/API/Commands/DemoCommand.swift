import ArgumentParser
import Foundation
import PGClient

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Loads the demo and prints what to try, with fresh tokens."
    )

    func run() async throws {
        let settings = try Settings(environment: ProcessInfo.processInfo.environment)
        let server = try await Server(settings)
        print(try await loadDemo(on: server, settings: settings))
        await server.close()
    }
}
