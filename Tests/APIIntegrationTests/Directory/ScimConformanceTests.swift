import Foundation
import HTTPTypes
import Testing

/// The public suite for SCIM servers, on ours.
struct ScimConformanceTests {
    @Test func `scim2-tester finds nothing that isn't well`() async throws {
        let python = try #require(
            ProcessInfo.processInfo.environment["TEST_PYTHON"],
            "TEST_PYTHON must be a Python with scripts/tools-requirements.txt; `make test` sets it"
        )
        let server = try await TestServer()
        try await server.serve { nobody, url in
            let (ada, owner) = try await nobody.newcomer()
            let acme = try await server.company("Acme", owner: owner)
            let directory = try await ada.directory(of: acme.id)
            let script = try #require(
                Bundle.module.path(forResource: "scim-tester", ofType: "py", inDirectory: "Fixtures")
            )
            let arguments = [script, url.appending(path: "scim/v2").absoluteString, directory.token ?? ""]
            let (status, output) = try await run(python, arguments)
            #expect(status == 0, "\(output)")
            let checks = output.split(separator: "\n").last.flatMap { Int($0.prefix(while: \.isNumber)) }
            #expect(try #require(checks) > 60, "\(output)")
        }
    }

    private func run(_ program: String, _ arguments: [String]) async throws -> (Int32, String) {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let reader = pipe.fileHandleForReading
        let output = try await blocking {
            let output = String(decoding: reader.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            return output
        }
        return (process.terminationStatus, output)
    }
}
