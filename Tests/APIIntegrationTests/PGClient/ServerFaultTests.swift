import Foundation
import Glibc
import Testing

@testable import PGClient

extension OneAtATime {
    @Suite(.timeLimit(.minutes(1))) struct `A server that dies, stops, recovers or is full` {
        /// A commit that these sessions are told of is safe from a crash, which the throwaway server doesn't
        /// care for.
        private let durable = "&options=-csynchronous_commit%3Don"

        @Test
        func `A backend that is killed takes all others with it, and everything is back within seconds`()
            async throws
        {
            try await OwnPostgres.with { postgres in
                let application = Database.name("killed")
                let url = try postgres.url() + durable
                let change: (inout PGConfiguration) -> Void = {
                    $0.maximumConnections = 8
                    $0.applicationName = application
                }
                try await Database.withPool(change, at: url) { pool in
                    try await Load.run(on: pool) { load in
                        for _ in 0..<3 {
                            await load.expectProgress()
                            async let bystander = failure(.connection) {
                                try await pool.transaction { transaction in
                                    // As the first statement it would be sent again, and could succeed.
                                    try await transaction.execute("select 1")
                                    try await transaction.execute("select pg_sleep(30)")
                                }
                            }
                            try await Database.expectWaiting(1, application, at: url)
                            let pid = try #require(load.now.pid)
                            #expect(kill(pid, SIGKILL) == 0)
                            #expect(try await bystander.sqlState == nil)
                        }
                        await load.expectProgress()
                        #expect(load.now.states.isSubset(of: [nil]), "a crash comes without a SQLSTATE")
                    }
                }
            }
        }

        @Test(arguments: OwnPostgres.Stop.allCases)
        func `A server that stops under load is missed by everybody, and found again when it starts`(
            _ how: OwnPostgres.Stop
        ) async throws {
            try await OwnPostgres.with { postgres in
                let application = Database.name("stop")
                let url = try postgres.url() + durable
                let change: (inout PGConfiguration) -> Void = {
                    $0.maximumConnections = 8
                    $0.applicationName = application
                }
                try await Database.withPool(change, at: url) { pool in
                    try await Load.run(on: pool) { load in
                        async let waiting = failure(.connection) {
                            try await pool.transaction { try await $0.execute("select pg_sleep(30)") }
                        }
                        try await Database.expectWaiting(1, application, at: url)
                        await load.expectProgress()
                        try await load.expectFailure { try postgres.stop(how) }
                        // Only a server that stops in order says why, and only to who waits for an answer.
                        #expect(try await waiting.sqlState == (how == .fast ? .adminShutdown : nil))
                        try await postgres.startAgain()
                        await load.expectProgress()
                    }
                }
            }
        }

        @Test func `A server that is still starting up is one that isn't there yet`() async throws {
            try await OwnPostgres.with { postgres in
                // Its recovery asks a command for what was archived, and that waits for this lock.
                let file = postgres.home.appending(path: "recovery.lock").path()
                let lock = open(file, O_CREAT | O_RDWR | O_CLOEXEC, 0o644)
                try #require(flock(lock, LOCK_EX) == 0)
                try await blocking { try postgres.stop() }
                try postgres.configure(["restore_command = 'flock --shared \"\(file)\" false'"])
                try postgres.append("", to: "recovery.signal")
                async let started: Void = postgres.startAgain()
                // For a moment at the end of its recovery it only lets itself be read.
                let url = try postgres.url() + "&target_session_attrs=read-write"
                try await Database.withPool(at: url) { pool in
                    defer { close(lock) }
                    try await Database.eventually("it is starting up") {
                        let error = try await failure(.connection) {
                            try await pool.transaction { try await $0.execute("select 1") }
                        }
                        #expect(error.sqlState == nil && error.isUnavailability)
                        return error.message.contains("the database system is starting up")
                    }
                    flock(lock, LOCK_UN)
                    try await Database.expectRecovery(pool)
                }
                try await started
            }
        }

        private let small = ["max_connections = 3", "superuser_reserved_connections = 0"]

        @Test func `A server without a free connection is one that isn't there, until somebody leaves`()
            async throws
        {
            try await OwnPostgres.with(small) { postgres in
                try await Database.withPool(at: postgres.url()) { pool in
                    try await Database.withPool({ $0.maximumConnections = 3 }, at: postgres.url()) { other in
                        try await Database.withTaken(3, of: other) { _ in
                            let error = try await failure(.connection) {
                                try await pool.transaction { try await $0.execute("select 1") }
                            }
                            #expect(error.sqlState == nil && error.message.contains("too many clients"))
                        }
                    }
                    try await Database.expectRecovery(pool)
                }
            }
        }

        @Test
        func `While the server is full everybody shares what there is, and gets more when there is room`()
            async throws
        {
            try await OwnPostgres.with(small) { postgres in
                let change: (inout PGConfiguration) -> Void = {
                    $0.maximumConnections = 3
                    $0.acquireTimeout = .seconds(10)
                }
                try await Database.withPool(change, at: postgres.url()) { pool in
                    let other = PGPool(try Database.configuration(at: postgres.url()))
                    try await Database.withTaken(2, of: other) { free in
                        try await withThrowingTaskGroup(of: Void.self) { group in
                            for _ in 0..<50 { group.addTask { try await Database.expectAnswer(pool) } }
                            try await group.waitForAll()
                        }
                        try await pool.transaction { transaction in
                            try await transaction.execute("select 1")
                            // The pool's only connection is taken, so the next has to come from the server,
                            // which has none just now.
                            async let next: Void = Database.expectAnswer(pool)
                            try await Database.eventually("it waits") { pool.waiting == 1 }
                            try await Database.withPool(at: postgres.url()) { third in
                                _ = try await failure(.connection) { try await Database.expectAnswer(third) }
                            }
                            await free.open()
                            await other.close()
                            try await next
                        }
                    }
                }
            }
        }
    }
}
