import Foundation
import Glibc
import PGClient
import Testing

extension OneAtATime {
    @Suite(.timeLimit(.minutes(60))) struct `Behind PgBouncer` {
        @Test
        func `Twelve tenants on four connections, with cancels at any time, never see a row of one another`()
            async throws
        {
            let bouncer = try Bouncer(connections: 4)
            defer { bouncer.stop() }
            let change: (inout PGConfiguration) -> Void = {
                $0.maximumConnections = 12
                $0.preparesStatements = false
            }
            try await Tenants.with { tenants in
                try await Database.withPool(change, at: bouncer.url) { pool in
                    try await Database.expectRecovery(pool)
                    await tenants.readAll(pool, "PgBouncer")
                    try await Database.expectAnswer(pool)
                }
            }
        }

        @Test func `Who prepares statements nevertheless gets an error, never what somebody else has asked`()
            async throws
        {
            let bouncer = try Bouncer(connections: 1)
            defer { bouncer.stop() }
            try await Database.withPool({ $0.maximumConnections = 1 }, at: bouncer.url) { ada in
                try await Database.withPool({ $0.maximumConnections = 1 }, at: bouncer.url) { ben in
                    try await Database.expectRecovery(ada)
                    for _ in 0..<10 {
                        for (pool, question, answer) in [
                            (ada, "select 'for Ada'", "for Ada"), (ben, "select 'for Ben'", "for Ben"),
                        ] as [(PGPool, SQL, String)] {
                            do {
                                let text = try await pool.transaction(.readOnly) {
                                    try await $0.queryOne(question, as: String.self)
                                }
                                #expect(text == answer)
                            } catch let error as PGError {
                                #expect(
                                    error.sqlState == .duplicatePreparedStatement
                                        || error.sqlState == .invalidStatementName
                                )
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A PgBouncer in front of the tests' database, which lends a connection for one transaction at a time.
private struct Bouncer {
    let url: String
    private let process = Process()
    private let folder: URL

    init(connections: Int) throws {
        try #require(
            system("PATH=$PATH:/usr/sbin; command -v pgbouncer > /dev/null") == 0,
            "pgbouncer has to be installed"
        )
        folder = URL(filePath: "/tmp/bouncer-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // It refuses to run as root, and then the user as whom it runs makes a socket here.
        chmod(folder.path(), 0o777)
        let server = try SocketAddress(Database.url())
        let settings = folder.appending(path: "pgbouncer.ini")
        try """
        [databases]
        * = host=\(server.directory) port=\(server.port) user=\(server.user)
        [pgbouncer]
        listen_addr =
        listen_port = 6432
        unix_socket_dir = \(folder.path())
        auth_type = any
        pool_mode = transaction
        default_pool_size = \(connections)
        """.write(to: settings, atomically: false, encoding: .utf8)
        url = "host=\(folder.path()) port=6432 dbname=\(server.database) user=\(server.user)"

        process.executableURL = URL(filePath: "/usr/bin/env")
        // Debian has it where only root looks.
        process.arguments =
            ["PATH=\(ProcessInfo.processInfo.environment["PATH"] ?? ""):/usr/sbin", "pgbouncer", "--quiet"]
            + (getuid() == 0 ? ["--user", "postgres"] : []) + [settings.path()]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    /// By SIGKILL: what is started on a thread of Swift's inherits that the others are blocked.
    func stop() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
    }
}
