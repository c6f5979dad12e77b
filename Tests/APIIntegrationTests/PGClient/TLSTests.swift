import Foundation
import PGClient
import Testing

@Suite(.timeLimit(.minutes(1))) struct `TLS` {
    @Test func `Results of every shape arrive through records larger than Postgres writes`() async throws {
        let terminator = try Terminator()
        defer { terminator.stop() }
        var configuration = PGConfiguration(
            "host=127.0.0.1 port=\(terminator.port) user=postgres dbname=postgres sslmode=require"
        )
        configuration.statementTimeout = .seconds(5)
        configuration.acquireTimeout = .seconds(30)
        configuration.maximumConnections = 2
        for rows in [1, 2, 3, 4, 5, 8, 13] {
            for width in [100, 1000, 3000, 4000, 6000, 8000, 8190, 8192, 12_000, 16_000, 16_384, 40_000] {
                // A new connection for each: libpq's buffer grows and would hide the trap.
                let pool = PGPool(configuration)
                let lengths = try await pool.transaction(.readOnly) { tx in
                    try await tx.query(
                        "select length(repeat('x', \(Int32(width)))) , repeat('x', \(Int32(width))) from generate_series(1, \(Int32(rows)))",
                        as: (Int32, String).self
                    ).map { Int($0) == $1.utf8.count }
                }
                #expect(lengths == Array(repeating: true, count: rows), "\(rows) rows of \(width)")
                await pool.close()
            }
        }
    }
}

/// A TLS terminator in front of the tests' Postgres, with a certificate of its own.
private struct Terminator {
    let port: Int
    private let process = Process()
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let certificate = folder.appending(path: "certificate.pem")
        let openssl = Process()
        openssl.executableURL = URL(filePath: "/usr/bin/env")
        openssl.arguments = [
            "openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "1", "-subj", "/CN=localhost",
            "-keyout", certificate.path(), "-out", folder.appending(path: "chain.pem").path(),
        ]
        openssl.standardError = FileHandle.nullDevice
        try openssl.run()
        openssl.waitUntilExit()
        try #require(openssl.terminationStatus == 0, "openssl has to make a certificate")
        let both = try Data(contentsOf: certificate) + Data(contentsOf: folder.appending(path: "chain.pem"))
        try both.write(to: certificate)

        let script = try #require(
            Bundle.module.path(forResource: "tls-terminator", ofType: "py", inDirectory: "Fixtures")
        )
        let url = try #require(URLComponents(string: try Database.url()))
        let host = try #require(url.queryItems?.first { $0.name == "host" }?.value)
        let socketPort = url.queryItems?.first { $0.name == "port" }?.value ?? "5432"
        let (input, output) = (Pipe(), Pipe())
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", script, certificate.path(), "\(host)/.s.PGSQL.\(socketPort)"]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        port = try #require(
            Int(line.trimmingCharacters(in: .whitespacesAndNewlines)),
            "the terminator's port"
        )
    }

    func stop() {
        process.terminate()
        try? FileManager.default.removeItem(at: folder)
    }
}
