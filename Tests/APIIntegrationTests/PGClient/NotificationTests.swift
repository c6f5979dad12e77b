import PGClient
import Testing

@Suite(.timeLimit(.minutes(1))) struct `Notifications` {
    @Test func `Those that arrive on a busy or an idle connection disturb nothing`() async throws {
        let channel = Database.name("noise")
        try await Database.withPool { noisy in
            try await Database.withPool({ $0.maximumConnections = 1 }) { pool in
                let pid = try await pool.transaction { transaction in
                    try await transaction.execute("listen \(identifier: channel)")
                    return try await transaction.queryOne("select pg_backend_pid()", as: Int.self)
                }
                for round in 0..<5 {
                    async let noise: Int = noisy.transaction {
                        try await $0.execute(
                            """
                            select pg_notify(\(channel), n || repeat('x', 7000))
                            from generate_series(1, 200) n
                            """
                        )
                    }
                    for number in 0..<20 {
                        // The server tells them between two transactions: the next has been sent already when
                        // the commit of the one before wasn't waited for.
                        let answers = try await pool.transaction(
                            number.isMultiple(of: 2) ? .readOnly : .readWrite
                        ) {
                            transaction in
                            async let one = transaction.queryOne(
                                "select \(number), pg_backend_pid()",
                                as: (Int, Int).self
                            )
                            async let two = transaction.query(
                                "select n from generate_series(1, 100) n",
                                as: Int.self
                            )
                            return try await (one, two)
                        }
                        #expect(answers.0 == (number, pid) && answers.1 == Array(1...100), "round \(round)")
                    }
                    _ = try await noise
                    let channels = try await pool.transaction {
                        try await $0.query("select pg_listening_channels()", as: String.self)
                    }
                    #expect(channels == [channel])
                }
            }
        }
    }
}
