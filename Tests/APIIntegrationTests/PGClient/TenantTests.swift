import PGClient
import Testing

extension OneAtATime {
    @Suite(.timeLimit(.minutes(60))) struct `Tenants that share connections` {
        @Test(arguments: TaskThreads.allCases)
        func `Twelve on four connections, with cancels at any time, never see a row of one another`(
            _ threads: TaskThreads
        ) async throws {
            try await threads.run {
                try await Tenants.with { tenants in
                    try await Database.withPool({ $0.maximumConnections = 4 }) { pool in
                        await tenants.readAll(pool, "Four connections", on: try threads.executor)
                        try await Database.expectAnswer(pool)
                    }
                }
            }
        }

        private enum End: CaseIterable {
            case commit, readOnlyCommit, error, failedStatement, cancel
        }

        private struct Oops: Error {}

        @Test(arguments: End.allCases)
        private func `A setting of a transaction ends with it, whichever way it ends`(_ end: End) async throws
        {
            let application = Database.name("setting")
            try await Database.withPool({
                $0.maximumConnections = 1; $0.applicationName = application
            }) { pool in
                func session() async throws -> (tenant: String?, pid: Int) {
                    try await pool.transaction {
                        try await $0.queryOne(
                            "select current_setting('app.tenant', true), pg_backend_pid()",
                            as: (String?, Int).self
                        )
                    }
                }
                let before = try await session()
                #expect(before.tenant == nil)
                let opening: SQL = "select set_config('app.tenant', '7', true)"
                let task = Task {
                    try await pool.transaction(
                        end == .readOnlyCommit ? .readOnly : .readWrite,
                        opening: opening
                    ) {
                        let tenant = try await $0.queryOne(
                            "select current_setting('app.tenant')",
                            as: String.self
                        )
                        #expect(tenant == "7")
                        switch end {
                        case .commit, .readOnlyCommit: break
                        case .error: throw Oops()
                        case .failedStatement: try await $0.execute("select 1 / 0")
                        case .cancel: try await $0.execute("select pg_sleep(30)")
                        }
                    }
                }
                if end == .cancel {
                    try await Database.expectWaiting(1, application)
                    task.cancel()
                }
                switch (end, await task.result) {
                case (.commit, .success), (.readOnlyCommit, .success): break
                case (.error, .failure(is Oops)), (.cancel, .failure(is CancellationError)): break
                case (.failedStatement, .failure(let error as PGError)): #expect(error.kind == .server)
                case (_, let result): Issue.record("\(result)")
                }
                // Not NULL as it was before, unless the cancel took too long and the connection is new.
                let after = try await session()
                #expect(after.tenant == (after.pid == before.pid ? "" : nil))
                #expect(after.pid == before.pid || end == .cancel)
            }
        }

        @Test func `Without a tenant a new connection shows no row, and neither does one that had a tenant`()
            async throws
        {
            try await Tenants.with { tenants in
                try await Database.withPool({ $0.maximumConnections = 1 }) { pool in
                    func rows(_ opening: SQL) async throws -> Int {
                        try await pool.transaction(.readOnly, opening: opening) {
                            try await $0.queryOne(
                                "select count(*) from \(identifier: tenants.table)",
                                as: Int.self
                            )
                        }
                    }
                    let nobody: SQL = "select set_config('role', \(tenants.role), true)"
                    #expect(try await rows(nobody) == 0)
                    #expect(try await rows(tenants.opening(7)) == Tenants.rows)
                    #expect(try await rows(nobody) == 0)
                    // What a policy without nullif would do now.
                    let error = try await failure(.server) {
                        try await pool.transaction {
                            try await $0.execute("select current_setting('app.tenant', true)::int")
                        }
                    }
                    #expect(error.sqlState == .invalidTextRepresentation)
                }
            }
        }
    }
}
