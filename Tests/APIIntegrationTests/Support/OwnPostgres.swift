import Foundation
import Glibc
import Testing

/// A Postgres of one test's own, to be stopped under it.
struct OwnPostgres: Sendable {
    let home: URL

    init() throws {
        home = URL(filePath: "/tmp/breathmaster-\(UUID().uuidString.prefix(8))")
        try start()
    }

    func start() throws { _ = try run("start") }
    func stop() throws { _ = try run("stop") }

    /// The superuser's URL.
    func url() throws -> String { try run("url") }

    func remove() {
        _ = try? run("remove")
        try? FileManager.default.removeItem(at: home)
    }

    /// By the shell and a file: Foundation's `Process` waits for all that inherit
    /// from the command, and Postgres stays behind.
    private func run(_ command: String) throws -> String {
        let root = URL(filePath: #filePath).appending(path: "../../../..").standardized.path()
        let output = FileManager.default.temporaryDirectory.appending(path: "private-postgres-\(UUID())")
        defer { try? FileManager.default.removeItem(at: output) }
        let line = """
            BREATHMASTER_HOME='\(home.path())' '\(root)scripts/private-postgres' \(command) --throwaway \
            > '\(output.path())' 2>/dev/null < /dev/null
            """
        try #require(system(line) == 0, "private-postgres \(command)")
        return try String(contentsOf: output, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
