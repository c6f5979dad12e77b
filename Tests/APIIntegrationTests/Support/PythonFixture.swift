import Foundation
import Glibc
import Testing

/// A program of the folder Fixtures that serves until its input ends, for as long as a test runs. The first
/// line that it prints says where it is.
struct PythonFixture {
    let firstLine: String
    private let process = Process()

    init(_ name: String, _ arguments: String...) async throws {
        let root = URL(filePath: #filePath).appending(path: "../../../..").standardized
        let python =
            ProcessInfo.processInfo.environment["TEST_PYTHON"]
            ?? root.appending(path: ".breathmaster/tools/bin/python").path()
        let script = try #require(
            Bundle.module.path(forResource: name, ofType: "py", inDirectory: "Fixtures")
        )
        process.executableURL = URL(filePath: python)
        process.arguments = [script] + arguments
        let output = Pipe()
        process.standardInput = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let reader = output.fileHandleForReading
        firstLine = try await blocking { String(decoding: reader.availableData, as: UTF8.self) }
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// By SIGKILL, since the tests' process has other signals blocked, which what it starts inherits.
    func stop() {
        kill(process.processIdentifier, SIGKILL)
    }
}
