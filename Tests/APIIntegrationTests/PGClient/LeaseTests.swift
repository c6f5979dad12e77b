import Synchronization
import Testing

@testable import PGClient

/// What tasks do with a transaction that is about to begin, has ended, or is shared, and what must not come of
/// it.
@Suite(.timeLimit(.minutes(1))) struct `A lease` {
    private struct Undone: Error {}

    @Test func `Where there is no connection for the first statement, none is sent without what precedes it`()
        async throws
    {
        try await Database.withPool { observer in
            try await Database.withTable(observer, "tenant text") { table in
                let proxy = try Proxy()
                proxy.stop()
                try await Database.withPool({ $0.maximumConnections = 1 }, at: proxy.url) { pool in
                    let opening: SQL = "select set_config('app.tenant', 'A', true)"
                    await #expect(throws: Undone.self) {
                        try await pool.transaction(opening: opening) { transaction in
                            await withTaskGroup(of: Void.self) { group in
                                for _ in 0..<100 {
                                    group.addTask {
                                        _ = try? await transaction.execute(
                                            "insert into \(identifier: table) values ('A')"
                                        )
                                    }
                                }
                                proxy.start()
                            }
                            throw Undone()
                        }
                    }
                }
                let kept = try await observer.queryOne(
                    "select count(*) from \(identifier: table)",
                    as: Int.self
                )
                #expect(kept == 0)
            }
        }
    }

    @Test func `A task that is left behind with the first statement takes no connection with it`()
        async throws
    {
        try await Database.withPool({ $0.maximumConnections = 1 }) { pool in
            let left = Mutex<Task<Void, any Error>?>(nil)
            let sent = Gate()
            _ = try? await pool.transaction { transaction in
                left.withLock {
                    $0 = Task {
                        await sent.open()
                        try await transaction.execute("select pg_sleep(0.05)")
                    }
                }
                await sent.pass()
            }
            _ = await left.withLock { $0 }?.result
            try await Database.expectAnswer(pool)
            #expect(!pool.isSaturated)
        }
    }

    @Test func `A task that is left behind never reaches the next transaction`() async throws {
        try await Database.withPool({ $0.maximumConnections = 1 }) { pool in
            for _ in 0..<100 {
                let left = Mutex<[Task<Void, Never>]>([])
                _ = try? await pool.transaction(.readOnly) { transaction in
                    try await transaction.execute("select 1")
                    left.withLock { left in
                        left = (0..<4).map { _ in
                            Task {
                                while (try? await transaction.execute("select set_config('app.t', 'A', true)"))
                                    != nil
                                {}
                            }
                        }
                    }
                    await Task.yield()
                }
                let tenant = try await pool.transaction(opening: "select set_config('app.t', 'B', true)") {
                    try await $0.execute("select 1")
                    return try await $0.queryOne("select current_setting('app.t')", as: String.self)
                }
                #expect(tenant == "B")
                for task in left.withLock({ $0 }) { await task.value }
            }
        }
    }

    @Test func `A task that waits for another's first statement doesn't when it is cancelled`() async throws {
        let application = Database.name("first")
        try await Database.withPool({ $0.applicationName = application }) { pool in
            _ = try await failure(.commitFailed) {
                try await pool.transaction { transaction in
                    let first = Task { try await transaction.execute("select pg_sleep(30)") }
                    try await Database.expectWaiting(1, application)
                    let entered = Journal()
                    let others = (0..<20).map { number in
                        Task {
                            entered.note(number)
                            try await transaction.execute("select 1")
                        }
                    }
                    try await Database.eventually("they wait") { entered.entries.count == 20 }
                    await expectTime(.zero..<(.seconds(8))) {
                        for other in others { other.cancel() }
                        for other in others {
                            await #expect(throws: CancellationError.self) { try await other.value }
                        }
                    }
                    first.cancel()
                    await #expect(throws: CancellationError.self) { try await first.value }
                }
            }
        }
    }

    @Test func `A second transaction on the same connection is refused, and harms nobody`() async throws {
        try await Database.withPool { pool in
            try await Database.withTable(pool, "n int") { table in
                try await pool.withConnection { connection in
                    try await connection.transaction { transaction in
                        async let inserted = transaction.execute(
                            "insert into \(identifier: table) select 1 from pg_sleep(0.05)"
                        )
                        _ = try await failure(.transactionClosed) {
                            try await connection.transaction { try await $0.execute("select 1") }
                        }
                        #expect(try await inserted == 1)
                    }
                }
                #expect(
                    try await pool.queryOne("select count(*) from \(identifier: table)", as: Int.self) == 1
                )
            }
        }
    }

    @Test func `A read on a lent connection is over when its closure is`() async throws {
        try await Database.withPool { pool in
            try await pool.withConnection { connection in
                let pid = try await connection.transaction(.readOnly) {
                    try await $0.queryOne("select pg_backend_pid()", as: Int32.self)
                }
                try await Database.eventually("it is idle") {
                    let state = "select state from pg_stat_activity where pid = \(pid)" as SQL
                    return try await pool.queryOne(state, as: String.self) == "idle"
                }
            }
        }
    }

    @Test func `An iterator that outlives its transaction doesn't keep it from ending`() async throws {
        try await Database.withPool({ $0.statementTimeout = .seconds(2) }) { pool in
            for commits in [true, false] {
                var kept: PGRowStream<String>.Iterator?
                _ = try? await pool.transaction { transaction in
                    var rows = transaction.stream(
                        "select repeat('x', 1000) from generate_series(1, 20000)",
                        as: String.self
                    ).makeAsyncIterator()
                    _ = try await rows.next()
                    kept = rows
                    if !commits { throw Undone() }
                }
                try await Database.expectAnswer(pool)
                withExtendedLifetime(kept) {}
            }
        }
    }

    @Test func `A statement that is cancelled before its turn doesn't cancel the one before it`() async throws
    {
        let application = Database.name("turn")
        try await Database.withPool({ $0.applicationName = application }) { pool in
            try await pool.withConnection { connection in
                try await connection.execute("select 1")
                async let neighbour = connection.execute("select pg_sleep(2)")
                try await Database.eventually("it sleeps") {
                    let sleeping: SQL = """
                        select count(*) from pg_stat_activity
                        where application_name = \(application) and wait_event = 'PgSleep'
                        """
                    return try await pool.queryOne(sleeping, as: Int.self) == 1
                }
                let waiting = Task { try await connection.execute("select 2") }
                waiting.cancel()
                await #expect(throws: CancellationError.self) { try await waiting.value }
                #expect(try await neighbour == 1)
            }
        }
    }

    @Test func `What ends a transaction is prepared anew after everything was deallocated`() async throws {
        try await Database.withPool({ $0.maximumConnections = 1 }) { pool in
            for access in [PGAccess.readOnly, .readWrite] {
                try await pool.transaction(access) { try await $0.execute("deallocate all") }
                try await Database.expectAnswer(pool)
            }
        }
    }

    /// Runs a transaction that goes wrong only when it ends, with another in line behind it.
    private func expectInnocence(
        of access: PGAccess,
        behind guilty: @escaping @Sendable (PGTransaction) async throws -> Void
    ) async throws {
        try await Database.withPool({ $0.maximumConnections = 1 }) { pool in
            try await pool.execute(
                "create temp table pg_temp.t (v text unique deferrable initially deferred)"
            )
            let (inside, go) = (Gate(), Gate())
            let first = Task {
                try await pool.transaction(.readOnly) { transaction in
                    try await guilty(transaction)
                    await inside.open()
                    await go.pass()
                }
            }
            await inside.pass()
            let second = Task {
                try await pool.transaction(access) { try await $0.queryOne("select 42", as: Int.self) }
            }
            let third = Task { try await pool.queryOne("select 43", as: Int.self) }
            try await Database.eventually("they wait") { pool.waiting == 2 }
            await go.open()
            _ = await first.result
            #expect(try await second.value == 42)
            #expect(try await third.value == 43)
        }
    }

    @Test func `A read's commit that fails is nobody else's failure`() async throws {
        for access in [PGAccess.readOnly, .readWrite] {
            try await expectInnocence(of: access) { transaction in
                try await transaction.execute("insert into pg_temp.t values ('a secret'), ('a secret')")
            }
        }
    }

    @Test func `A transaction that has failed can be ended however many statements it has prepared`()
        async throws
    {
        try await expectInnocence(of: .readWrite) { transaction in
            for number in 0..<130 { try await transaction.execute("select \(unsafeSQL: "\(number)")") }
            _ = try? await transaction.execute("select 1 / 0")
        }
    }

    @Test func `A statement that was sent behind another has its time from when it is its turn`() async throws
    {
        try await Database.withPool({ $0.statementTimeout = .seconds(2) }) { pool in
            try await pool.transaction { transaction in
                try await transaction.execute("select 1")
                async let first = transaction.execute("select pg_sleep(1.2)")
                async let second = transaction.execute("select pg_sleep(1.2)")
                #expect(try await (first, second) == (1, 1))
            }
        }
    }

    @Test func `A stream that was left early and never ends is cut off in time`() async throws {
        try await Database.withPool({ $0.statementTimeout = .milliseconds(300) }) { pool in
            await #expect(throws: PGError.self) {
                try await pool.transaction { transaction in
                    let rows = transaction.stream(
                        "select repeat('x', 9000), pg_sleep(0.01)::text from generate_series(1, 1000000)",
                        as: (String, String).self
                    )
                    for try await _ in rows { break }
                }
            }
            try await Database.expectAnswer(pool)
        }
    }
}
