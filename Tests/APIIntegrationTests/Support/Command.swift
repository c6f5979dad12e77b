import Foundation

/// What the real program says to an operator's command, on the test's database, and the status that it ends with.
func breathmaster(_ arguments: String..., on database: String) async throws -> (status: Int32, output: String)
{
    try await blocking {
        let process = Process()
        process.executableURL = Bundle.module.bundleURL.deletingLastPathComponent().appending(
            path: "breathmaster"
        )
        process.arguments = arguments
        process.environment = ["MIGRATION_DATABASE_URL": database]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }
}
