import PGClient
import Testing

@Suite(.timeLimit(.minutes(1))) struct `Round trips` {
    @Test func `A read of one statement is one round trip: its commit isn't waited for`() async throws {
        let proxy = try Proxy()
        try await Database.withPool(
            {
                $0.maximumConnections = 1; $0.statementTimeout = .milliseconds(500)
            },
            at: proxy.url
        ) { pool in
            try await Database.expectAnswer(pool)
            // The second time the client speaks it says COMMIT, and never gets an answer.
            proxy.restart(holdingTurn: 2)
            let answer = try await pool.transaction(.readOnly, opening: "select set_config('a.b', 'c', true)")
            {
                try await $0.queryOne("select 42", as: Int.self)
            }
            #expect(answer == 42)
            try await Database.eventually("the commit is sent") { proxy.turns >= 2 }
        }
    }

    @Test func `A write of one statement is two round trips: its commit is waited for`() async throws {
        let proxy = try Proxy()
        try await Database.withPool(
            {
                $0.maximumConnections = 1; $0.statementTimeout = .milliseconds(500)
            },
            at: proxy.url
        ) { pool in
            try await Database.expectAnswer(pool)
            proxy.restart()
            _ = try await pool.transaction(opening: "select set_config('a.b', 'c', true)") {
                try await $0.execute("select 1")
            }
            #expect(proxy.turns == 2)
            proxy.restart(holdingTurn: 2)
            let error = try await failure(.commitUnknown) {
                try await pool.transaction { try await $0.execute("select 1") }
            }
            #expect(error.sqlState == nil)
        }
    }

    @Test func `Independent statements of one transaction don't wait for one another`() async throws {
        let proxy = try Proxy()
        try await Database.withPool({ $0.maximumConnections = 1 }, at: proxy.url) { pool in
            try await pool.transaction { transaction in
                try await transaction.execute("select 1")
                proxy.restart()
                async let one = transaction.queryOne("select pg_sleep(0.05)::text, 1", as: (String, Int).self)
                async let two = transaction.queryOne("select 2", as: Int.self)
                async let three = transaction.queryOne("select 3", as: Int.self)
                #expect(try await (one.1, two, three) == (1, 2, 3))
                #expect(proxy.turns == 1)
            }
        }
    }

    @Test func `Queries that are run together are one round trip, each with its own rows`() async throws {
        let proxy = try Proxy()
        try await Database.withPool({ $0.maximumConnections = 1 }, at: proxy.url) { pool in
            try await Database.expectAnswer(pool)
            proxy.restart()
            let (some, none, one) = try await pool.transaction(.readOnly, opening: "select 0") {
                transaction in
                try await transaction.query(
                    PGQuery("select n from generate_series(1, 3) n", as: Number.self),
                    PGQuery("select 1 where false", as: Number.self),
                    PGQuery("select 7", as: Number.self)
                )
            }
            #expect(some.map(\.value) == [1, 2, 3])
            #expect(none.isEmpty)
            #expect(one.map(\.value) == [7])
            try await Database.eventually("the commit is sent") { proxy.turns >= 2 }
        }
    }

    @Test func `Of queries that are run together the first that fails is told, and nothing is kept`()
        async throws
    {
        try await Database.withPool { pool in
            try await Database.withTable(pool, "n int") { table in
                let error = try await failure(.server) {
                    try await pool.transaction { transaction in
                        _ = try await transaction.query(
                            PGQuery(
                                "insert into \(identifier: table) values (1) returning n",
                                as: Number.self
                            ),
                            PGQuery("select 1 / 0", as: Number.self),
                            PGQuery("select 'nothing'::int", as: Number.self)
                        )
                    }
                }
                #expect(error.sqlState?.rawValue == "22012")
                #expect(
                    try await pool.queryOne("select count(*) from \(identifier: table)", as: Int.self) == 0
                )
            }
        }
    }

    @Test func `What goes out with the commit shares its round trip`() async throws {
        let proxy = try Proxy()
        try await Database.withPool({ $0.maximumConnections = 1 }, at: proxy.url) { pool in
            try await Database.withTable(pool, "n int") { table in
                proxy.restart()
                try await pool.transaction(opening: "select 0") { transaction in
                    let next = try await transaction.queryOne("select 41 + 1", as: Int.self)
                    try transaction.executeWithCommit("insert into \(identifier: table) values (\(next))")
                    try transaction.executeWithCommit("insert into \(identifier: table) values (\(next + 1))")
                }
                #expect(proxy.turns == 2)
                try await pool.transaction { transaction in
                    try transaction.executeWithCommit("insert into \(identifier: table) values (44)")
                }
                let kept = try await pool.query("select n from \(identifier: table) order by n", as: Int.self)
                #expect(kept == [42, 43, 44])
            }
        }
    }

    @Test func `If what goes out with the commit fails nothing is kept, and the connection is clean`()
        async throws
    {
        try await Database.withPool({ $0.maximumConnections = 1 }) { pool in
            try await Database.withTable(pool, "n int primary key") { table in
                let error = try await failure(.server) {
                    try await pool.transaction { transaction in
                        try await transaction.execute("insert into \(identifier: table) values (1)")
                        try transaction.executeWithCommit("insert into \(identifier: table) values (2)")
                        try transaction.executeWithCommit("insert into \(identifier: table) values (1)")
                    }
                }
                #expect(error.sqlState?.rawValue == "23505")
                #expect(
                    try await pool.queryOne("select count(*) from \(identifier: table)", as: Int.self) == 0
                )
            }
        }
    }

    @Test func `After a failure that the closure kept to itself nothing goes out, and why is told`()
        async throws
    {
        try await Database.withPool { pool in
            let error = try await failure(.commitFailed) {
                try await pool.transaction { transaction in
                    _ = try? await transaction.queryOne("select 1 / 0", as: Int.self)
                    try transaction.executeWithCommit("select 1")
                }
            }
            #expect(error.sqlState?.rawValue == "22012")
        }
    }

    @Test func `A transaction that only reads has nothing to send with its commit`() async throws {
        try await Database.withPool { pool in
            _ = try await failure(.invalidStatement) {
                try await pool.transaction(.readOnly) { transaction in
                    try transaction.executeWithCommit("select 1")
                }
            }
        }
    }
}

private struct Number: PGRow {
    let value: Int

    init(from row: inout PGRowReader) throws {
        value = try row.next()
    }
}
