import Testing

@testable import PGClient

@Suite(.timeLimit(.minutes(1))) struct `Cancelling and running out of time` {
    /// Waits until so many statements of that application wait for that in the server.
    private func untilWaiting(_ application: String, _ event: String, _ count: Int = 1) async throws {
        try await Database.withPool { observer in
            try await Database.eventually("\(count) statements wait") {
                try await observer.transaction(.readOnly) {
                    try await $0.queryOne(
                        """
                        select count(*) from pg_stat_activity
                        where application_name = \(application) and wait_event = \(event)
                        """,
                        as: Int.self
                    )
                } == count
            }
        }
    }

    @Test func `A cancelled statement ends in the server, and its connection comes back clean`() async throws
    {
        let application = Database.name("cancel")
        try await Database.withPool({
            $0.maximumConnections = 1; $0.applicationName = application
        }) { pool in
            func pid() async throws -> Int {
                try await pool.transaction { try await $0.queryOne("select pg_backend_pid()", as: Int.self) }
            }
            let before = try await pid()
            let task = Task {
                try await pool.transaction {
                    try await $0.execute("select pg_sleep(30), set_config('app.dirty', 'yes', false)")
                }
            }
            try await untilWaiting(application, "PgSleep")
            let start = ContinuousClock.now
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(ContinuousClock.now - start < .seconds(5))
            let after = try await pid()
            #expect(after == before)
            try await untilWaiting(application, "PgSleep", 0)
        }
    }

    @Test func `A cancel that comes late finds its connection still waiting for it`() async throws {
        let application = Database.name("late")
        let proxy = try Proxy()
        let change: (inout PGConfiguration) -> Void = {
            $0.maximumConnections = 1
            $0.applicationName = application
        }
        try await Database.withPool(change, at: proxy.url) { pool in
            func pid() async throws -> Int {
                try await pool.transaction { try await $0.queryOne("select pg_backend_pid()", as: Int.self) }
            }
            let before = try await pid()
            proxy.keepOut(true)
            let ended = Journal()
            let key = Int.random(in: 0..<1 << 40)
            try await Database.withPool { observer in
                // Holds the lock that the cancelled statement waits for, and then lets it have it.
                let task = try await observer.transaction { transaction in
                    try await transaction.execute("select pg_advisory_xact_lock(\(key))")
                    let task = Task {
                        defer { ended.note(1) }
                        try await pool.transaction {
                            try await $0.execute("select pg_advisory_xact_lock(\(key))")
                        }
                    }
                    try await self.untilWaiting(application, "advisory")
                    task.cancel()
                    return task
                }
                try await self.untilWaiting(application, "advisory", 0)
                #expect(ended.entries.isEmpty)
                proxy.keepOut(false)
                await #expect(throws: CancellationError.self) { try await task.value }
            }
            let after = try await pid()
            #expect(after == before)
        }
    }

    @Test func `A transaction goes nowhere after one of its statements was cancelled`() async throws {
        let application = Database.name("cancel")
        try await Database.withPool({
            $0.maximumConnections = 1; $0.applicationName = application
        }) { pool in
            _ = try await failure(.commitFailed) {
                try await pool.transaction { transaction in
                    let task = Task { try await transaction.execute("select pg_sleep(30)") }
                    try await self.untilWaiting(application, "PgSleep")
                    task.cancel()
                    await #expect(throws: CancellationError.self) { try await task.value }
                    _ = try await failure(.transactionClosed) { try await transaction.execute("select 1") }
                }
            }
            try await Database.expectAnswer(pool)
        }
    }

    @Test func `A cancelled script ends too`() async throws {
        let application = Database.name("cancel")
        try await Database.withPool({
            $0.maximumConnections = 1; $0.applicationName = application
        }) { pool in
            let task = Task {
                try await pool.transaction { try await $0.script("select 1; select pg_sleep(30); select 2") }
            }
            try await untilWaiting(application, "PgSleep")
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            try await Database.expectAnswer(pool)
        }
    }

    @Test func `A statement that takes too long is cancelled, and its connection closed`() async throws {
        let application = Database.name("slow")
        try await Database.withPool({
            $0.statementTimeout = .milliseconds(200); $0.applicationName = application
        }) { pool in
            let error = try await failure(.statementTimeout) {
                try await pool.transaction { try await $0.execute("select pg_sleep(30)") }
            }
            #expect(error.sql == "select pg_sleep(30)")
            try await untilWaiting(application, "PgSleep", 0)
            try await Database.expectAnswer(pool)
        }
    }

    @Test func `A server that doesn't answer when connecting runs out of time`() async throws {
        let proxy = try Proxy()
        proxy.restart(holdingTurn: 0)
        try await Database.withPool({ $0.connectTimeout = .milliseconds(200) }, at: proxy.url) { pool in
            _ = try await failure(.connectTimeout) { try await pool.execute("select 1") }
        }
    }
}
