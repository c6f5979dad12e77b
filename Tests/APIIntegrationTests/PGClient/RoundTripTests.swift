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
}
