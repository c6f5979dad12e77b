import Testing

@testable import PGClient

@Suite(.timeLimit(.minutes(1))) struct `Recovery` {
    @Test func `A connection that is terminated in the middle says why, and the next transaction works`()
        async throws
    {
        try await Database.withPool({ $0.maximumConnections = 1 }) { pool in
            for _ in 0..<20 {
                let error = try await failure(.connection) {
                    try await pool.transaction { transaction in
                        try await transaction.execute("select 1")
                        try await transaction.execute(
                            "select pg_terminate_backend(pg_backend_pid()), pg_sleep(30)"
                        )
                    }
                }
                #expect(error.sqlState == .adminShutdown)
                try await Database.expectAnswer(pool)
            }
        }
    }

    @Test func `A transaction whose connection was lost can't seem committed`() async throws {
        try await Database.withPool { pool in
            _ = try await failure(.commitFailed) {
                try await pool.transaction { transaction in
                    try await transaction.execute("select 1")
                    _ = try? await transaction.execute("select pg_terminate_backend(pg_backend_pid())")
                }
            }
        }
    }

    @Test func `A connection that died while nobody used it is replaced without anybody noticing`()
        async throws
    {
        try await Database.withPool { observer in
            try await Database.withPool({ $0.maximumConnections = 1 }) { pool in
                for _ in 0..<20 {
                    let pid = try await pool.transaction {
                        try await $0.queryOne("select pg_backend_pid()", as: Int.self)
                    }
                    try await observer.transaction {
                        try await $0.execute("select pg_terminate_backend(\(pid)::int, 5000)")
                    }
                    try await Database.expectAnswer(pool)
                }
            }
        }
    }

    @Test func `A connection that died between its lease and its first statement is replaced`() async throws {
        try await Database.withPool { observer in
            try await Database.withPool({ $0.maximumConnections = 1 }) { pool in
                let pid = try await pool.transaction {
                    try await $0.queryOne("select pg_backend_pid()", as: Int.self)
                }
                let answer = try await pool.transaction { transaction in
                    try await observer.transaction {
                        try await $0.execute("select pg_terminate_backend(\(pid)::int, 5000)")
                    }
                    return try await transaction.queryOne("select 42", as: Int.self)
                }
                #expect(answer == 42)
            }
        }
    }

    @Test func `Without a database everybody fails at once, and works again when it is back`()
        async throws
    {
        let proxy = try Proxy()
        try await Database.withPool({ $0.acquireTimeout = .seconds(5) }, at: proxy.url) { pool in
            try await Database.expectAnswer(pool)
            proxy.stop()
            let start = ContinuousClock.now
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        await #expect(throws: PGError.self) {
                            try await pool.transaction { try await $0.execute("select 1") }
                        }
                    }
                }
            }
            // Long before the time is over for which they would wait.
            #expect(ContinuousClock.now - start < .seconds(4))
            proxy.start()
            try await Database.eventually("it works again") {
                do {
                    try await Database.expectAnswer(pool)
                    return true
                } catch let error as PGError {
                    #expect(error.isUnavailability)
                    return false
                }
            }
        }
    }

    @Test func `A statement whose plan is out of date is prepared again`() async throws {
        try await Database.withPool { observer in
            try await Database.withPool({ $0.maximumConnections = 1 }) { pool in
                try await Database.withTable(observer, "a int") { table in
                    func columns() async throws -> Int {
                        try await pool.transaction {
                            let result = try await $0.run(
                                "select * from \(identifier: table)",
                                file: #fileID,
                                line: #line
                            )
                            return result.columnCount
                        }
                    }
                    #expect(try await columns() == 1)
                    try await observer.transaction { try await $0.script("alter table \(table) add b int") }
                    #expect(try await columns() == 2)
                    // In the middle of a transaction it can't be, but the next one is fine.
                    try await observer.transaction { try await $0.script("alter table \(table) add c int") }
                    let error = try await failure(.server) {
                        try await pool.transaction { transaction in
                            try await transaction.execute("select 1")
                            try await transaction.execute("select * from \(identifier: table)")
                        }
                    }
                    #expect(error.sqlState == .featureNotSupported)
                    #expect(try await columns() == 3)
                }
            }
        }
    }

    @Test func `A statement that the session has forgotten is prepared again`() async throws {
        try await Database.withPool({ $0.maximumConnections = 1 }) { pool in
            for _ in 0..<3 {
                try await Database.expectAnswer(pool)
                try await pool.transaction { try await $0.script("deallocate all") }
                try await Database.expectAnswer(pool)
            }
            try await pool.transaction {
                try await $0.script("deallocate all; prepare pgc_5 as select 1; prepare pgc_6 as select 1")
            }
            for number in 0..<10 {
                let answer = try await pool.transaction {
                    try await $0.queryOne("select \(number) + \(unsafeSQL: "\(number)")", as: Int.self)
                }
                #expect(answer == 2 * number)
            }
        }
    }

    /// What makes the session forget every statement that is prepared, so that only the next use tells.
    private let forget: SQL = """
        do $$
        declare known text;
        begin
            for known in select name from pg_prepared_statements loop
                execute 'deallocate ' || quote_ident(known);
            end loop;
        end $$
        """

    /// What takes the names that the client is going to use next.
    private let squat: SQL = """
        do $$
        declare prefix text; last int;
        begin
            select regexp_replace(name, '\\d+$', ''), max(substring(name from '\\d+$')::int) over ()
            into prefix, last from pg_prepared_statements where name like 'pgc%' limit 1;
            for number in last + 1 .. last + 8 loop
                execute 'prepare ' || quote_ident(prefix || number) || ' as select 1';
            end loop;
        end $$
        """

    @Test func `A statement that isn't prepared any more, or by somebody else, is prepared again`()
        async throws
    {
        try await Database.withPool({ $0.maximumConnections = 1 }) { pool in
            for (spoil, message) in [(forget, "forgotten"), (squat, "taken")] {
                for number in 0..<3 {
                    #expect(try await pool.queryOne("select 1", as: Int.self) == 1)
                    try await pool.execute(spoil)
                    let sum: SQL = "select \(number) + \(unsafeSQL: "\(number)")"
                    #expect(try await pool.queryOne(sum, as: Int.self) == 2 * number, "\(message)")
                    #expect(try await pool.queryOne("select 1", as: Int.self) == 1, "\(message)")
                    try await Database.expectAnswer(pool)
                    try await pool.execute(spoil)
                    let product: SQL = "select \(number) * \(unsafeSQL: "\(number)")"
                    let answers = try await pool.transaction { transaction in
                        (
                            try await transaction.queryOne(product, as: Int.self),
                            try await transaction.queryOne("select 2", as: Int.self)
                        )
                    }
                    #expect(answers == (number * number, 2), "\(message)")
                }
            }
        }
    }

    @Test
    func `On a lent connection every statement by itself is prepared again when its plan is out of date`()
        async throws
    {
        try await Database.withPool { observer in
            try await Database.withTable(observer, "a int") { table in
                try await Database.withPool { pool in
                    try await pool.withConnection { connection in
                        for count in 1...3 {
                            let result = try await connection.run(
                                "select * from \(identifier: table)",
                                file: #fileID,
                                line: #line
                            )
                            #expect(result.columnCount == count)
                            try await observer.transaction {
                                try await $0.script("alter table \(table) add column_\(count) int")
                            }
                        }
                    }
                }
            }
        }
    }

    @Test
    func `What can't be removed in a transaction that has failed doesn't stay prepared beyond the bound`()
        async throws
    {
        try await Database.withPool({ $0.maximumConnections = 1 }) { pool in
            func select(_ numbers: Range<Int>, in transaction: PGTransaction) async throws {
                for number in numbers { try await transaction.execute("select \(unsafeSQL: "\(number)")") }
            }
            try await pool.transaction { try await select(0..<130, in: $0) }
            _ = try await failure(.commitFailed) {
                try await pool.transaction { transaction in
                    _ = try? await transaction.execute("select 1 / 0")
                    for number in 200..<300 {
                        _ = try? await transaction.execute("select \(unsafeSQL: "\(number)")")
                    }
                }
            }
            try await pool.transaction { transaction in
                try await select(400..<600, in: transaction)
                let prepared = try await transaction.queryOne(
                    "select count(*) from pg_prepared_statements where statement like 'select %'",
                    as: Int.self
                )
                #expect(prepared == 128)
            }
        }
    }

    @Test func `No more statements stay prepared than the bound, and none at all when it is switched off`()
        async throws
    {
        for (prepares, expected) in [(true, 128), (false, 0)] {
            try await Database.withPool({
                $0.maximumConnections = 1; $0.preparesStatements = prepares
            }) { pool in
                try await pool.transaction { transaction in
                    for number in 0..<300 {
                        try await transaction.execute("select \(unsafeSQL: "\(number)")")
                    }
                    let prepared = try await transaction.queryOne(
                        """
                        select count(*) from pg_prepared_statements
                        where name <> '' and statement not like 'BEGIN%'
                        """,
                        as: Int.self
                    )
                    #expect(prepared == expected)
                }
            }
        }
    }
}
