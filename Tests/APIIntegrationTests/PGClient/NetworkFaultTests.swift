import PGClient
import Testing

extension OneAtATime {
    @Suite(.timeLimit(.minutes(1))) struct `A network that fails` {
        /// Runs the body with a pool that reaches the database by a cable.
        private func withCable<R>(
            _ change: (inout PGConfiguration) -> Void = { _ in },
            _ body: (PGPool, Cable) async throws -> R
        ) async throws -> R {
            let cable = try Cable()
            defer { cable.stop() }
            return try await Database.withPool(change, at: cable.url()) { try await body($0, cable) }
        }

        @Test
        func `While nothing passes everything ends at its deadline, and when it does again all is well`()
            async throws
        {
            let change: (inout PGConfiguration) -> Void = {
                $0.maximumConnections = 4
                $0.statementTimeout = .seconds(1)
                $0.connectTimeout = .seconds(1)
            }
            try await withCable(change) { pool, cable in
                try await Database.withTaken(4, of: pool) { _ in }
                cable.pull()
                try await expectTime(.milliseconds(900)..<(.seconds(8))) {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for _ in 0..<4 {
                            group.addTask {
                                _ = try await failure(.statementTimeout) {
                                    try await pool.transaction { try await $0.execute("select 1") }
                                }
                            }
                        }
                        try await group.waitForAll()
                    }
                }
                try await expectTime(.milliseconds(900)..<(.seconds(8))) {
                    _ = try await failure(.connectTimeout) { try await Database.expectAnswer(pool) }
                }
                cable.plugIn()
                try await Database.expectRecovery(pool)
            }
        }

        @Test func `While nothing passes a cancelled statement ends within about a second`() async throws {
            let application = Database.name("cut")
            try await withCable({
                $0.maximumConnections = 16; $0.applicationName = application
            }) { pool, cable in
                let tasks = (0..<16).map { _ in
                    Task { try await pool.transaction { try await $0.execute("select pg_sleep(30)") } }
                }
                try await Database.expectWaiting(16, application)
                cable.pull()
                await expectTime(.milliseconds(900)..<(.seconds(8))) {
                    for task in tasks { task.cancel() }
                    for task in tasks {
                        await #expect(throws: CancellationError.self) { try await task.value }
                    }
                }
                cable.plugIn()
                try await Database.expectRecovery(pool)
                // The cancels were still on their way.
                try await Database.expectWaiting(0, application)
            }
        }

        @Test func `While nothing passes a cancelled copy ends within about a second`() async throws {
            try await Database.withPool { observer in
                try await Database.withTable(observer, "n int") { table in
                    try await withCable({ $0.maximumConnections = 1 }) { pool, cable in
                        let (begun, asked) = (Gate(), Journal())
                        let chunks = AsyncStream<[UInt8]> {
                            asked.note(1)
                            // The server has taken the first.
                            if asked.entries.count == 2 { await begun.open() }
                            return Task.isCancelled ? nil : Array("1\n".utf8)
                        }
                        let task = Task {
                            try await pool.transaction { transaction in
                                try await transaction.copyIn(
                                    "copy \(identifier: table) from stdin",
                                    from: chunks
                                )
                            }
                        }
                        await begun.pass()
                        cable.pull()
                        await expectTime(.milliseconds(900)..<(.seconds(8))) {
                            task.cancel()
                            await #expect(throws: CancellationError.self) { try await task.value }
                        }
                        cable.plugIn()
                        try await Database.expectRecovery(pool)
                    }
                }
            }
        }

        @Test func `A connection that is reset says so at once, and so does one that is being made`()
            async throws
        {
            let application = Database.name("reset")
            try await withCable({
                $0.maximumConnections = 1; $0.applicationName = application
            }) { pool, cable in
                async let running = failure(.connection) {
                    try await pool.transaction { try await $0.execute("select pg_sleep(30)") }
                }
                try await Database.expectWaiting(1, application)
                cable.reset()
                #expect(try await running.sqlState == nil)
                _ = try await failure(.connection) { try await Database.expectAnswer(pool) }
                cable.endReset()
                try await Database.expectRecovery(pool)
            }
        }

        @Test func `Many cancels that can't reach the server keep nobody waiting`() async throws {
            let application = Database.name("blocked")
            let proxy = try Proxy()
            let change: (inout PGConfiguration) -> Void = {
                $0.maximumConnections = 25
                $0.applicationName = application
            }
            try await Database.withPool(change, at: proxy.url) { pool in
                try await pool.transaction { transaction in
                    try await transaction.execute("select 1")
                    let tasks = (0..<24).map { _ in
                        Task { try await pool.transaction { try await $0.execute("select pg_sleep(30)") } }
                    }
                    try await Database.expectWaiting(24, application)
                    proxy.keepOut(true)
                    try await expectTime(.milliseconds(900)..<(.seconds(8))) {
                        for task in tasks { task.cancel() }
                        // Neither a connection that is there nor one that is being made, which takes a thread
                        // as the cancels do.
                        let other = PGPool(try Database.configuration())
                        try await transaction.execute("select 2")
                        try await Database.expectAnswer(other)
                        await other.close()
                        for task in tasks {
                            await #expect(throws: CancellationError.self) { try await task.value }
                        }
                    }
                    proxy.keepOut(false)
                }
                try await Database.expectAnswer(pool)
                try await Database.expectWaiting(0, application)
            }
        }

        @Test
        func `The kernel finds a host dead that says nothing, unless the connection string says otherwise`()
            async throws
        {
            let cable = try Cable()
            defer { cable.stop() }
            for (more, expected) in [
                ("", [10, 5, 3, 30_000]),
                (
                    " keepalives_idle=7 keepalives_interval=6 keepalives_count=4 tcp_user_timeout=9000",
                    [7, 6, 4, 9000]
                ),
            ] as [(String, [Int32])] {
                try await Database.withPool(at: cable.url() + more) { pool in
                    try await Database.expectAnswer(pool)
                    #expect(cable.keepalives == expected)
                }
            }
        }
    }
}
