import Glibc
import Synchronization
import Testing

@testable import PGClient

@Suite(.timeLimit(.minutes(1))) struct `Streams` {
    @Test func `Rows arrive in their order and all of them, however many there are`() async throws {
        try await Database.withPool { pool in
            try await pool.transaction(.readOnly) { transaction in
                var expected = 1
                let rows = transaction.stream(
                    "select n, repeat('x', n % 100) from generate_series(1, 20000) n",
                    as: (Int, String).self
                )
                for try await (number, text) in rows {
                    guard number == expected, text.utf8.count == number % 100 else {
                        Issue.record("\(number) instead of \(expected)")
                        return
                    }
                    expected += 1
                }
                #expect(expected == 20_001)
                #expect(try await transaction.queryOne("select 42", as: Int.self) == 42)
            }
        }
    }

    @Test func `NULL, nothing and values of any size come as they are`() async throws {
        let sizes: [Int?] = [nil, 0, 1, 4_000, 70_000, nil, 3_000_000, 0]
        try await Database.withPool { pool in
            try await pool.transaction(.readOnly) { transaction in
                let rows = transaction.stream(
                    "select repeat('x', size::int4), size from unnest(\(sizes)::int8[]) size",
                    as: (String?, Int?).self
                )
                var seen: [Int?] = []
                for try await (text, size) in rows {
                    #expect(text.map(\.utf8.count) == size)
                    seen.append(size)
                }
                #expect(seen == sizes)
            }
        }
    }

    @Test func `Rows without columns are rows`() async throws {
        try await Database.withPool { pool in
            try await pool.transaction(.readOnly) { transaction in
                var count = 0
                let rows = transaction.stream("select from generate_series(1, 5)", as: Void.self)
                for try await _ in rows { count += 1 }
                #expect(count == 5)
            }
        }
    }

    @Test func `A row that can't be read is named by its number in the stream`() async throws {
        try await Database.withPool { pool in
            let error = try await failure(.decoding) {
                try await pool.transaction(.readOnly) { transaction in
                    let rows = transaction.stream(
                        "select nullif(n, 15000) as n from generate_series(1, 20000) n",
                        as: Int32.self
                    )
                    for try await _ in rows {}
                }
            }
            #expect(error.message.contains("row 15000: column 1 \"n\" isn't a Int32: it is NULL"))
        }
    }

    @Test func `A reader who takes their time holds up the server, and no deadline passes`() async throws {
        let proxy = try Proxy()
        try await Database.withPool(
            {
                $0.maximumConnections = 1; $0.statementTimeout = .milliseconds(300)
            },
            at: proxy.url
        ) { pool in
            try await pool.transaction(.readOnly) { transaction in
                var count = 0
                let rows = transaction.stream(
                    "select repeat('x', 1000) from generate_series(1, 20000)",
                    as: String.self
                )
                for try await _ in rows {
                    count += 1
                    if count == 1 {
                        #expect(await proxy.receivedAtRest < 10_000_000, "That is far from all of it.")
                    }
                }
                #expect(count == 20_000)
            }
        }
    }

    @Test func `A stream that is left early lets a write go on and be committed`() async throws {
        try await Database.expectWrite(after: { transaction in
            let numbers = transaction.stream("select generate_series(1, 20000)", as: Int.self)
            for try await number in numbers where number == 3 {
                break
            }
        })
    }

    @Test func `A read that leaves a huge stream early is over at once, and its connection stays`()
        async throws
    {
        try await Database.withPool({ $0.maximumConnections = 1 }) { pool in
            let before = try await pool.queryOne("select pg_backend_pid()", as: Int.self)
            let first = try await pool.transaction(.readOnly) { transaction in
                let numbers = transaction.stream("select generate_series(7, 1000000000)", as: Int.self)
                for try await number in numbers { return number }
                return 0
            }
            #expect(first == 7)
            #expect(try await pool.queryOne("select pg_backend_pid()", as: Int.self) == before)
        }
    }

    @Test func `An error in the middle comes after the rows before it, and spoils the transaction`()
        async throws
    {
        try await Database.withPool { pool in
            var seen: [Int] = []
            let error = try await failure(.server) {
                try await pool.transaction { transaction in
                    let rows = transaction.stream(
                        "select 6 / (3 - n) from generate_series(0, 5) n",
                        as: Int.self
                    )
                    for try await row in rows { seen.append(row) }
                }
            }
            #expect(error.sqlState == SQLState(rawValue: "22012"))
            #expect(seen == [2, 3, 6])
            try await Database.expectAnswer(pool)
        }
    }

    @Test func `While rows are streamed the transaction refuses other statements`() async throws {
        try await Database.withPool { pool in
            try await pool.transaction { transaction in
                for try await _ in transaction.stream("select generate_series(1, 2)", as: Int.self) {
                    _ = try await failure(.transactionClosed) { try await transaction.execute("select 1") }
                }
                try await transaction.execute("select 1")
            }
        }
    }

    @Test func `Cancelling the task ends a stream in the server`() async throws {
        try await Database.withPool({ $0.maximumConnections = 1 }) { pool in
            let begun = Gate()
            let task = Task {
                try await pool.transaction { transaction in
                    // Long enough that the server doesn't keep the first row until the last is there.
                    let rows = transaction.stream(
                        """
                        select repeat('x', 20000), pg_sleep(case when n = 3 then 30 else 0 end)::text
                        from generate_series(1, 3) n
                        """,
                        as: (String, String).self
                    )
                    for try await _ in rows {
                        await begun.open()
                    }
                }
            }
            await begun.pass()
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            try await Database.expectAnswer(pool)
        }
    }

    @Test func `An error of the loop ends a huge stream at once, and is what the caller gets`() async throws {
        struct Enough: Error {}
        try await Database.withPool({ $0.maximumConnections = 1 }) { pool in
            let before = try await pool.queryOne("select pg_backend_pid()", as: Int.self)
            for access in [PGAccess.readOnly, .readWrite] {
                await #expect(throws: Enough.self) {
                    try await pool.transaction(access) { transaction in
                        let rows = transaction.stream("select generate_series(1, 1000000000)", as: Int.self)
                        for try await _ in rows { throw Enough() }
                    }
                }
            }
            await #expect(throws: Enough.self) {
                try await pool.transaction { transaction in
                    let copy = transaction.copyOut("copy (select generate_series(1, 1000000000)) to stdout")
                    for try await _ in copy { throw Enough() }
                }
            }
            #expect(try await pool.queryOne("select pg_backend_pid()", as: Int.self) == before)
        }
    }

    @Test func `A reader who never has to wait learns that they were cancelled`() async throws {
        let proxy = try Proxy()
        try await Database.withPool({ $0.maximumConnections = 1 }, at: proxy.url) { pool in
            let (begun, cancelled) = (Gate(), Gate())
            let rowsAfterwards = Mutex(-1)
            let task = Task {
                try await pool.transaction { transaction in
                    let rows = transaction.stream(
                        "select repeat('x', 20000) from generate_series(1, 100000)",
                        as: String.self
                    )
                    for try await _ in rows {
                        await begun.open()
                        await cancelled.pass()
                        rowsAfterwards.withLock { $0 += 1 }
                    }
                }
            }
            await begun.pass()
            #expect(await proxy.receivedAtRest > 256_000, "There is more each time before the reader asks.")
            task.cancel()
            await cancelled.open()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(rowsAfterwards.withLock { $0 } < 8, "Those that it had been handed already.")
            try await Database.expectAnswer(pool)
        }
    }

    @Test func `A stream that its transaction has ended is read to its end or fails, however short it is`()
        async throws
    {
        try await Database.withPool { pool in
            for _ in 0..<50 {
                var iterator: PGRowStream<String>.Iterator?
                try await pool.transaction(.readOnly) { transaction in
                    // It fits into what may wait to be read.
                    let rows = transaction.stream(
                        "select repeat('x', 100) from generate_series(1, 1000)",
                        as: String.self
                    )
                    var first = rows.makeAsyncIterator()
                    _ = try await first.next()
                    iterator = first
                }
                var rest = try #require(iterator)
                var count = 1
                do {
                    while try await rest.next() != nil { count += 1 }
                    #expect(count == 1000)
                } catch let error as PGError {
                    #expect(error.kind == .transactionClosed)
                }
            }
        }
    }

    @Test func `A row that is larger than a result may be ends the stream with an error`() async throws {
        try await Database.withPool({ $0.maximumResultBytes = 1 << 20 }) { pool in
            let error = try await failure(.resultTooLarge) {
                try await pool.transaction(.readOnly) { transaction in
                    let rows = transaction.stream("select repeat('x', 1500000)", as: String.self)
                    for try await _ in rows { Issue.record("a row has come") }
                }
            }
            #expect(error.message.contains("1048576 bytes"))
            try await Database.expectAnswer(pool)
        }
    }

    @Test func `A server that dies in the middle of a stream ends it with an error, not early`() async throws
    {
        try await Database.withPool { pool in
            let error = try await failure(.connection) {
                try await pool.transaction(.readOnly) { transaction in
                    var count = 0
                    let rows = transaction.stream(
                        "select case when n = 5000 then pg_terminate_backend(pg_backend_pid()) end from generate_series(1, 9000) n",
                        as: Bool?.self
                    )
                    for try await _ in rows { count += 1 }
                    #expect(count < 9000)
                }
            }
            #expect(error.sqlState == .adminShutdown)
        }
    }
}

extension OneAtATime {
    /// Alone with those whose tasks compute on the threads that it measures.
    @Suite(.timeLimit(.minutes(1))) struct `A stream that nobody reads` {
        @Test func `While its reader is behind, a connection that has ended costs no processor`() async throws
        {
            @Sendable func processorTime() -> Duration {
                // A timespec by its layout: two modules define it, and which one the compiler finds varies.
                var time = (seconds: 0, nanoseconds: 0)
                withUnsafeMutablePointer(to: &time) {
                    _ = clock_gettime(CLOCK_THREAD_CPUTIME_ID, .init(OpaquePointer($0)))
                }
                return .seconds(time.seconds) + .nanoseconds(time.nanoseconds)
            }
            /// What the thread of each loop has used.
            func loopTimes() async throws -> [Duration] {
                var times: [Duration] = []
                for loop in try PGTaskExecutor.shared().loops {
                    times.append(
                        await withCheckedContinuation { continuation in
                            loop.schedule(at: .now) { continuation.resume(returning: processorTime()) }
                        }
                    )
                }
                return times
            }
            let proxy = try Proxy()
            try await Database.withPool(at: proxy.url) { pool in
                _ = try? await pool.transaction { transaction in
                    let rows = transaction.stream(
                        "select repeat('x', 1000) from generate_series(1, 20000)",
                        as: String.self
                    )
                    for try await _ in rows {
                        proxy.stop()
                        let before = try await loopTimes()
                        // There is no event to wait for: it is about nothing happening.
                        try await Task.sleep(for: .milliseconds(500))
                        for (before, after) in zip(before, try await loopTimes()) {
                            #expect(after - before < .milliseconds(250))
                        }
                        break
                    }
                }
            }
        }

        @Test func `A stream that is read after its transaction says so, and doesn't seem to be complete`()
            async throws
        {
            try await Database.withPool { pool in
                var rows = try await pool.transaction { transaction in
                    var rows = transaction.stream(
                        "select repeat('x', 1000) from generate_series(1, 20000)",
                        as: String.self
                    ).makeAsyncIterator()
                    _ = try await rows.next()
                    return Kept(rows: rows)
                }.rows
                _ = try await failure(.transactionClosed) {
                    while try await rows.next() != nil {}
                }
            }
        }

        /// Carries an iterator out of its closure, which nobody should: hence `@unchecked`.
        private struct Kept: @unchecked Sendable {
            let rows: PGRowStream<String>.Iterator
        }
    }
}
