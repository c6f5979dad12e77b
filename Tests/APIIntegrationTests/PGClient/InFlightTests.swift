import PGClient
import Testing

extension OneAtATime {
    @Suite(.timeLimit(.minutes(1))) struct `What is in flight when a connection ends` {
        @Test
        func `Each fails for itself, and so does what comes after it, when the server ends in the middle`()
            async throws
        {
            let application = Database.name("flight")
            try await Database.withPool({ $0.applicationName = application }) { pool in
                _ = try await failure(.commitFailed) {
                    try await pool.transaction { transaction in
                        try await transaction.execute("select 1")
                        async let one = failure(.connection) {
                            try await transaction.execute("select pg_sleep(30)")
                        }
                        try await Database.expectWaiting(1, application)
                        async let two = failure(.connection) { try await transaction.execute("select 2") }
                        async let three = failure(.connection) { try await transaction.execute("select 3") }
                        try await terminate(application)
                        let errors = try await [
                            one, two, three,
                            failure(.connection) { try await transaction.execute("select 4") },
                        ]
                        #expect(
                            errors.map(\.sql) == ["select pg_sleep(30)", "select 2", "select 3", "select 4"]
                        )
                        // The server says why only to the one that it is busy with.
                        #expect(errors.map(\.sqlState) == [.adminShutdown, nil, nil, nil])
                    }
                }
                try await Database.expectAnswer(pool)
            }
        }

        @Test(arguments: [100_000, 300_000, 999_000])
        func `What was answered before is delivered, and half a result is an error`(_ bytes: Int) async throws
        {
            let application = Database.name("half")
            let key = Int.random(in: 0..<1 << 40)
            let cable = try Cable()
            defer { cable.stop() }
            try await Database.withPool { holder in
                try await Database.withPool({ $0.applicationName = application }, at: cable.url()) { pool in
                    _ = try await failure(.commitFailed) {
                        try await pool.transaction { transaction in
                            try await transaction.execute("select 1")
                            // The first is kept waiting until the others are behind it.
                            let (one, others) = try await holder.transaction { other in
                                try await other.execute("select pg_advisory_xact_lock(\(key))")
                                let one = Task {
                                    try await transaction.queryOne(
                                        "select 'whole', pg_advisory_xact_lock(\(key))::text",
                                        as: (String, String).self
                                    )
                                }
                                try await Database.expectWaiting(1, application, for: "advisory")
                                cable.close(after: bytes)
                                let others = (0..<2).map { _ in
                                    Task {
                                        try await transaction.query(
                                            "select repeat('x', 1000) from generate_series(1, 1000)",
                                            as: String.self
                                        )
                                    }
                                }
                                return (one, others)
                            }
                            #expect(try await one.value.0 == "whole")
                            for other in others {
                                _ = try await failure(.connection) { try await other.value }
                            }
                        }
                    }
                    try await Database.expectAnswer(pool)
                }
            }
        }

        @Test func `One that ends without any answer is replaced if nothing can have been committed`()
            async throws
        {
            let cable = try Cable()
            defer { cable.stop() }
            try await Database.withPool({ $0.maximumConnections = 1 }, at: cable.url()) { pool in
                try await Database.expectAnswer(pool)
                cable.close(after: 0)
                try await Database.expectAnswer(pool)
                cable.close(after: 0)
                let error = try await failure(.connection) {
                    try await pool.withConnection { try await $0.execute("select 1") }
                }
                #expect(error.sql == "select 1")
            }
        }

        @Test func `Many connections that die while nobody uses them are replaced without anybody noticing`()
            async throws
        {
            let application = Database.name("idle")
            try await Database.withPool({
                $0.maximumConnections = 30; $0.applicationName = application
            }) { pool in
                for _ in 0..<3 {
                    try await Database.withTaken(30, of: pool) { _ in }
                    try await terminate(application, 30)
                }
                try await Database.withTaken(30, of: pool) { _ in }
            }
        }

        /// Ends that many connections of that application, and waits until they have.
        private func terminate(_ application: String, _ count: Int = 1) async throws {
            try await Database.withPool { observer in
                let ended = try await observer.transaction {
                    try await $0.query(
                        """
                        select pg_terminate_backend(pid) from pg_stat_activity
                        where application_name = \(application)
                        """,
                        as: Bool.self
                    )
                }
                #expect(ended == Array(repeating: true, count: count))
                try await Database.eventually("they have ended") {
                    try await observer.transaction(.readOnly) {
                        try await $0.execute(
                            "select from pg_stat_activity where application_name = \(application)"
                        )
                    } == 0
                }
            }
        }
    }
}
