import PGClient
import Synchronization
import Testing

/// On whose threads tasks run.
enum TaskThreads: CaseIterable {
    case swifts, clients

    var executor: (any TaskExecutor)? {
        get throws { self == .clients ? try PGTaskExecutor.shared() : nil }
    }

    func run<R: Sendable>(_ body: @Sendable () async throws -> R) async throws -> R {
        try await withTaskExecutorPreference(executor) { try await body() }
    }
}

extension OneAtATime {
    @Suite(.serialized, .timeLimit(.minutes(2))) struct `Tasks that prefer the client's threads` {
        @Test func `Two hundred on four connections all get what they asked for`() async throws {
            try await TaskThreads.clients.run {
                try await Database.withPool({ $0.maximumConnections = 4 }) { pool in
                    let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                        for number in 1...200 {
                            group.addTask {
                                try await pool.transaction(.readOnly) {
                                    try await $0.queryOne("select \(number)", as: Int.self)
                                }
                            }
                        }
                        return try await group.reduce(0, +)
                    }
                    #expect(sum == 200 * 201 / 2)
                }
            }
        }

        private final class Progress: Sendable {
            let isAnswered = Atomic(false)
            let computing = Atomic(0)

            /// Computes until the others have been answered. False if that took too long.
            func compute() -> Bool {
                computing.add(1, ordering: .relaxed)
                let end = ContinuousClock.now + .seconds(20)
                while !isAnswered.load(ordering: .relaxed), .now < end {}
                return isAnswered.load(ordering: .relaxed)
            }
        }

        /// Again and again, since the threads that are in reserve for that come back.
        @Test(arguments: 1...5)
        func `Tasks that compute on every thread hold up nobody else`(_ time: Int) async throws {
            let executor = try PGTaskExecutor.shared()
            let progress = Progress()
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<executor.loopCount {
                    group.addTask(executorPreference: executor) { progress.compute() }
                }
                try await withTaskExecutorPreference(executor) {
                    while progress.computing.load(ordering: .relaxed) < executor.loopCount {
                        await Task.yield()
                    }
                    let answer = try await Database.withPool {
                        try await $0.queryOne("select 7", as: Int.self)
                    }
                    #expect(answer == 7)
                }
                progress.isAnswered.store(true, ordering: .relaxed)
                for try await wasAnswered in group { #expect(wasAnswered) }
            }
        }

        /// Again and again, since it may be any of the threads.
        @Test(arguments: 1...6)
        func `A task that computes on one thread holds up nobody, while the others have something to do`(
            _ time: Int
        ) async throws {
            let executor = try PGTaskExecutor.shared()
            let progress = Progress()
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 1..<executor.loopCount * 4 {
                    group.addTask(executorPreference: executor) {
                        while !progress.isAnswered.load(ordering: .relaxed) { await Task.yield() }
                        return true
                    }
                }
                group.addTask(executorPreference: executor) { progress.compute() }
                try await withTaskExecutorPreference(executor) {
                    while progress.computing.load(ordering: .relaxed) < 1 { await Task.yield() }
                    // Twice as many connections as loops, so that the one that is held up has some.
                    let answers = try await Database.withPool({
                        $0.maximumConnections = 2 * executor.loopCount
                    }) {
                        pool in
                        try await withThrowingTaskGroup(of: Int.self) { group in
                            for _ in 0..<2 * executor.loopCount {
                                group.addTask {
                                    try await pool.queryOne("select 1 from pg_sleep(0.2)", as: Int.self)
                                }
                            }
                            return try await group.reduce(0, +)
                        }
                    }
                    #expect(answers == 2 * executor.loopCount)
                }
                progress.isAnswered.store(true, ordering: .relaxed)
                for try await wasAnswered in group { #expect(wasAnswered) }
            }
        }
    }
}
