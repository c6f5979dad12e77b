import PGClient
import Testing

extension Database {
    /// Waits until the pool works again. Until then every error has to say that the database isn't there.
    static func expectRecovery(
        _ pool: PGPool,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await eventually("it works again", sourceLocation: sourceLocation) {
            do {
                try await expectAnswer(pool, sourceLocation: sourceLocation)
                return true
            } catch let error as PGError {
                #expect(error.isUnavailability, sourceLocation: sourceLocation)
                return false
            }
        }
    }

    /// Waits until so many statements of that application wait in the server, for a `pg_sleep` or for another
    /// event.
    static func expectWaiting(
        _ count: Int,
        _ application: String,
        for event: String = "PgSleep",
        at url: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await withPool(at: url) { observer in
            try await eventually("\(count) statements wait", sourceLocation: sourceLocation) {
                try await observer.transaction(.readOnly) {
                    try await $0.queryOne(
                        """
                        select count(*) from pg_stat_activity
                        where application_name = \(application) and wait_event = \(event)
                        """,
                        as: Int.self
                    )
                } == count
            }
        }
    }

    /// Runs the body while so many connections of the pool are inside a transaction. They come back when the
    /// body has ended, or has opened the gate that it receives.
    static func withTaken<R>(
        _ count: Int,
        of pool: PGPool,
        _ body: (_ free: Gate) async throws -> R
    ) async throws -> R {
        let (free, taken) = (Gate(), Journal())
        return try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<count {
                group.addTask {
                    try await pool.transaction { transaction in
                        try await transaction.execute("select 1")
                        taken.note(1)
                        await free.pass()
                    }
                }
            }
            let result: R
            do {
                try await eventually("\(count) connections are taken") { taken.entries.count == count }
                result = try await body(free)
            } catch {
                await free.open()
                throw error
            }
            await free.open()
            try await group.waitForAll()
            return result
        }
    }
}

/// Checks how long something takes.
func expectTime<R>(
    _ range: Range<Duration>,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> R
) async rethrows -> R {
    let start = ContinuousClock.now
    let result = try await body()
    #expect(range.contains(ContinuousClock.now - start), sourceLocation: sourceLocation)
    return result
}
