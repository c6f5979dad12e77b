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
