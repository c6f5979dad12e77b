import Dispatch
import PGClient
import Synchronization
import Testing

private struct Oops: Error {}

private struct Pair: PGRow, Equatable {
    let number: Int
    let text: String?
    init(from row: inout PGRowReader) throws {
        number = try row.next()
        text = try row.next()
    }
}

@Suite(.timeLimit(.minutes(1))) struct `Transactions` {
    @Test func `what follows a failure in the same transaction throws that failure`() async throws {
        try await Database.withPool { pool in
            await #expect(throws: PGError.self) {
                try await pool.transaction { tx in
                    _ = try? await tx.queryOne("select 1 / 0", as: Int.self)
                    do {
                        _ = try await tx.queryOne("select 1", as: Int.self)
                    } catch let error as PGError {
                        #expect(error.sqlState?.rawValue == "22012")
                        throw error
                    }
                }
            }
        }
    }

    @Test func `Who hears of a failure before the one whom it has befallen learns what it was`() async throws
    {
        let application = Database.name("order")
        let key = Int.random(in: 0..<1 << 40)
        let executor = HoldingExecutor()
        try await Database.withPool { holder in
            try await Database.withPool({ $0.applicationName = application }) { pool in
                let error = try await failure(.commitFailed) {
                    try await pool.transaction { transaction in
                        try await transaction.execute("select 1")
                        let first = try await holder.transaction { other in
                            try await other.execute("select pg_advisory_xact_lock(\(key))")
                            let first = Task(executorPreference: executor) {
                                try await transaction.execute(
                                    "select 1 / length(pg_advisory_xact_lock(\(key))::text)"
                                )
                            }
                            try await Database.expectWaiting(1, application, for: "advisory")
                            executor.hold()
                            return first
                        }
                        defer { executor.letGo() }
                        let second = try await failure(.server) { try await transaction.execute("select 2") }
                        #expect(second.sqlState?.rawValue == "22012")
                        executor.letGo()
                        _ = try await failure(.server) { try await first.value }
                    }
                }
                #expect(error.sqlState?.rawValue == "22012")
            }
        }
    }

    @Test func `After a savepoint it is told what the rest has failed of`() async throws {
        try await Database.withPool { pool in
            _ = try await failure(.server) {
                try await pool.transaction { transaction in
                    try await transaction.execute("savepoint here")
                    _ = try await failure(.server) { try await transaction.execute("select 1 / 0") }
                    try await transaction.execute("rollback to here")
                    _ = try await failure(.server) { try await transaction.execute("select 'x'::int") }
                    let error = try await failure(.server) { try await transaction.execute("select 1") }
                    #expect(error.sqlState == .invalidTextRepresentation)
                    throw error
                }
            }
        }
    }

    @Test func `A savepoint saves a transaction also where no room is left for prepared statements`()
        async throws
    {
        try await Database.withPool({ $0.maximumConnections = 1 }) { pool in
            let answer = try await pool.transaction { transaction in
                try await transaction.execute("savepoint here")
                for number in 0..<130 {
                    try await transaction.execute("select \(unsafeSQL: String(number))")
                }
                _ = try await failure(.server) { try await transaction.execute("select 1 / 0") }
                try await transaction.execute("rollback to savepoint here")
                return try await transaction.queryOne("select 42", as: Int.self)
            }
            #expect(answer == 42)
        }
    }

    @Test func `The same mistake twice at once has the same error twice`() async throws {
        try await Database.withPool({ $0.maximumConnections = 1 }) { pool in
            for _ in 0..<5 {
                let error = try await failure(.commitFailed) {
                    try await pool.transaction { transaction in
                        try await transaction.execute("select 1")
                        async let first = failure(.server) {
                            try await transaction.execute("select nothing_like_it")
                        }
                        async let second = failure(.server) {
                            try await transaction.execute("select nothing_like_it")
                        }
                        let states = try await [first.sqlState, second.sqlState]
                        #expect(states == [.init(rawValue: "42703"), .init(rawValue: "42703")])
                    }
                }
                #expect(error.sqlState == .init(rawValue: "42703"))
            }
        }
    }

    @Test func `A closure that returns commits, and one that throws rolls back`() async throws {
        try await Database.withPool { pool in
            try await Database.withTable(pool, "n int") { table in
                #expect(
                    try await pool.transaction {
                        try await $0.execute("insert into \(identifier: table) values (1), (2)")
                    } == 2
                )
                await #expect(throws: Oops.self) {
                    try await pool.transaction { transaction in
                        try await transaction.execute("insert into \(identifier: table) values (3)")
                        throw Oops()
                    }
                }
                let numbers = try await pool.transaction(.readOnly) {
                    try await $0.query("select n from \(identifier: table) order by n", as: Int.self)
                }
                #expect(numbers == [1, 2])
            }
        }
    }

    @Test func `Rows are read as a type or as tuples, and every column has to be read`() async throws {
        try await Database.withPool { pool in
            try await pool.transaction(.readOnly) { transaction in
                let rows: [Pair] = try await transaction.query("values (1, 'a'), (2, null)")
                #expect(rows.map(\.number) == [1, 2] && rows.map(\.text) == ["a", nil])
                #expect(try await transaction.queryFirst("select 1, 'a' where false", as: Pair.self) == nil)
                let first = try await transaction.queryFirst("values (1), (2)", as: Int.self)
                #expect(first == 1)
                #expect(try await transaction.queryOne("select 5, 'x'", as: Pair.self).number == 5)
                let more = try await failure(.decoding) {
                    try await transaction.query("select 1, 'a', 2", as: Pair.self)
                }
                #expect(more.line != nil && more.sql == "select 1, 'a', 2")
                _ = try await failure(.decoding) { try await transaction.query("select 1", as: Pair.self) }
                _ = try await failure(.unexpectedRowCount) {
                    try await transaction.queryOne("values (1), (2)", as: Int.self)
                }
                _ = try await failure(.unexpectedRowCount) {
                    try await transaction.queryOne("select 1 where false", as: Int.self)
                }
            }
        }
    }

    @Test func `A COMMIT that the server answers with ROLLBACK is an error`() async throws {
        try await Database.withPool { pool in
            let error = try await failure(.commitFailed) {
                try await pool.transaction { transaction in
                    _ = try? await transaction.execute("select 1 / 0")
                }
            }
            #expect(error.sqlState?.rawValue == "22012")
        }
    }

    @Test func `A constraint that is checked at COMMIT is the commit's error`() async throws {
        try await Database.withPool { pool in
            try await Database.withTable(pool, "n int unique deferrable initially deferred") { table in
                let error = try await failure(.server) {
                    try await pool.transaction {
                        try await $0.execute("insert into \(identifier: table) values (1), (1)")
                    }
                }
                #expect(error.sqlState == .uniqueViolation)
            }
        }
    }

    @Test func `A read-only transaction can't write`() async throws {
        try await Database.withPool { pool in
            let error = try await failure(.server) {
                try await pool.transaction(.readOnly) { try await $0.execute("create table nowhere ()") }
            }
            #expect(error.sqlState == .readOnlyTransaction)
        }
    }

    @Test func `The opening runs before the first statement, in the same transaction`() async throws {
        try await Database.withPool { pool in
            let value = try await pool.transaction(
                .readOnly,
                opening: "select set_config('app.who', \("ana"), true)"
            ) {
                try await $0.queryOne("select current_setting('app.who')", as: String.self)
            }
            #expect(value == "ana")
            let after = try await pool.transaction(.readOnly) {
                try await $0.queryOne("select current_setting('app.who', true)", as: String?.self)
            }
            #expect(after ?? "" == "")
        }
    }

    @Test func `An opening that fails is the error, not the statement that it kept from running`()
        async throws
    {
        try await Database.withPool { pool in
            for access in [PGAccess.readOnly, .readWrite] {
                let error = try await failure(.server) {
                    try await pool.transaction(access, opening: "select 1 / \(0)") {
                        try await $0.execute("select 2")
                    }
                }
                #expect(error.sqlState?.rawValue == "22012" && error.sql == "select 1 / $1")
            }
            try await Database.expectAnswer(pool)
        }
    }

    @Test func `A closure without statements sends nothing, so its opening can't fail`() async throws {
        try await Database.withPool { pool in
            let seven = try await pool.transaction(opening: "no such statement") { _ in 7 }
            #expect(seven == 7)
        }
    }

    @Test func `A transaction that is used after its closure says so, and touches nobody else's`()
        async throws
    {
        try await Database.withPool({ $0.maximumConnections = 1 }) { pool in
            let kept = try await pool.transaction { transaction in
                try await transaction.execute("select 1")
                return transaction
            }
            try await pool.transaction { transaction in
                try await transaction.execute("select 1")
                _ = try await failure(.transactionClosed) {
                    try await kept.execute("select pg_terminate_backend(pg_backend_pid())")
                }
                _ = try await failure(.transactionClosed) { try await kept.script("rollback") }
                #expect(try await transaction.queryOne("select 2", as: Int.self) == 2)
            }
        }
    }

    @Test func `Statements of child tasks share a transaction safely`() async throws {
        try await Database.withPool { pool in
            for _ in 0..<20 {
                let answers = try await pool.transaction(opening: "select set_config('app.n', '5', true)") {
                    transaction in
                    try await withThrowingTaskGroup(of: (Int, Int, Int).self) { group in
                        for number in 0..<20 {
                            group.addTask {
                                let row = try await transaction.queryOne(
                                    "select \(number), current_setting('app.n')::int, txid_current()::text::int",
                                    as: (Int, Int, Int).self
                                )
                                return (number, row.0 * 10 + row.1, row.2)
                            }
                        }
                        return try await group.reduce(into: []) { $0.append($1) }
                    }
                }
                #expect(answers.allSatisfy { $0.1 == $0.0 * 10 + 5 })
                #expect(Set(answers.map(\.2)).count == 1 && answers.count == 20)
            }
        }
    }

    @Test func `A script runs many statements inside the transaction, and rolls back with it`() async throws {
        try await Database.withPool { pool in
            let table = Database.name()
            let before = try await failure(.server) {
                try await pool.transaction { transaction in
                    try await transaction.script(
                        "create table \(table) (n int); insert into \(table) values (1); select * from \(table)"
                    )
                    #expect(
                        try await transaction.queryOne(
                            "select count(*) from \(identifier: table)",
                            as: Int.self
                        ) == 1
                    )
                    try await transaction.script("select 1; select * from missing_\(table); select 2")
                }
            }
            #expect(before.sqlState == .undefinedTable)
            let exists = try await pool.transaction {
                try await $0.queryOne("select to_regclass(\(table)) is not null", as: Bool.self)
            }
            #expect(!exists)
        }
    }

    @Test func `A script that ends its transaction is an error, and so is COPY`() async throws {
        try await Database.withPool { pool in
            _ = try await failure(.transactionClosed) {
                try await pool.transaction { try await $0.script("select 1; commit") }
            }
            _ = try await failure(.invalidStatement) {
                try await pool.transaction { try await $0.script("copy pg_class to stdout") }
            }
            _ = try await failure(.invalidStatement) {
                try await pool.transaction { try await $0.execute("copy pg_class to stdout") }
            }
            try await Database.expectAnswer(pool)
        }
    }

    @Test func `A lent connection keeps its session for its transactions, and is reset afterwards`()
        async throws
    {
        try await Database.withPool({ $0.maximumConnections = 1 }) { pool in
            let key = Int.random(in: 0..<1 << 40)
            try await pool.withConnection { connection in
                try await connection.execute("select pg_advisory_lock(\(key))")
                for _ in 0..<2 {
                    let held = try await connection.transaction { transaction in
                        try await transaction.queryOne(
                            "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()",
                            as: Int.self
                        )
                    }
                    #expect(held == 1)
                }
                let kept = try await connection.transaction { $0 }
                _ = try await failure(.transactionClosed) { try await kept.execute("select 1") }
                _ = try await failure(.transactionClosed) {
                    try await connection.transaction { _ in try await connection.execute("select 1") }
                }
                try await connection.script("set search_path = pg_catalog; select 1")
            }
            try await pool.transaction { transaction in
                let held = try await transaction.queryOne(
                    "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()",
                    as: Int.self
                )
                #expect(held == 0)
                #expect(
                    try await transaction.queryOne("show search_path", as: String.self).contains("public")
                )
            }
        }
    }
}

/// Runs the tasks that prefer it, but none of them while it holds them.
private final class HoldingExecutor: TaskExecutor {
    private struct State: Sendable {
        var isHolding = false
        var held: [UnownedJob] = []
    }

    private let state = Mutex(State())

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isHeld = state.withLock { state in
            if state.isHolding { state.held.append(job) }
            return state.isHolding
        }
        if !isHeld { run(job) }
    }

    func hold() { state.withLock { $0.isHolding = true } }

    func letGo() {
        let held = state.withLock { state in
            defer { state = State() }
            return state.held
        }
        for job in held { run(job) }
    }

    private func run(_ job: UnownedJob) {
        DispatchQueue.global().async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
