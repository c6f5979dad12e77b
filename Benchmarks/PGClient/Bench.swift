import ArgumentParser
import Foundation
import PGClient
import Synchronization

@main struct Benchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        subcommands: [Bench.self, Soak.self],
        defaultSubcommand: Bench.self
    )
}

/// Runs one workload for a while and prints one line of JSON about it.
struct Bench: AsyncParsableCommand {
    @Argument(help: "point, tenant, rows or copy") var workload: Workload
    @Option(help: "How many run at the same time.") var tasks = 1
    @Option(help: "The pool's size.") var connections = 1
    @Option(help: "How long to measure, after half a second that isn't.") var seconds = 3.0
    @Option(help: "The database.") var url: String
    @Option(help: "Run that many operations instead of measuring time.") var operations: Int?
    @Flag(help: "Wait for every statement, as a client without a pipeline does.") var awaited = false
    @Flag(help: "Read rows one by one.") var stream = false
    @Flag(help: "Run the tasks on Swift's own threads, and not on PGClient's.") var swiftThreads = false

    func run() async throws {
        if swiftThreads { return try await measure() }
        try await withTaskExecutorPreference(PGTaskExecutor.shared()) { try await measure() }
    }

    private func measure() async throws {
        var configuration = PGConfiguration(url)
        configuration.maximumConnections = connections
        configuration.acquireTimeout = .seconds(30)
        configuration.maximumResultBytes = 64 << 20
        let pool = PGPool(configuration)
        if let operations {
            _ = try await measure(pool, until: .operations(operations / tasks))
            return
        }
        _ = try await measure(pool, until: .time(Self.now + 500_000_000))
        let (cpu, start) = (Self.cpuTime(), Self.now)
        var latencies = try await measure(pool, until: .time(start + UInt64(seconds * 1e9)))
        let elapsed = Double(Self.now - start) / 1e9
        report(&latencies, elapsed: elapsed, cpu: Self.cpuTime() - cpu)
        await pool.close()
    }

    private enum End: Sendable {
        case time(UInt64)
        case operations(Int)
    }

    /// Nanoseconds of a clock. Dividing a `Duration` would cost a thousand instructions for each operation.
    private static var now: UInt64 { DispatchTime.now().uptimeNanoseconds }

    /// The latencies of all operations, in nanoseconds.
    private func measure(_ pool: PGPool, until end: End) async throws -> [UInt64] {
        if awaited { return try await measureAwaited(pool, until: end) }
        // An option costs more to read than an allocation.
        let (workload, stream) = (workload, stream)
        return try await withThrowingTaskGroup(of: [UInt64].self) { group in
            for task in 0..<tasks {
                group.addTask {
                    var numbers = Numbers(seed: task)
                    return try await repeated(until: end) {
                        try await workload.run(on: pool, &numbers, streaming: stream)
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    /// Each connection stays with one task: more tasks would only wait for it.
    private func measureAwaited(_ pool: PGPool, until end: End) async throws -> [UInt64] {
        try await withThrowingTaskGroup(of: [UInt64].self) { group in
            for task in 0..<min(tasks, connections) {
                group.addTask {
                    try await pool.withConnection { connection in
                        var numbers = Numbers(seed: task)
                        return try await repeated(until: end) {
                            try await readTenantAwaited(connection, numbers.next())
                        }
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    private func repeated(until end: End, _ body: () async throws -> Void) async throws -> [UInt64] {
        var latencies: [UInt64] = []
        while true {
            let start = Self.now
            switch end {
            case .time(let end): if start >= end { return latencies }
            case .operations(let count): if latencies.count >= count { return latencies }
            }
            try await body()
            latencies.append(Self.now - start)
        }
    }

    private func report(_ latencies: inout [UInt64], elapsed: Double, cpu: Double) {
        latencies.sort()
        func percentile(_ part: Double) -> Double {
            Double(latencies[Int(Double(latencies.count - 1) * part)]) / 1000
        }
        let count = Double(latencies.count)
        let client =
            "PGClient" + (awaited ? " awaited" : "") + (stream ? " stream" : "")
            + (swiftThreads ? " swift-threads" : "")
        print(
            """
            {"client": "\(client)", "workload": "\(workload.rawValue)", "tasks": \(tasks), \
            "connections": \(connections), "ops_per_s": \(count / elapsed), "p50_us": \(percentile(0.5)), \
            "p99_us": \(percentile(0.99)), "cpu_us_per_op": \(cpu / count * 1e6), \
            "rows_per_op": \(workload.rowsPerOperation), "unit": "op"}
            """
        )
    }

    /// What this process has used of the processors, in seconds.
    private static func cpuTime() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
}

extension Workload: ExpressibleByArgument {}
