import Foundation
import Synchronization
import Testing

@testable import PGClient

/// The database that these tests are given: a superuser's URL on a unix socket.
enum Database {
    static func url() throws -> String {
        try #require(
            ProcessInfo.processInfo.environment["TEST_DATABASE_URL"],
            "TEST_DATABASE_URL has to be the URL of a Postgres superuser, on a unix socket"
        )
    }

    /// Few connections, and patience: a busy machine isn't what these tests are about.
    static func configuration(at url: String? = nil) throws -> PGConfiguration {
        var configuration = PGConfiguration(try url ?? self.url())
        configuration.maximumConnections = 2
        configuration.acquireTimeout = .seconds(30)
        configuration.connectTimeout = .seconds(20)
        configuration.statementTimeout = .seconds(30)
        return configuration
    }

    /// Runs the body with a pool of its own, and closes it.
    @discardableResult
    static func withPool<R>(
        _ change: (inout PGConfiguration) -> Void = { _ in },
        at url: String? = nil,
        _ body: (PGPool) async throws -> R
    ) async throws -> R {
        var configuration = try configuration(at: url)
        change(&configuration)
        let pool = PGPool(configuration)
        do {
            let result = try await body(pool)
            await pool.close(within: .seconds(1))
            return result
        } catch {
            await pool.close(within: .seconds(1))
            throw error
        }
    }

    /// A name that no other test uses.
    static func name(_ prefix: String = "t") -> String {
        prefix + "_" + UUID().uuidString.lowercased().replacing("-", with: "")
    }

    /// Runs the body with a table of its own.
    static func withTable<R>(_ pool: PGPool, _ columns: String, _ body: (String) async throws -> R)
        async throws -> R
    {
        let table = name()
        try await pool.transaction { try await $0.script("create table \(table) (\(columns))") }
        do {
            let result = try await body(table)
            try await pool.transaction { try await $0.script("drop table \(table)") }
            return result
        } catch {
            try? await pool.transaction { try await $0.script("drop table \(table)") }
            throw error
        }
    }

    /// Checks that the pool's next transaction works.
    static func expectAnswer(_ pool: PGPool, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let answer = try await pool.transaction { try await $0.queryOne("select 42", as: Int.self) }
        #expect(answer == 42, sourceLocation: sourceLocation)
    }

    /// Expects that a transaction in which something was left early still writes, and commits that.
    static func expectWrite(
        after leaving: (PGTransaction) async throws -> Void,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await withPool { pool in
            try await withTable(pool, "n int") { table in
                try await pool.transaction { transaction in
                    try await leaving(transaction)
                    try await transaction.execute("insert into \(identifier: table) values (1)")
                }
                let count = try await pool.queryOne("select count(*) from \(identifier: table)", as: Int.self)
                #expect(count == 1, sourceLocation: sourceLocation)
            }
        }
    }

    /// Asks again and again until the answer is yes, or fails after ten seconds.
    static func eventually(
        _ what: Comment,
        sourceLocation: SourceLocation = #_sourceLocation,
        _ condition: () async throws -> Bool
    ) async throws {
        let end = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < end {
            if try await condition() { return }
            await Task.yield()
        }
        Issue.record(what, sourceLocation: sourceLocation)
    }
}

/// The error of a kind that the body throws.
func failure<R>(
    _ kind: PGError.Kind,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> R
) async throws -> PGError {
    let error = await #expect(throws: PGError.self, sourceLocation: sourceLocation) { _ = try await body() }
    let unwrapped = try #require(error, sourceLocation: sourceLocation)
    #expect(unwrapped.kind == kind, "\(String(reflecting: unwrapped))", sourceLocation: sourceLocation)
    return unwrapped
}

/// Opens once, for everybody who waits.
actor Gate {
    private var isOpen = false
    private var waiters: [CheckedContinuation<Void, Never>] = []

    func open() {
        isOpen = true
        for waiter in waiters { waiter.resume() }
        waiters = []
    }

    func pass() async {
        if isOpen { return }
        await withCheckedContinuation { waiters.append($0) }
    }
}

/// What tasks have written down, in order.
final class Journal: Sendable {
    private let lines = Mutex<[Int]>([])

    var entries: [Int] { lines.withLock { $0 } }

    func note(_ entry: Int) {
        lines.withLock { $0.append(entry) }
    }
}
