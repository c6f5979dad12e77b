import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

/// That a device hears of another's sync. Nothing waits for a time to pass: what
/// doesn't come at all is found by the limit.
@Suite(.timeLimit(.minutes(1)))
struct EventTests {
    private static let path = "/v1/sync/events"

    /// One more session by a device, which is one more version.
    private func practise(_ client: Client, on device: String, minutesAgo: Int) async throws {
        let end = Date()
        let session = Practice.session(
            startedAt: end.addingTimeInterval(Double(-60 * minutesAgo)),
            cycles: 40
        )
        let export = Practice.export(device: device, until: end, sessions: [session], totalXP: 45)
        #expect(try await client.send(.put, "/v1/sync/export", export).status == 200)
    }

    /// As if a sync had been committed and its doorbell were lost.
    private func syncSilently(_ server: TestServer, _ uid: String, by device: String) async throws {
        try await server.asSuperuser { tx in
            _ = try await tx.execute(
                """
                update app.game_state set sync_version = sync_version + 1, last_device_id = \(device)
                where uid = \(UUID(uuidString: uid) ?? UUID())
                """
            )
        }
    }

    /// The next event on the database's channel that this server rang for: others' tests ring too.
    private func next(on channel: inout PGListener.Iterator, of server: TestServer) async -> SyncEvent? {
        while let event = await channel.next() {
            guard case .notification(let notification) = event else { continue }
            let key = server.server.tokens.eventKey
            if let event = SyncEvent(sealed: notification.payload, with: key) { return event }
        }
        return nil
    }

    @Test func `another device's sync arrives, and one's own does not`() async throws {
        try await TestServer().serve { nobody, url in
            let (client, _) = try await nobody.practitioner("Ada", at: Date().addingTimeInterval(-7200))
            var laptop = try await EventReader("\(Self.path)?device=laptop", at: url, token: client.token)
            #expect(laptop.status == 200)
            #expect(laptop.headers["Content-Type"] == "text/event-stream; charset=utf-8")
            #expect(laptop.headers["Cache-Control"] == "no-store")
            #expect(laptop.headers["X-Accel-Buffering"] == "no")
            let greeting = try #require(await laptop.next()?.wholeMatch(of: /: connected\nretry: (\d+)/))
            #expect(Int(greeting.1).map { (3000...10_000).contains($0) } == true)
            var unnamed = try await EventReader(Self.path, at: url, token: client.token)

            try await practise(client, on: "laptop", minutesAgo: 90)
            #expect(await unnamed.nextEvent() == #"2 sync {"deviceId":"laptop","syncVersion":2}"#)
            try await practise(client, on: "desk: \"top\"", minutesAgo: 60)
            let expected = #"3 sync {"deviceId":"desk: \"top\"","syncVersion":3}"#
            #expect(await laptop.nextEvent() == expected)
            #expect(await unnamed.nextEvent() == expected)
        }
    }

    @Test func `a sync that changes nothing tells nobody`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            var channel = PGListener(PGConfiguration(server.database), channels: SyncDoorbell.channel)
                .makeAsyncIterator()
            while await channel.next() != .listening {}
            let end = Date().addingTimeInterval(-7200)
            let (client, _) = try await nobody.practitioner("Ada", at: end)
            #expect(await next(on: &channel, of: server)?.version == 1)
            let again = try await client.send(.put, "/v1/sync/export", Practice.export(until: end))
            #expect(again.status == 200)
            try await practise(client, on: "desktop", minutesAgo: 60)
            #expect(await next(on: &channel, of: server)?.version == 2)
        }
    }

    @Test func `a stranger's sync is seen by no one else`() async throws {
        try await TestServer().serve { nobody, url in
            let (client, _) = try await nobody.practitioner("Ada", at: Date().addingTimeInterval(-7200))
            let (stranger, _) = try await nobody.practitioner("Bo", at: Date().addingTimeInterval(-7200))
            var events = try await EventReader(Self.path, at: url, token: client.token)
            var theirs = try await EventReader(Self.path, at: url, token: stranger.token)
            for minutes in [90, 75, 60] { try await practise(stranger, on: "theirs", minutesAgo: minutes) }
            // It has been everywhere once it is here.
            while await theirs.nextEvent() != #"4 sync {"deviceId":"theirs","syncVersion":4}"# {}
            try await practise(client, on: "desktop", minutesAgo: 90)
            #expect(await events.nextEvent() == #"2 sync {"deviceId":"desktop","syncVersion":2}"#)
        }
    }

    @Test func `a client that comes back hears of what it missed, once`() async throws {
        try await TestServer().serve { nobody, url in
            let (client, _) = try await nobody.practitioner("Ada", at: Date().addingTimeInterval(-7200))
            for minutes in [90, 75] { try await practise(client, on: "desktop", minutesAgo: minutes) }
            let newest = #"3 sync {"deviceId":"desktop","syncVersion":3}"#
            var behind = try await EventReader(Self.path, at: url, token: client.token, lastEventID: "1")
            #expect(await behind.nextEvent() == newest)
            var abreast = try await EventReader(Self.path, at: url, token: client.token, lastEventID: "3")
            // Of an account that the client had before this one.
            var ahead = try await EventReader(Self.path, at: url, token: client.token, lastEventID: "999")
            var maker = try await EventReader(
                "\(Self.path)?device=desktop",
                at: url,
                token: client.token,
                lastEventID: "1"
            )
            try await practise(client, on: "laptop", minutesAgo: 60)
            let next = #"4 sync {"deviceId":"laptop","syncVersion":4}"#
            #expect(await behind.nextEvent() == next)
            #expect(await abreast.nextEvent() == next)
            #expect(await ahead.nextEvent() == next)
            #expect(await maker.nextEvent() == next)
        }
    }

    @Test(arguments: ["", "x", "-1", "+1", "1.5", "99999999999999999999"])
    func `a Last-Event-ID that is no whole number is refused by its name`(id: String) async throws {
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            let name = try #require(HTTPField.Name("Last-Event-ID"))
            let answer = try await client.send(.get, Self.path, headers: [name: id])
            #expect(answer.status == 422)
            #expect(answer.json["field"] as? String == "Last-Event-ID")
        }
    }

    @Test(arguments: ["", String(repeating: "a", count: 65)])
    func `a device that can't be one is refused by its name`(device: String) async throws {
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            let answer = try await client.send(.get, "\(Self.path)?device=\(device)")
            #expect(answer.status == 422)
            #expect(answer.json["field"] as? String == "device")
        }
    }

    @Test func `a silent line shows that it is alive`() async throws {
        var bounds = SyncEvents.Bounds()
        bounds.heartbeat = .milliseconds(1)
        try await TestServer(eventBounds: bounds).serve { nobody, url in
            let (client, _) = try await nobody.newcomer()
            var events = try await EventReader(Self.path, at: url, token: client.token)
            _ = await events.next()
            for _ in 0..<3 { #expect(await events.next() == ": ") }
        }
    }

    @Test func `a stream ends with its access token`() async throws {
        var bounds = SyncEvents.Bounds()
        bounds.heartbeat = .milliseconds(1)
        let clock = TestClock()
        try await TestServer(clock: clock, eventBounds: bounds).serve { nobody, url in
            let (client, _) = try await nobody.newcomer()
            var events = try await EventReader(Self.path, at: url, token: client.token)
            clock.advance(by: AccessTokens.lifetime)
            #expect(await events.nextEvent() == nil)
            #expect(try await EventReader(Self.path, at: url, token: client.token).status == 401)
        }
    }

    @Test func `a person's ninth stream ends the oldest, which is asked to stay away for a while`()
        async throws
    {
        try await TestServer().serve { nobody, url in
            let (client, _) = try await nobody.practitioner("Ada", at: Date().addingTimeInterval(-7200))
            var oldest = try await EventReader(Self.path, at: url, token: client.token)
            _ = await oldest.next()
            var others: [EventReader] = []
            for _ in 0..<8 {
                others.append(try await EventReader(Self.path, at: url, token: client.token))
            }
            var last: String?
            while let message = await oldest.next() { last = message }
            #expect(last == "retry: 60000")
            try await practise(client, on: "desktop", minutesAgo: 60)
            for index in others.indices {
                #expect(await others[index].nextEvent() == #"2 sync {"deviceId":"desktop","syncVersion":2}"#)
            }
        }
    }

    @Test func `a process that is full says so, until somebody hangs up`() async throws {
        var bounds = SyncEvents.Bounds()
        bounds.streams = 2
        try await TestServer(eventBounds: bounds).serve { nobody, url in
            var streams: [EventReader] = []
            for _ in 0..<2 {
                let (client, _) = try await nobody.newcomer()
                streams.append(try await EventReader(Self.path, at: url, token: client.token))
            }
            let (client, _) = try await nobody.newcomer()
            var refused = try await EventReader(Self.path, at: url, token: client.token)
            #expect(refused.status == 503)
            #expect(refused.headers["Retry-After"] == "60")
            #expect(try await refused.json()["code"] as? String == "too_many_streams")
            streams[0].close()
            try await eventually("the place is free") {
                try await EventReader(Self.path, at: url, token: client.token).status == 200
            }
        }
    }

    @Test func `an unread stream keeps the newest event alone`() async throws {
        let messages = try await messages { stream in
            for version in 1...1000 { stream.offer(event(version)) }
        }
        #expect(
            messages == ["id: 1000\nevent: sync\ndata: {\"deviceId\":\"phone\",\"syncVersion\":1000}\n\n"]
        )
    }

    @Test func `a sync during the opening is told if what was read is older, and once`() async throws {
        let late = try await messages { stream in
            stream.offer(event(2))
            stream.begin(knowing: 1)
            stream.offer(event(1))
        }
        #expect(late == [try event(2).message()])
        let known = try await messages { stream in
            stream.offer(event(2))
            stream.begin(knowing: 2)
            stream.offer(event(2))
        }
        // It was woken for nothing, which shows as a heartbeat.
        #expect(known == [": \n\n"])
    }

    private func event(_ version: Int) -> SyncEvent {
        SyncEvent(uid: UUID(), version: version, deviceID: "phone")
    }

    /// What a stream says that is read only after all of that.
    private func messages(_ body: (SyncEventStream) -> Void) async throws -> [String] {
        let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let stream = SyncEventStream(deviceID: nil, wake: wake)
        body(stream)
        stream.end()
        return try await wakes.reduce(into: []) { messages, _ in messages.append(try stream.message()) }
    }

    @Test func `what was missed while the listener's connection was lost is made good`() async throws {
        let server = try await TestServer()
        try await server.serve { nobody, url in
            let (client, uid) = try await nobody.practitioner("Ada", at: Date().addingTimeInterval(-7200))
            var events = try await EventReader(Self.path, at: url, token: client.token)
            try await practise(client, on: "desktop", minutesAgo: 60)
            #expect(await events.nextEvent() == #"2 sync {"deviceId":"desktop","syncVersion":2}"#)
            try await syncSilently(server, uid, by: "phone")
            // Those of other tests too, which will not notice.
            let ended = try await server.asSuperuser { tx in
                try await tx.queryOne(
                    """
                    select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity
                    where application_name = 'breathmaster events' and datname = current_database()
                    """,
                    as: Int.self
                )
            }
            #expect(ended >= 1)
            #expect(await events.nextEvent() == #"3 sync {"deviceId":"phone","syncVersion":3}"#)
            try await practise(client, on: "desktop", minutesAgo: 30)
            #expect(await events.nextEvent() == #"4 sync {"deviceId":"desktop","syncVersion":4}"#)
        }
    }

    @Test func `a doorbell that nobody heard is made good by looking`() async throws {
        var bounds = SyncEvents.Bounds()
        bounds.look = .milliseconds(1)
        let server = try await TestServer(eventBounds: bounds)
        try await server.serve { nobody, url in
            let (client, uid) = try await nobody.newcomer()
            var events = try await EventReader(Self.path, at: url, token: client.token)
            try await syncSilently(server, uid, by: "phone")
            #expect(await events.nextEvent() == #"1 sync {"deviceId":"phone","syncVersion":1}"#)
        }
    }

    @Test func `whoever listens on the channel in psql learns neither who synced nor where`() async throws {
        let server = try await TestServer()
        try await server.serve { nobody, url in
            let (client, uid) = try await nobody.practitioner("Ada", at: Date().addingTimeInterval(-7200))
            var events = try await EventReader(Self.path, at: url, token: client.token)
            var channel = PGListener(PGConfiguration(server.database), channels: SyncDoorbell.channel)
                .makeAsyncIterator()
            while await channel.next() != .listening {}
            // What somebody else says there is nobody's news.
            try await server.asSuperuser { tx in
                _ = try await tx.execute("select pg_notify(\(SyncDoorbell.channel), \("\(uid):9:forged"))")
            }
            try await practise(client, on: "desktop", minutesAgo: 60)
            #expect(await events.nextEvent() == #"2 sync {"deviceId":"desktop","syncVersion":2}"#)
            // Tests that run beside this one ring too.
            while case .notification(let notification)? = await channel.next() {
                if notification.payload.hasSuffix("forged") { continue }
                #expect(!notification.payload.contains(uid) && !notification.payload.contains("desktop"))
                if SyncEvent(sealed: notification.payload, with: server.server.tokens.eventKey) != nil {
                    break
                }
            }
        }
    }
}

/// With the real program, which is more than one process.
@Suite(.timeLimit(.minutes(1)))
struct EventProcessTests {
    @Test func `a sync by one process is heard at another, and SIGTERM waits for no stream`() async throws {
        let database = try await TestServer().database
        let home = FileManager.default.temporaryDirectory.appending(path: "breathmaster-\(UUID())")
        defer { try? FileManager.default.removeItem(at: home) }
        // The first makes the key that both sign with.
        let first = try await ServerProcess(database: database, port: try freePort(), home: home)
        let second = try await ServerProcess(database: database, port: try freePort(), home: home)
        let token = try #require(
            try await first.send("POST", "/v1/auth/anonymous").1["accessToken"] as? String
        )
        var events = try await EventReader("/v1/sync/events", at: first.baseURL, token: token)
        let export = Practice.export(until: Date())
        #expect(try await second.send("PUT", "/v1/sync/export", token: token, body: export).0 == 200)
        #expect(await events.nextEvent() == #"1 sync {"deviceId":"laptop","syncVersion":1}"#)

        let began = ContinuousClock.now
        #expect(first.stop() == 0)
        #expect(began.duration(to: .now) < .seconds(2))
        #expect(await events.nextEvent() == nil)
        #expect(second.stop() == 0)
    }
}
