import PGClient
import Testing

@Suite(.timeLimit(.minutes(1))) struct `Errors` {
    @Test func `A violated constraint comes with its names and the statement, but not with the values`()
        async throws
    {
        try await Database.withPool { pool in
            try await Database.withTable(pool, "n int constraint only_small check (n < 10), s text not null")
            { table in
                let sql: SQL = "insert into \(identifier: table) values (\(4711), 'x')"
                let error = try await failure(.server) {
                    try await pool.transaction { try await $0.execute(sql) }
                }
                #expect(error.sqlState == .checkViolation && error.sqlState?.class == "23")
                #expect(error.constraint == "only_small" && error.table == table && error.schema == "public")
                #expect(error.sql == sql.text && error.file?.hasSuffix("ErrorTests.swift") == true)
                #expect(error.detail?.contains("4711") == true)
            }
        }
    }

    @Test func `The description is mute, and the debug description isn't`() async throws {
        try await Database.withPool { pool in
            let error = try await failure(.server) {
                try await pool.transaction { try await $0.execute("select 'secret'::int") }
            }
            #expect("\(error)" == "database error: server 22P02")
            #expect(String(reflecting: error).contains("secret"))
            #expect(!"\(pool.configuration)".contains("postgres"))
        }
    }

    @Test func `A connection string that can't be read is an error of the first use`() async throws {
        try await Database.withPool(at: "postgresql://%zz") { pool in
            _ = try await failure(.connection) {
                try await pool.transaction { try await $0.execute("select 1") }
            }
        }
    }

    @Test func `Notices go to the closure and nowhere else`() async throws {
        let (notices, continuation) = AsyncStream.makeStream(of: String.self)
        try await Database.withPool({ $0.onNotice = { continuation.yield($0) } }) { pool in
            try await pool.transaction { try await $0.script("do $$ begin raise notice 'hello'; end $$") }
        }
        #expect(await notices.first { _ in true }?.contains("hello") == true)
    }

    @Test func `A result above the limit fails, and one far above is cut off while it arrives`() async throws
    {
        try await Database.withPool({ $0.maximumResultBytes = 1 << 20 }) { pool in
            try await pool.transaction { transaction in
                _ = try await failure(.resultTooLarge) {
                    try await transaction.query(
                        "select repeat('x', 1000) from generate_series(1, 1500)",
                        as: String.self
                    )
                }
                #expect(try await transaction.queryOne("select 1", as: Int.self) == 1)
            }
            let endless = try await failure(.resultTooLarge) {
                try await pool.transaction {
                    try await $0.query(
                        "select repeat('x', 1000) from generate_series(1, 1000) a, generate_series(1, 100000)",
                        as: String.self
                    )
                }
            }
            #expect(endless.sql?.contains("100000") == true)
            try await Database.expectAnswer(pool)
        }
    }
}
