import Foundation
import FoundationNetworking
import Glibc
import Testing

/// The real program in a process of its own, to be killed.
final class ServerProcess: Sendable {
    let baseURL: URL
    private let process: Process

    /// Starts it, and waits until it is ready.
    init(database: String, port: Int, home: URL) async throws {
        let program = Bundle.module.bundleURL.deletingLastPathComponent().appending(path: "breathmaster")
        let root = URL(filePath: #filePath).appending(path: "../../../..").standardized
        let process = Process()
        process.executableURL = program
        process.arguments = ["serve"]
        process.currentDirectoryURL = root
        process.environment = [
            "DATABASE_URL": database, "BREATHMASTER_PORT": "\(port)", "BREATHMASTER_HOME": home.path(),
            "LOG_LEVEL": "error", "BREATHMASTER_TRUSTED_PROXIES": "127.0.0.1",
            // A mail server that is never there: the mail of other tests in that database is theirs.
            "SMTP_URL": "smtp://127.0.0.1:1", "MAIL_FROM": "tests@breathmaster.example",
        ]
        try process.run()
        self.process = process
        baseURL = try #require(URL(string: "http://127.0.0.1:\(port)"))
        try await eventually("the server is ready") {
            try await self.status(of: "/health/ready") == 200
        }
    }

    deinit {
        process.terminate()
    }

    /// SIGKILL: no drain, no goodbye.
    func kill() {
        Glibc.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// SIGTERM, and the exit status.
    func stop() -> Int32 {
        process.terminate()
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// - Parameter clockError: by how many seconds the clock that the request shows is ahead; nil if it shows none.
    func send(
        _ method: String,
        _ path: String,
        token: String? = nil,
        clockError: TimeInterval? = nil,
        body: Any? = nil
    ) async throws -> (Int, [String: Any]) {
        var request = URLRequest(url: baseURL.appending(path: path))
        request.httpMethod = method
        request.timeoutInterval = 10
        // Each from somewhere else, as if many people asked.
        request.setValue(TestServer.anyAddress(), forHTTPHeaderField: "X-Forwarded-For")
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        if let clockError {
            let clock = Practice.timestamp(Date().addingTimeInterval(clockError))
            request.setValue(clock, forHTTPHeaderField: "X-Device-Clock")
        }
        request.httpBody = try body.map {
            try JSONSerialization.data(withJSONObject: $0, options: .sortedKeys)
        }
        let (data, response) = try await URLSession.shared.data(for: request)
        let status = (response as? HTTPURLResponse)?.statusCode ?? 0
        return (status, (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] ?? [:])
    }

    private func status(of path: String) async throws -> Int {
        try await send("GET", path).0
    }
}

/// Tries until it holds; an error counts as not yet.
func eventually(
    _ what: String,
    within patience: Duration = .seconds(10),
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + patience
    while ContinuousClock.now < deadline {
        if (try? await condition()) == true { return }
        await Task.yield()
    }
    Issue.record("\(what): not within \(patience)")
}

/// A port that was free a moment ago.
func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let port = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
            bind(descriptor, generic, length) == 0 && getsockname(descriptor, generic, &length) == 0
        }
    }
    try #require(port, "no free port")
    return Int(UInt16(bigEndian: address.sin_port))
}
