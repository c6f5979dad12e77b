import ArgumentParser
import Foundation
import PGClient
import Synchronization

/// Uses a pool for long in every way that there is, also those that go wrong, and fails if the process has more and
/// more open files or memory.
struct Soak: AsyncParsableCommand {
    @Option(help: "How long.") var minutes = 60.0
    @Option(help: "How many run at the same time.") var tasks = 32
    @Option(help: "The pool's size.") var connections = 8
    @Option(help: "The database.") var url: String

    func run() async throws {
        var configuration = PGConfiguration(url)
        configuration.maximumConnections = connections
        configuration.acquireTimeout = .seconds(30)
        let (pool, listener) = (PGPool(configuration), PGListener(configuration, channels: "soak"))
        let (tally, end) = (Tally(), ContinuousClock.now + .seconds(minutes * 60))
        let samples = try await withTaskExecutorPreference(PGTaskExecutor.shared()) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for await event in listener where event != .listening { tally.count("heard") }
                }
                for task in 0..<tasks {
                    group.addTask {
                        var numbers = Numbers(seed: task)
                        while ContinuousClock.now < end {
                            try await Deed.random(&numbers).run(pool, &numbers, tally)
                        }
                    }
                }
                let samples = try await watch(tally)
                group.cancelAll()
                return samples
            }
        }
        await pool.close()
        try judge(samples)
    }

    /// Says sixty times what has been done and what the process has.
    private func watch(_ tally: Tally) async throws -> [Sample] {
        var samples: [Sample] = []
        for _ in 0..<60 {
            try await Task.sleep(for: .seconds(minutes))
            let sample = Sample()
            samples.append(sample)
            print("\(sample.descriptors) descriptors, \(sample.bytes >> 20) MB; \(tally)")
        }
        return samples
    }

    /// The last quarter of the time is compared with the second.
    private func judge(_ samples: [Sample]) throws {
        let (before, after) = (Sample(most: samples[15..<30]), Sample(most: samples[45..<60]))
        let isFlat =
            after.descriptors <= before.descriptors + 2 && after.bytes <= before.bytes + before.bytes / 10
        print(
            "\(isFlat ? "flat" : "not flat"): at most \(before) in the second quarter, \(after) in the last"
        )
        if !isFlat { throw ExitCode.failure }
    }
}

/// What the process has at a moment, as Linux tells.
private struct Sample: CustomStringConvertible {
    let descriptors: Int
    let bytes: Int

    init() {
        descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
        let pages = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")[1]
        bytes = pages.flatMap { Int($0) }.map { $0 * Int(getpagesize()) } ?? 0
    }

    init(most samples: ArraySlice<Sample>) {
        descriptors = samples.map(\.descriptors).max() ?? 0
        bytes = samples.map(\.bytes).max() ?? 0
    }

    var description: String { "\(descriptors) descriptors and \(bytes >> 20) MB" }
}

/// What has been done how often.
private final class Tally: Sendable, CustomStringConvertible {
    private let counts = Mutex<[String: Int]>([:])

    func count(_ what: String) {
        counts.withLock { $0[what, default: 0] += 1 }
    }

    var description: String {
        counts.withLock {
            $0.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        }
    }
}

/// One use of a pool.
private enum Deed: String, CaseIterable {
    case read, tenant, query, stream, streamLeft, copy, copyLeft, notify, failure, cancel, kill

    /// Nine of ten are reads.
    static func random(_ numbers: inout Numbers) -> Deed {
        let number = Int(numbers.next())
        return number % 10 > 0 ? [.read, .tenant][number % 2] : allCases[number / 10 % allCases.count]
    }

    func run(_ pool: PGPool, _ numbers: inout Numbers, _ tally: Tally) async throws {
        do {
            try await run(pool, &numbers)
        } catch let error as PGError where isExpected(error) {
        } catch is CancellationError where self == .cancel {}
        tally.count(rawValue)
    }

    private func isExpected(_ error: PGError) -> Bool {
        switch self {
        case .failure: error.sqlState == SQLState(rawValue: "22012")
        case .kill: error.sqlState == .adminShutdown
        default: false
        }
    }

    private func run(_ pool: PGPool, _ numbers: inout Numbers) async throws {
        let id = numbers.next()
        let some: SQL = "select id, name from bench.point limit \(id % 5_000)"
        switch self {
        case .read: try await Workload.point.run(on: pool, &numbers, streaming: false)
        case .tenant: try await Workload.tenant.run(on: pool, &numbers, streaming: false)
        case .copy: try await Workload.copy.run(on: pool, &numbers, streaming: false)
        case .query: _ = try await pool.query(some, as: (Int64, String).self)
        case .stream, .streamLeft:
            try await pool.transaction(.readOnly) { transaction in
                for try await (id, _) in transaction.stream(some, as: (Int64, String).self) {
                    if self == .streamLeft, id == 300 { break }
                }
            }
        case .copyLeft:
            try await pool.transaction(.readOnly) { transaction in
                for try await _ in transaction.copyOut("copy bench.point to stdout") { break }
            }
        case .notify: try await pool.execute("select pg_notify('soak', \(String(id)))")
        case .failure: try await pool.transaction { try await $0.execute("select 1 / \(id - id)") }
        case .cancel:
            let task = Task { try await pool.execute("select pg_sleep(10)") }
            try await Task.sleep(for: .microseconds(id % 2_000))
            task.cancel()
            _ = try await task.value
        case .kill: try await pool.execute("select pg_terminate_backend(pg_backend_pid())")
        }
    }
}
