import PGClient
import Synchronization
import Testing

/// What tasks experience that write all the time, whatever happens to the database meanwhile.
final class Load: Sendable {
    struct Experience {
        /// The numbers whose transaction the pool said was committed.
        var acknowledged: [Int] = []
        /// A backend that was at work a moment ago.
        var pid: Int32?
        var failures = 0
        var kinds: Set<PGError.Kind> = []
        /// The codes of the lost connections; nil among them says that one came without.
        var states: Set<SQLState?> = []
        /// How long the slowest transaction took, whether it worked or not.
        var slowest = Duration.zero
        fileprivate var started = 0
        fileprivate var isOver = false
    }

    private struct Waiter: Sendable {
        let isOver: @Sendable (Experience) -> Bool
        let deadline: ContinuousClock.Instant
        let continuation: CheckedContinuation<Bool, Never>
    }

    private let experience = Mutex(Experience())
    private let waiter = Mutex<Waiter?>(nil)

    var now: Experience { experience.withLock { $0 } }

    /// Runs the body while the tasks write to a table of their own, which may be reached by another pool too.
    /// Afterwards it has every number that was acknowledged, no call has hung, and nobody was told anything
    /// but that the connection isn't there.
    static func run(
        on pool: PGPool,
        sourceLocation: SourceLocation = #_sourceLocation,
        _ body: (Load) async throws -> Void
    ) async throws {
        let load = Load()
        let table = Database.name("load")
        try await pool.transaction { try await $0.script("create table \(table) (n int)") }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { await load.write(to: table, pool, sourceLocation) } }
            defer { load.experience.withLock { $0.isOver = true } }
            try await body(load)
        }
        let end = load.now
        let written = try await pool.transaction(.readOnly) {
            try await $0.query("select n from \(identifier: table)", as: Int.self)
        }
        #expect(Set(end.acknowledged).subtracting(written).isEmpty, sourceLocation: sourceLocation)
        #expect(
            end.kinds.isSubset(of: [.connection, .commitFailed, .commitUnknown]),
            sourceLocation: sourceLocation
        )
        #expect(end.slowest < .seconds(10), sourceLocation: sourceLocation)
    }

    /// Waits until transactions are committed, which they have to be within ten seconds.
    func expectProgress(sourceLocation: SourceLocation = #_sourceLocation) async {
        let enough = now.acknowledged.count + 50
        await expect("transactions are committed", sourceLocation) { $0.acknowledged.count >= enough }
    }

    /// Does what makes transactions fail, and waits until one has.
    func expectFailure(
        sourceLocation: SourceLocation = #_sourceLocation,
        of fault: () throws -> Void
    ) async rethrows {
        let before = now.failures
        try fault()
        await expect("a transaction fails", sourceLocation) { $0.failures > before }
    }

    /// The tasks themselves look whether it is so, or too late: asking them all the time would take the
    /// processor from the server.
    private func expect(
        _ what: Comment,
        _ sourceLocation: SourceLocation,
        _ condition: @escaping @Sendable (Experience) -> Bool
    ) async {
        let isSo = await withCheckedContinuation { continuation in
            waiter.withLock {
                $0 = Waiter(isOver: condition, deadline: .now + .seconds(10), continuation: continuation)
            }
        }
        if !isSo { Issue.record(what, sourceLocation: sourceLocation) }
    }

    private func look() {
        let now = now
        waiter.withLock { waiter in
            guard let current = waiter else { return }
            let isSo = current.isOver(now)
            guard isSo || current.deadline < .now else { return }
            current.continuation.resume(returning: isSo)
            waiter = nil
        }
    }

    private func write(to table: String, _ pool: PGPool, _ sourceLocation: SourceLocation) async {
        while let number = next() {
            let start = ContinuousClock.now
            do {
                let pid = try await pool.transaction { transaction in
                    try await transaction.execute("insert into \(identifier: table) values (\(number))")
                    return try await transaction.queryOne("select pg_backend_pid()", as: Int32.self)
                }
                experience.withLock { experience in
                    experience.pid = pid
                    experience.acknowledged.append(number)
                }
            } catch let error as PGError {
                experience.withLock { experience in
                    experience.failures += 1
                    experience.kinds.insert(error.kind)
                    if error.kind == .connection { experience.states.insert(error.sqlState) }
                }
                // Nobody waits for anything here: this, too, is to leave the server a processor.
                try? await Task.sleep(for: .milliseconds(5))
            } catch {
                Issue.record("\(error)", sourceLocation: sourceLocation)
            }
            let time = ContinuousClock.now - start
            experience.withLock { $0.slowest = max($0.slowest, time) }
            look()
        }
    }

    private func next() -> Int? {
        experience.withLock { experience in
            experience.started += 1
            return experience.isOver ? nil : experience.started
        }
    }
}
