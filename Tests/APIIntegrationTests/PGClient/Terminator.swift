import Foundation
import Testing

/// A TLS terminator in front of the tests' Postgres, with a certificate of its own.
struct Terminator {
    let port: Int
    /// The file of the only certificate that vouches for it; the name in it is localhost.
    var authority: String { folder.appending(path: "chain.pem").path() }
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
