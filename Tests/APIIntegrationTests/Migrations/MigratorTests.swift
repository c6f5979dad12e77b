import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

/// The migrator on a migrated database, with folders of its own beside the real one.
struct MigratorTests {
    private static let migrations = URL(filePath: #filePath).appending(path: "../../../../sql/migrations")
        .standardized

    @Test func `nothing is pending where everything is applied, and applying again does nothing`()
        async throws
    {
        let server = try await TestServer()
        try await withFolder { folder in
            let migrator = try Migrator(folder: folder.path())
            let pool = PGPool(PGConfiguration(server.superuser))
            #expect(try await migrator.migrate(pool) == [])
            #expect(try await pool.transaction(.readOnly) { try await migrator.pending(in: $0) }.isEmpty)
            await pool.close()
        }
    }

    @Test func `a new file is pending`() async throws {
        let server = try await TestServer()
        try await withFolder { folder in
            try "select 1;".write(
                to: folder.appending(path: "migrations/9999_later.sql"),
                atomically: true,
                encoding: .utf8
            )
            let migrator = try Migrator(folder: folder.path())
            let pending = try await server.asSuperuser { try await migrator.pending(in: $0) }
            #expect(pending.map(\.name) == ["9999_later"])
        }
    }

    @Test func `a file that was changed after it had been applied is refused by its name`() async throws {
        let server = try await TestServer()
        try await withFolder { folder in
            let file = folder.appending(path: "migrations/0003_sync.sql")
            let text = try String(contentsOf: file, encoding: .utf8)
            try (text + "\n").write(to: file, atomically: true, encoding: .utf8)
            let migrator = try Migrator(folder: folder.path())
            let error = await #expect(throws: Failure.self) {
                try await server.asSuperuser { try await migrator.pending(in: $0) }
            }
            #expect(error?.description.contains("0003_sync") == true)
        }
    }

    @Test func `two files of one number are refused`() async throws {
        try await withFolder { folder in
            for name in ["0007_one", "0007_other"] {
                try "select 1;".write(
                    to: folder.appending(path: "migrations/\(name).sql"),
                    atomically: true,
                    encoding: .utf8
                )
            }
            #expect(throws: Failure.self) { try Migrator(folder: folder.path()) }
        }
    }

    @Test func `a database that is ahead of the files is refused`() async throws {
        let server = try await TestServer()
        try await withFolder { folder in
            try FileManager.default.removeItem(at: folder.appending(path: "migrations/0006_leaderboards.sql"))
            let migrator = try Migrator(folder: folder.path())
            let error = await #expect(throws: Failure.self) {
                try await server.asSuperuser { try await migrator.pending(in: $0) }
            }
            #expect(error?.description.contains("0006_leaderboards") == true)
        }
    }

    @Test(arguments: [
        (existing: "select 1", change: "create role breathmaster_owner nologin"),
        ("create role breathmaster_api login", "alter role breathmaster_api set statement_timeout = '5s'"),
    ])
    func `whoever meets another database's migration at the roles, which are both's, goes on after it`(
        existing: String,
        change: String
    ) async throws {
        let postgres = try await blocking { try OwnPostgres() }
        defer { postgres.remove() }
        let pool = PGPool(PGConfiguration(try postgres.url()))
        try await pool.transaction { try await $0.script(existing) }
        let migration = try await pool.transaction { other in
            try await other.script(change)
            let migration = Task { try await TestServer(postgres: postgres) }
            try await eventually("the migration waits for the other") {
                try await pool.transaction { tx in
                    try await tx.queryOne(
                        """
                        select count(*) from pg_stat_activity
                        where wait_event_type = 'Lock' and query like '%breathmaster_api%'
                        """,
                        as: Int.self
                    ) > 0
                }
            }
            return migration
        }
        let server = try await migration.value
        try await server.run { nobody in
            let status = try await nobody.send(.get, "/health/ready").status
            #expect(status == 200)
        }
        await pool.close()
    }

    /// A copy of the real migrations, to be changed.
    private func withFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "migrations-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.copyItem(at: Self.migrations, to: folder.appending(path: "migrations"))
        try await body(folder)
    }
}
