import Testing

@testable import PGClient

@Suite(.timeLimit(.minutes(1))) struct `The pool` {
    /// Has a connection while the body runs.
    private static func hold(_ pool: PGPool, while body: () async throws -> Void) async throws {
        try await pool.transaction { transaction in
            try await transaction.execute("select 1")
            try await body()
        }
    }

    @Test func `A closure without statements needs no connection`() async throws {
        try await Database.withPool({ $0.maximumConnections = 1 }) { pool in
            try await Self.hold(pool) { try await pool.transaction { _ in } }
        }
    }

    @Test func `It opens no more connections than it may, and everybody gets one`() async throws {
        let application = Database.name("pool")
        try await Database.withPool({
            $0.maximumConnections = 3; $0.applicationName = application
        }) { pool in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<100 { group.addTask { try await Database.expectAnswer(pool) } }
                try await group.waitForAll()
            }
            let connections = try await pool.transaction {
                try await $0.queryOne(
                    "select count(*) from pg_stat_activity where application_name = \(application)",
                    as: Int.self
                )
            }
            #expect((1...3).contains(connections))
        }
    }

    @Test func `Those who wait are served in the order in which they came`() async throws {
        try await Database.withPool({
            $0.maximumConnections = 1; $0.acquireTimeout = .seconds(30)
        }) { pool in
            let gate = Gate()
            let order = Journal()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await Self.hold(pool) { await gate.pass() } }
                for number in 0..<10 {
                    if number == 0 {
                        try await Database.eventually("the connection is taken") { pool.isSaturated }
                    }
                    group.addTask { try await Self.hold(pool) { order.note(number) } }
                    try await Database.eventually("it waits") { pool.waiting == number + 1 }
                }
                await gate.open()
                try await group.waitForAll()
            }
            #expect(order.entries == Array(0..<10))
        }
    }

    @Test func `Waiting ends at its deadline, and at once when the line is full`() async throws {
        let change: (inout PGConfiguration) -> Void = {
            $0.maximumConnections = 1
            $0.maximumWaiters = 1
            $0.acquireTimeout = .seconds(3)
        }
        try await Database.withPool(change) { pool in
            try await Self.hold(pool) {
                let start = ContinuousClock.now
                async let late = failure(.poolTimeout) { try await Self.hold(pool) {} }
                try await Database.eventually("it waits") { pool.waiting == 1 }
                _ = try await failure(.poolExhausted) { try await Self.hold(pool) {} }
                #expect(ContinuousClock.now - start < .seconds(3))
                _ = try await late
                #expect((.seconds(3)..<(.seconds(20))).contains(ContinuousClock.now - start))
            }
            try await Database.expectAnswer(pool)
        }
    }

    @Test func `A task that is cancelled while it waits leaves the line`() async throws {
        try await Database.withPool({
            $0.maximumConnections = 1; $0.acquireTimeout = .seconds(30)
        }) { pool in
            try await Self.hold(pool) {
                let task = Task { try await Self.hold(pool) {} }
                try await Database.eventually("it waits") { pool.waiting == 1 }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                #expect(pool.waiting == 0)
            }
            try await Database.expectAnswer(pool)
        }
    }

    @Test func `Closing lets those finish who have begun, and nobody in`() async throws {
        let pool = PGPool(try Database.configuration())
        let (gate, begun) = (Gate(), Gate())
        let working = Task {
            try await pool.transaction { transaction in
                try await transaction.execute("select 1")
                await begun.open()
                await gate.pass()
                return try await transaction.queryOne("select 42", as: Int.self)
            }
        }
        await begun.pass()
        let closing = Task { await pool.close() }
        try await Database.eventually("it is closed") {
            do {
                try await Self.hold(pool) {}
                return false
            } catch let error as PGError {
                return error.kind == .poolClosed
            }
        }
        await gate.open()
        #expect(try await working.value == 42)
        await closing.value
    }

    @Test func `Closing doesn't wait for ever`() async throws {
        let pool = PGPool(try Database.configuration())
        let (gate, begun) = (Gate(), Gate())
        let working = Task {
            try await pool.transaction { transaction in
                try await transaction.execute("select 1")
                await begun.open()
                await gate.pass()
                try await transaction.execute("select 1")
            }
        }
        await begun.pass()
        await pool.close(within: .milliseconds(100))
        await gate.open()
        await #expect(throws: PGError.self) { try await working.value }
    }

    @Test func `A connection that is too old is replaced`() async throws {
        try await Database.withPool({
            $0.maximumConnections = 1; $0.maximumLifetime = .zero
        }) { pool in
            func pid() async throws -> Int {
                try await pool.transaction { try await $0.queryOne("select pg_backend_pid()", as: Int.self) }
            }
            let (first, second) = (try await pid(), try await pid())
            #expect(first != second)
        }
    }

    @Test func `Many tasks with random cancellations never see one another's transaction`() async throws {
        try await Database.withPool({
            $0.maximumConnections = 4; $0.acquireTimeout = .seconds(30)
        }) { pool in
            let answers = Journal()
            await withTaskGroup(of: Void.self) { group in
                for tenant in 0..<12 {
                    group.addTask {
                        for round in 0..<60 {
                            let task = Task {
                                try await pool.transaction(
                                    round.isMultiple(of: 2) ? .readOnly : .readWrite,
                                    opening: "select set_config('app.tenant', \(String(tenant)), true)"
                                ) { transaction in
                                    for pause in [0, 0.002] {
                                        let seen = try await transaction.queryOne(
                                            "select current_setting('app.tenant'), pg_sleep(\(pause))::text",
                                            as: (String, String).self
                                        )
                                        #expect(seen.0 == String(tenant))
                                        answers.note(tenant)
                                    }
                                }
                            }
                            if Bool.random() {
                                for _ in 0..<Int.random(in: 0..<200) { await Task.yield() }
                                task.cancel()
                            }
                            do {
                                try await task.value
                            } catch is CancellationError {
                            } catch {
                                Issue.record("\(String(reflecting: error))")
                            }
                        }
                    }
                }
            }
            #expect(answers.entries.count > 12 * 30)
            try await Database.expectAnswer(pool)
        }
    }
}
