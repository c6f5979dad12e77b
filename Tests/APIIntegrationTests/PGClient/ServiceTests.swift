import Foundation
import Glibc
import PGClient
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct `Services` {
    @Test func `What a service says holds, before what is set otherwise and after what the string says`()
        async throws
    {
        let cable = try Cable()
        defer { cable.stop() }
        for (lines, more, expected) in [
            ([], "", [10, 5, 3, 30_000]),
            (["keepalives_idle=7", "tcp_user_timeout=9000"], "", [7, 5, 3, 9000]),
            (["keepalives_idle=7", "tcp_user_timeout=9000"], " tcp_user_timeout=8000", [7, 5, 3, 8000]),
        ] as [([String], String, [Int32])] {
            let service = try ServiceFile.add(words(cable.url()) + lines)
            try await Database.withPool(at: "service=\(service)\(more)") { pool in
                try await Database.expectAnswer(pool)
                #expect(cable.keepalives == expected)
            }
        }
    }

    @Test func `Of a service's hosts one that has vanished doesn't keep the next from being tried`()
        async throws
    {
        let cable = try Cable()
        let (silent, silentPort) = try listenOnLoopback()
        defer {
            cable.stop()
            close(silent)
        }
        let url = cable.url(host: "127.0.0.1,127.0.0.1", port: "\(silentPort),\(cable.port)")
        let service = try ServiceFile.add(words(url))
        try await Database.withPool({ $0.connectTimeout = .seconds(6) }, at: "service=\(service)") {
            try await Database.expectAnswer($0)
        }
    }

    @Test func `A service that there isn't is a connection that isn't there`() async throws {
        let service = try ServiceFile.add([])
        try await Database.withPool(at: "service=not_\(service)") { pool in
            let error = try await failure(.connection) { try await Database.expectAnswer(pool) }
            #expect(error.message.contains("not_\(service)"))
        }
    }

    private func words(_ url: String) -> [String] {
        url.split(separator: " ").map(String.init)
    }
}

/// The file of services that libpq reads in this process.
private enum ServiceFile {
    private static let text = Mutex("")
    private static let file: URL = {
        let file = FileManager.default.temporaryDirectory.appending(path: "services-\(UUID()).conf")
        setenv("PGSERVICEFILE", file.path(), 1)
        return file
    }()

    /// Adds a service, and returns its name.
    static func add(_ lines: [String]) throws -> String {
        let name = Database.name("service")
        try text.withLock { text in
            text += "[\(name)]\n" + lines.map { $0 + "\n" }.joined()
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        return name
    }
}
