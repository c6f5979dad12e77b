import Testing

@testable import PGClient

@Suite(.timeLimit(.minutes(1))) struct `COPY` {
    @Test func `Rows of every type are copied in, and come back`() async throws {
        try await Database.withPool { pool in
            try await Database.withTable(pool, "n bigint, name text, weight float8, tags text[], day date") {
                table in
                typealias Row = (Int, String?, Double, [String], PGDate)
                let rows = (0..<5000).map { number -> Row in
                    let name: String? = number.isMultiple(of: 3) ? nil : "name \(number)"
                    let day = PGDate(daysSince1970: Int32(number % 5000))
                    return (number, name, Double(number) / 3, ["a", "\(number)"], day)
                }
                let count = try await pool.transaction { transaction in
                    try await transaction.copyIn(
                        rows,
                        into: ["public", table],
                        columns: ["n", "name", "weight", "tags", "day"]
                    )
                }
                #expect(count == 5000)
                let back = try await pool.query(
                    "select n, name, weight, tags, day from \(identifier: table) order by n",
                    as: Row.self
                )
                #expect(back.count == rows.count)
                #expect(zip(back, rows).allSatisfy { $0 == $1 })
            }
        }
    }

    @Test func `A COPY whose own text takes long to send loses nothing of its data`() async throws {
        try await Database.withPool { pool in
            try await Database.withTable(pool, "n int") { table in
                let (chunks, continuation) = AsyncStream<[UInt8]>.makeStream()
                for number in 0..<100 { continuation.yield(Array("\(number)\n".utf8)) }
                continuation.finish()
                // More than a socket takes at once.
                let comment = String(repeating: "x", count: 8 << 20)
                let count = try await pool.transaction {
                    try await $0.copyIn(
                        "/* \(unsafeSQL: comment) */ copy \(identifier: table) from stdin",
                        from: chunks
                    )
                }
                #expect(count == 100)
            }
        }
    }

    @Test func `Text goes in as it is cut, and out as lines`() async throws {
        try await Database.withPool { pool in
            try await Database.withTable(pool, "n int, t text") { table in
                let (chunks, continuation) = AsyncStream<[UInt8]>.makeStream()
                for piece in ["1\ton", "e\n2\ttw", "o\n", "3\t\\N\n"] {
                    continuation.yield(Array(piece.utf8))
                }
                continuation.finish()
                let lines = try await pool.transaction { transaction in
                    #expect(
                        try await transaction.copyIn("copy \(identifier: table) from stdin", from: chunks)
                            == 3
                    )
                    var lines: [String] = []
                    for try await line in transaction.copyOut(
                        "copy \(identifier: table) to stdout (format csv)"
                    ) {
                        lines.append(String(decoding: line, as: UTF8.self))
                    }
                    return lines
                }
                #expect(lines == ["1,one\n", "2,two\n", "3,\n"])
            }
        }
    }

    @Test func `A second COPY in one text is refused, and nothing of the first is kept`() async throws {
        try await Database.withPool({ $0.maximumConnections = 1 }) { pool in
            try await Database.withTable(pool, "n int") { table in
                let (chunks, continuation) = AsyncStream<[UInt8]>.makeStream()
                continuation.yield(Array("1\n".utf8))
                continuation.finish()
                let copy: SQL = "copy \(identifier: table) from stdin"
                let error = try await failure(.server) {
                    try await pool.transaction { try await $0.copyIn("\(copy); \(copy)", from: chunks) }
                }
                #expect(error.message.contains("there is no data for a second COPY"))
                #expect(
                    try await pool.queryOne("select count(*) from \(identifier: table)", as: Int.self) == 0
                )
            }
        }
    }

    @Test func `Rows with more or fewer values than columns are refused before anything is sent`()
        async throws
    {
        try await Database.withPool { pool in
            for columns in [["n"], ["n", "m", "k"]] {
                let error = try await failure(.invalidStatement) {
                    try await pool.transaction {
                        try await $0.copyIn([(1, 2)], into: ["nowhere"], columns: columns)
                    }
                }
                #expect(error.message == "a row has 2 values for \(columns.count) columns")
            }
        }
    }

    @Test func `Data that the server refuses is its error, and nothing is kept`() async throws {
        try await Database.withPool({ $0.maximumConnections = 1 }) { pool in
            try await Database.withTable(pool, "n int check (n < 3)") { table in
                let numbers: [Int32] = Array(0..<5)
                let error = try await failure(.server) {
                    try await pool.transaction { transaction in
                        try await transaction.copyIn(numbers, into: [table], columns: ["n"])
                    }
                }
                #expect(error.sqlState == .checkViolation)
                let count = try await pool.queryOne("select count(*) from \(identifier: table)", as: Int.self)
                #expect(count == 0)
            }
        }
    }

    @Test func `A source that fails keeps nothing, and its error is the caller's`() async throws {
        struct Broken: Error {}
        try await Database.withPool({ $0.maximumConnections = 1 }) { pool in
            try await Database.withTable(pool, "n int") { table in
                let chunks = AsyncThrowingStream<[UInt8], any Error> { continuation in
                    continuation.yield(Array("1\n".utf8))
                    continuation.finish(throwing: Broken())
                }
                await #expect(throws: Broken.self) {
                    try await pool.transaction { transaction in
                        try await transaction.copyIn("copy \(identifier: table) from stdin", from: chunks)
                    }
                }
                let count = try await pool.queryOne("select count(*) from \(identifier: table)", as: Int.self)
                #expect(count == 0)
            }
        }
    }

    @Test func `Cancelling the task ends a copy whose source never does`() async throws {
        try await Database.withPool({ $0.maximumConnections = 1 }) { pool in
            try await Database.withTable(pool, "n int") { table in
                let begun = Gate()
                let chunks = AsyncStream<[UInt8]> {
                    await begun.open()
                    return Task.isCancelled ? nil : Array("1\n".utf8)
                }
                let task = Task {
                    try await pool.transaction { transaction in
                        try await transaction.copyIn("copy \(identifier: table) from stdin", from: chunks)
                    }
                }
                await begun.pass()
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                let count = try await pool.queryOne("select count(*) from \(identifier: table)", as: Int.self)
                #expect(count == 0)
            }
        }
    }

    @Test func `A cancelled copy ends in the server, also while that is busy with a row`() async throws {
        let application = Database.name("copy")
        try await Database.withPool({
            $0.maximumConnections = 1; $0.applicationName = application
        }) { pool in
            try await Database.withTable(pool, "n int, slept text default pg_sleep(30)::text") { table in
                let before = try await pool.queryOne("select pg_backend_pid()", as: Int.self)
                let (chunks, continuation) = AsyncStream<[UInt8]>.makeStream()
                continuation.yield(Array("1\n2\n3\n".utf8))
                let task = Task {
                    try await pool.transaction { transaction in
                        try await transaction.copyIn("copy \(identifier: table) (n) from stdin", from: chunks)
                    }
                }
                try await Database.expectWaiting(1, application)
                await expectTime(.zero..<(.seconds(8))) {
                    task.cancel()
                    await #expect(throws: CancellationError.self) { try await task.value }
                }
                #expect(try await pool.queryOne("select pg_backend_pid()", as: Int.self) == before)
            }
        }
    }

    @Test func `A reader who takes their time holds up a copy, and no deadline passes`() async throws {
        let proxy = try Proxy()
        try await Database.withPool(
            {
                $0.maximumConnections = 1; $0.statementTimeout = .milliseconds(300)
            },
            at: proxy.url
        ) { pool in
            try await pool.transaction(.readOnly) { transaction in
                var count = 0
                for try await line in transaction.copyOut(
                    "copy (select repeat('x', 999) from generate_series(1, 20000)) to stdout"
                ) {
                    count += line.count
                    guard count == 1000 else { continue }
                    #expect(await proxy.receivedAtRest < 10_000_000, "That is far from all of it.")
                }
                #expect(count == 20_000_000)
            }
        }
    }

    @Test func `A copy that is left early lets a write go on and be committed`() async throws {
        try await Database.expectWrite(after: { transaction in
            for try await line in transaction.copyOut("copy (select generate_series(1, 20000)) to stdout") {
                #expect(line == Array("1\n".utf8))
                break
            }
        })
    }

    @Test func `A read that leaves a huge copy early is over at once, and its connection stays`() async throws
    {
        try await Database.withPool({ $0.maximumConnections = 1 }) { pool in
            let before = try await pool.queryOne("select pg_backend_pid()", as: Int.self)
            let first = try await pool.transaction(.readOnly) { transaction in
                for try await line in transaction.copyOut(
                    "copy (select generate_series(7, 1000000000)) to stdout"
                ) {
                    return line
                }
                return [UInt8]()
            }
            #expect(first == Array("7\n".utf8))
            #expect(try await pool.queryOne("select pg_backend_pid()", as: Int.self) == before)
        }
    }

    @Test func `Cancelling the task ends a copy from the server there too`() async throws {
        let application = Database.name("copy")
        try await Database.withPool({
            $0.maximumConnections = 1; $0.applicationName = application
        }) { pool in
            let task = Task {
                try await pool.transaction { transaction in
                    for try await _ in transaction.copyOut("copy (select 1, pg_sleep(30)) to stdout") {}
                }
            }
            try await Database.expectWaiting(1, application)
            await expectTime(.zero..<(.seconds(8))) {
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
            }
            try await Database.expectAnswer(pool)
        }
    }

    @Test
    func `A row of a copy above the limit is cut off while it arrives, and small ones pass in any number`()
        async throws
    {
        let proxy = try Proxy()
        try await Database.withPool({ $0.maximumResultBytes = 1 << 20 }, at: proxy.url) { pool in
            func copy(_ rows: SQL) async throws -> Int {
                try await pool.transaction(.readOnly) { transaction in
                    var bytes = 0
                    for try await row in transaction.copyOut("copy (\(rows)) to stdout") {
                        bytes += row.count
                    }
                    return bytes
                }
            }
            #expect(try await copy("select repeat('x', 999) from generate_series(1, 20000)") == 20_000_000)
            _ = try await failure(.resultTooLarge) { try await copy("select repeat('x', 1 << 20)") }
            let before = proxy.received
            let error = try await failure(.resultTooLarge) { try await copy("select repeat('x', 100000000)") }
            #expect(error.sql == "copy (select repeat('x', 100000000)) to stdout")
            #expect(proxy.received - before < 75_000_000)
            try await Database.expectAnswer(pool)
        }
    }

    @Test func `A statement that isn't a COPY, or the wrong one, is an error`() async throws {
        try await Database.withPool { pool in
            for sql in ["select 1", "copy pg_class from stdin"] as [SQL] {
                await #expect(throws: PGError.self) {
                    try await pool.transaction { transaction in
                        for try await _ in transaction.copyOut(sql) {}
                    }
                }
            }
            try await Database.expectAnswer(pool)
        }
    }
}
