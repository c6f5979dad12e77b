import InMemoryTracing
import MetricsTestKit
import Testing
import Tracing

@testable import PGClient

@Suite(.timeLimit(.minutes(1))) struct `What a pool tells` {
    @Test func `A transaction is a span, and its statements are events with their text and without values`()
        async throws
    {
        let tracer = InMemoryTracer()
        try await Database.withPool({ $0.tracer = tracer }) { pool in
            try await pool.transaction { transaction in
                try await transaction.execute("select \("a secret")::text", file: "Some.swift", line: 7)
            }
            _ = try await failure(.server) { try await pool.execute("select 1 / \(0)") }
        }
        let spans = tracer.finishedSpans
        #expect(spans.map(\.operationName) == ["postgresql transaction", "postgresql statement"])
        let event = try #require(spans.first?.events.first)
        #expect(event.name == "Some.swift:7")
        #expect("\(event.attributes)".contains("select $1::text"))
        #expect(!"\(spans)".contains("secret"))
        let failed = try #require(spans.last)
        #expect(failed.status?.code == .error)
        #expect(failed.attributes.get("db.response.status_code")?.toSpanAttribute() == "22012")
        #expect(failed.errors.count == 1)
    }

    @Test func `On a lent connection each transaction is a span, and each statement by itself`() async throws
    {
        let tracer = InMemoryTracer()
        try await Database.withPool({ $0.tracer = tracer }) { pool in
            try await pool.withConnection { connection in
                try await connection.transaction { transaction in
                    try await transaction.execute("select \("a secret")::text", file: "Some.swift", line: 7)
                }
                try await connection.execute("select 2", file: "Some.swift", line: 8)
                _ = try await failure(.server) {
                    try await connection.transaction { transaction in
                        try await transaction.execute("select 1 / \(0)", file: "Some.swift", line: 9)
                    }
                }
            }
        }
        let spans = tracer.finishedSpans
        #expect(
            spans.map(\.operationName) == [
                "postgresql transaction", "postgresql statement", "postgresql transaction",
            ]
        )
        #expect(
            spans.map { $0.events.map(\.name) } == [["Some.swift:7"], ["Some.swift:8"], ["Some.swift:9"]]
        )
        #expect(!"\(spans)".contains("secret"))
        let failed = try #require(spans.last)
        #expect(failed.attributes.get("db.response.status_code")?.toSpanAttribute() == "22012")
    }

    @Test func `What scripts and copies send and receive is counted too`() async throws {
        let metrics = TestMetrics()
        try await Database.withPool({ $0.metricsFactory = metrics }) { pool in
            try await pool.transaction { transaction in
                try await transaction.script("/* \(String(repeating: "x", count: 100_000)) */ select 1")
                for try await _ in transaction.copyOut(
                    "copy (select repeat('x', 999) from generate_series(1, 1000)) to stdout"
                ) {}
            }
        }
        #expect(
            try metrics.expectCounter("pgclient_sent_bytes_total", [("pool", "main")]).totalValue > 100_000
        )
        let received = try metrics.expectCounter("pgclient_received_bytes_total", [("pool", "main")])
        #expect(received.totalValue >= 1_000_000)
    }

    @Test func `Waits, leases, round trips and bytes are counted for the pool that had them`() async throws {
        let metrics = TestMetrics()
        let pool = [("pool", "background")]
        try await Database.withPool({ configuration in
            configuration.maximumConnections = 1
            configuration.poolName = "background"
            configuration.metricsFactory = metrics
        }) { pool in
            try await pool.transaction(.readOnly) { try await $0.execute("select repeat('x', 1000)") }
            try await pool.transaction { try await $0.execute("select \("0123456789")::text") }
            try await pool.execute("select 1")
        }
        #expect(try metrics.expectTimer("pgclient_wait_seconds", pool).values.count == 3)
        let leases = try metrics.expectTimer("pgclient_lease_seconds", pool).values
        #expect(leases.count == 3)
        #expect(leases.allSatisfy { (0..<60_000_000_000).contains($0) })
        // The read's commit isn't waited for, the write's is.
        #expect(try metrics.expectCounter("pgclient_round_trips_total", pool).totalValue == 4)
        #expect(try metrics.expectCounter("pgclient_sent_bytes_total", pool).totalValue > 10)
        #expect(try metrics.expectCounter("pgclient_received_bytes_total", pool).totalValue > 1000)
        #expect(try metrics.expectMeter("pgclient_leased", pool).lastValue == 0)
        let connects = try metrics.expectCounter("pgclient_connects_total", pool + [("outcome", "success")])
        #expect(connects.totalValue == 1)
        let closed = try metrics.expectCounter("pgclient_discards_total", pool + [("reason", "closing")])
        #expect(closed.totalValue == 1)
    }

    @Test func `A connection that is closed has its reason counted, and a failed connect too`() async throws {
        let metrics = TestMetrics()
        let change: (inout PGConfiguration) -> Void = { configuration in
            configuration.maximumConnections = 1
            configuration.metricsFactory = metrics
        }
        try await Database.withPool(change) { pool in
            _ = try await failure(.connection) {
                try await pool.execute("select pg_terminate_backend(pg_backend_pid()), pg_sleep(30)")
            }
            try await Database.eventually("it is counted") { try discards(.lost, metrics) == 1 }
        }
        let proxy = try Proxy()
        proxy.stop()
        try await Database.withPool(change, at: proxy.url) { pool in
            _ = try await failure(.connection) { try await pool.execute("select 1") }
        }
        let failed = try metrics.expectCounter(
            "pgclient_connects_total",
            [("pool", "main"), ("outcome", "failure")]
        )
        #expect(failed.totalValue == 1)
    }

    @Test(arguments: [DiscardReason.expired, .idle])
    func `A connection that is old or that nobody needs is counted as that`(reason: DiscardReason)
        async throws
    {
        let metrics = TestMetrics()
        let change: (inout PGConfiguration) -> Void = { configuration in
            configuration.metricsFactory = metrics
            if reason == .expired { configuration.maximumLifetime = .milliseconds(1) }
            if reason == .idle { configuration.idleTimeout = .milliseconds(1) }
        }
        try await Database.withPool(change) { pool in
            try await Database.eventually("one is counted") {
                try await pool.execute("select 1")
                return try discards(reason, metrics) > 0
            }
        }
    }

    private func discards(_ reason: DiscardReason, _ metrics: TestMetrics) throws -> Int64 {
        let dimensions = [("pool", "main"), ("reason", reason.rawValue)]
        return try metrics.expectCounter("pgclient_discards_total", dimensions).totalValue
    }
}
