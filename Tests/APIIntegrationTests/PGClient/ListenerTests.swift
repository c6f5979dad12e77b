import MetricsTestKit
import Testing

@testable import PGClient

@Suite(.timeLimit(.minutes(1))) struct `Listening` {
    private func notify(_ pool: PGPool, _ channel: String, _ payload: String) async throws {
        try await pool.execute("select pg_notify(\(channel), \(payload))")
    }

    @Test func `What is sent after it says that it listens is heard, in order`() async throws {
        try await Database.withPool { pool in
            let channel = Database.name("Channel with \"quotes\"")
            var events = PGListener(try Database.configuration(), channels: channel).makeAsyncIterator()
            #expect(await events.next() == .listening)
            for number in 0..<100 { try await notify(pool, channel, "\(number)") }
            for number in 0..<100 {
                guard case .notification(let notification)? = await events.next() else {
                    Issue.record("no notification")
                    return
                }
                #expect(notification.channel == channel)
                #expect(notification.payload == "\(number)")
                #expect(notification.processID > 0)
            }
        }
    }

    @Test func `After its connection was lost it listens again, and says so`() async throws {
        try await Database.withPool { pool in
            let channel = Database.name()
            var configuration = try Database.configuration()
            configuration.applicationName = channel
            var events = PGListener(configuration, channels: channel).makeAsyncIterator()
            for round in 0..<3 {
                #expect(await events.next() == .listening)
                try await notify(pool, channel, "\(round)")
                guard case .notification(let notification)? = await events.next() else {
                    Issue.record("no notification")
                    return
                }
                #expect(notification.payload == "\(round)")
                let ended = try await pool.queryOne(
                    """
                    select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity
                    where application_name = \(channel)
                    """,
                    as: Int.self
                )
                #expect(ended == 1)
            }
        }
    }

    @Test func `While the database is away it waits, and then listens`() async throws {
        let proxy = try Proxy()
        proxy.stop()
        let listener = PGListener(try Database.configuration(at: proxy.url), channels: Database.name())
        var events = listener.makeAsyncIterator()
        let started = Task { proxy.start() }
        #expect(await events.next() == .listening)
        await started.value
    }

    @Test func `What comes of its attempts is counted`() async throws {
        let (metrics, proxy) = (TestMetrics(), try Proxy())
        proxy.stop()
        func attempts(_ outcome: ListenerMetrics.Outcome) -> Int64 {
            let dimensions = [("pool", "main"), ("outcome", outcome.rawValue)]
            return (try? metrics.expectCounter("pgclient_listens_total", dimensions).totalValue) ?? 0
        }
        var configuration = try Database.configuration(at: proxy.url)
        configuration.metricsFactory = metrics
        var events = PGListener(configuration, channels: Database.name()).makeAsyncIterator()
        try await Database.eventually("it goes on trying") { attempts(.unconnected) > 1 }
        #expect(attempts(.success) == 0)
        proxy.start()
        #expect(await events.next() == .listening)
        #expect(attempts(.success) == 1)
    }

    @Test func `A name that no channel can have is a mistake of the program`() async {
        await #expect(processExitsWith: .failure) {
            _ = PGListener(PGConfiguration(""), channels: "a\0b")
        }
        await #expect(processExitsWith: .failure) {
            _ = PGListener(PGConfiguration(""), channels: "a", "")
        }
    }

    @Test func `A loop that ends closes its connection`() async throws {
        try await Database.withPool { pool in
            let channel = Database.name()
            var configuration = try Database.configuration()
            configuration.applicationName = channel
            func connections() async throws -> Int {
                try await pool.queryOne(
                    "select count(*) from pg_stat_activity where application_name = \(channel)",
                    as: Int.self
                )
            }
            for await event in PGListener(configuration, channels: channel) where event == .listening {
                #expect(try await connections() == 1)
                break
            }
            try await Database.eventually("it is closed") { try await connections() == 0 }
        }
    }

    @Test func `Cancelling the task ends the loop`() async throws {
        let listener = PGListener(try Database.configuration(), channels: Database.name())
        let begun = Gate()
        let task = Task {
            for await _ in listener { await begun.open() }
        }
        await begun.pass()
        task.cancel()
        await task.value
    }

    @Test func `Too many that nobody reads are dropped, and that is said`() async throws {
        let queue = EventQueue()
        queue.push(.listening)
        let notification = PGListenerEvent.notification(
            PGNotification(channel: "c", payload: "p", processID: 1)
        )
        for _ in 0..<1500 { queue.push(notification) }
        #expect(await queue.next() == .listening)
        var count = 0
        queue.push(.listening)
        while await queue.next() != .listening { count += 1 }
        #expect(count == 0)
    }
}

@Suite(.timeLimit(.minutes(1))) struct `Running again` {
    @Test func `A deadlock is run again if the caller says so, and both transactions succeed`() async throws {
        try await Database.withPool { pool in
            let keys = (Int.random(in: 0..<1 << 40), Int.random(in: 0..<1 << 40))
            let (first, second) = (Gate(), Gate())
            let attempts = Journal()
            func lock(_ one: Int, _ other: Int, _ mine: Gate, _ theirs: Gate) async throws {
                try await pool.transaction(retry: PGRetry(attempts: 3)) { transaction in
                    attempts.note(1)
                    try await transaction.execute("select pg_advisory_xact_lock(\(one))")
                    await mine.open()
                    await theirs.pass()
                    try await transaction.execute("select pg_advisory_xact_lock(\(other))")
                }
            }
            async let left: Void = lock(keys.0, keys.1, first, second)
            async let right: Void = lock(keys.1, keys.0, second, first)
            _ = try await (left, right)
            #expect(attempts.entries.count > 2)
        }
    }

    @Test func `Nothing is run again that nobody has asked for, nor more often than asked`() async throws {
        try await Database.withPool { pool in
            for (retry, expected) in [(PGRetry.never, 1), (PGRetry(attempts: 3, pause: .milliseconds(1)), 3)]
            {
                let attempts = Journal()
                let error = try await failure(.server) {
                    try await pool.transaction(retry: retry) { transaction in
                        attempts.note(1)
                        try await transaction.script("do $$ begin raise sqlstate '40001'; end $$")
                    }
                }
                #expect(error.sqlState == .serializationFailure)
                #expect(attempts.entries.count == expected)
            }
        }
    }

    @Test func `A COMMIT that is refused because of others is run again as well`() async throws {
        try await Database.withPool({ $0.maximumConnections = 1 }) { pool in
            try await pool.transaction { transaction in
                try await transaction.script(
                    """
                    create temp table kept (n int);
                    create temp sequence commits;
                    create function pg_temp.refuse_first() returns trigger language plpgsql as $$
                    begin
                        if nextval('pg_temp.commits') = 1 then raise sqlstate '40001'; end if;
                        return null;
                    end $$;
                    create constraint trigger at_commit after insert on kept deferrable initially deferred
                    for each row execute function pg_temp.refuse_first()
                    """
                )
            }
            let attempts = Journal()
            try await pool.transaction(retry: PGRetry(attempts: 3, pause: .milliseconds(1))) { transaction in
                attempts.note(1)
                try await transaction.execute("insert into pg_temp.kept values (1)")
            }
            #expect(attempts.entries.count == 2)
            #expect(try await pool.queryOne("select count(*) from pg_temp.kept", as: Int.self) == 1)
        }
    }

    @Test func `Any other error isn't a reason to run again`() async throws {
        try await Database.withPool { pool in
            let attempts = Journal()
            _ = try await failure(.server) {
                try await pool.transaction(retry: PGRetry(attempts: 3)) { transaction in
                    attempts.note(1)
                    try await transaction.execute("select 1 / 0")
                }
            }
            #expect(attempts.entries.count == 1)
        }
    }
}
