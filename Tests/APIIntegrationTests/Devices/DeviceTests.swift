import Foundation
import HTTPTypes
import Tenancy
import Testing

@testable import API

/// A laptop and a phone of one person, each with a sign-in of its own, and the end
/// of one of them.
struct DeviceTests {
    @Test func `the list shows what syncs, who is signed in and which of them asks`() async throws {
        let clock = TestClock()
        try await TestServer(clock: clock).withTwoDevices(at: clock) { laptop, phone in
            let devices = try await phone.client.devices()
            #expect(devices.map { $0["id"] as? String } == ["phone", "laptop"])
            #expect(devices.map { $0["name"] as? String } == ["phone", "laptop"])
            #expect(devices.map { $0["current"] as? Bool } == [true, false])
            #expect(devices.map { $0["signedIn"] as? Bool } == [true, true])
            #expect(devices.first?["timeZone"] as? String == "UTC")
            #expect(devices.first?["lastSyncAt"] as? String == Practice.timestamp(clock.now))
            #expect(try await laptop.client.devices().map { $0["current"] as? Bool } == [false, true])
        }
    }

    @Test func `a sign-in that is over by itself shows as signed out`() async throws {
        let clock = TestClock()
        try await TestServer(clock: clock).withTwoDevices(at: clock) { _, phone in
            clock.advance(by: 80 * 86_400)
            let phone = try await phone.refreshed()
            clock.advance(by: 11 * 86_400)
            let devices = try await phone.refreshed().client.devices()
            #expect(devices.map { $0["signedIn"] as? Bool } == [true, false])
        }
    }

    @Test func `a revoked device is signed out at once, and the other goes on`() async throws {
        let clock = TestClock()
        try await TestServer(clock: clock).withTwoDevices(at: clock) { laptop, phone in
            #expect(try await laptop.client.send(.get, "/v1/me").status == 200)
            let answer = try await phone.client.send(.delete, "/v1/devices/laptop")
            #expect(answer.status == 204)
            #expect(try await laptop.client.send(.get, "/v1/me").status == 401)
            let refresh = try await laptop.refresh()
            #expect(refresh.status == 401)
            #expect(refresh.json["code"] as? String == "refresh_token_spent")

            #expect(try await phone.client.devices().map { $0["id"] as? String } == ["phone"])
            #expect(try await phone.client.send(.get, "/v1/me").json["totalDevices"] as? Int == 1)
            #expect(try await phone.refresh().status == 200)
        }
    }

    @Test func `the practice of a revoked device stays the person's`() async throws {
        let clock = TestClock()
        try await TestServer(clock: clock).withTwoDevices(at: clock) { _, phone in
            let before = try await phone.client.send(.get, "/v1/sync/state").json
            _ = try await phone.client.send(.delete, "/v1/devices/laptop")
            let after = try await phone.client.send(.get, "/v1/sync/state").json
            #expect(before["totalSessions"] as? Int == 60)
            #expect(after as NSDictionary == before as NSDictionary)
        }
    }

    @Test func `a device can revoke itself, which signs it out`() async throws {
        let clock = TestClock()
        try await TestServer(clock: clock).withTwoDevices(at: clock) { laptop, phone in
            let answer = try await laptop.client.send(.delete, "/v1/devices/laptop")
            #expect(answer.status == 204)
            #expect(try await laptop.client.send(.get, "/v1/devices").status == 401)
            #expect(try await phone.client.devices().count == 1)
        }
    }

    @Test func `a revoked device that signs in anew and syncs is back, by the name it was given`()
        async throws
    {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.withTwoDevices(at: clock) { laptop, phone in
            _ = try await phone.client.send(.patch, "/v1/devices/laptop", ["name": "Work"])
            _ = try await phone.client.send(.delete, "/v1/devices/laptop")
            #expect(try await phone.client.send(.delete, "/v1/devices/laptop").status == 404)
            #expect(
                try await phone.client.send(.patch, "/v1/devices/laptop", ["name": "Gone"]).status == 404
            )

            let again = try await server.signIn(laptop.uid, by: laptop.client)
            #expect(try await phone.client.devices().count == 1)
            clock.advance(by: 60)
            try await again.sync("laptop", until: clock.now)
            let devices = try await again.client.devices()
            #expect(devices.map { $0["name"] as? String } == ["Work", "phone"])
            #expect(devices.map { $0["current"] as? Bool } == [true, false])
            #expect(devices.map { $0["signedIn"] as? Bool } == [true, true])
        }
    }

    @Test func `a revoked device that syncs by a token is refused until a sign-in brings it back`()
        async throws
    {
        let clock = TestClock()
        try await TestServer(clock: clock).withTwoDevices(at: clock) { _, phone in
            let program = try await phone.client.program(["sync:read", "sync:write"], at: clock.now)
            func session(_ minutesAgo: Double) -> [String: Any] {
                Practice.session(startedAt: clock.now.addingTimeInterval(-minutesAgo * 60), cycles: 20)
            }
            var tablet = BatchDevice("tablet", of: program)
            let batch = tablet.body([session(300)])
            tablet.take(try await program.send(.post, "/v1/sync", batch))
            #expect(tablet.epoch == 1)
            #expect(try await phone.client.send(.delete, "/v1/devices/tablet").status == 204)

            clock.advance(by: 60)
            let before = try await phone.client.send(.get, "/v1/sync/state").json
            let late = session(200)
            for (method, path, body) in [
                (HTTPRequest.Method.post, "/v1/sync", tablet.body([late])), (.post, "/v1/sync", batch),
                (.put, "/v1/sync/export", Practice.export(device: "tablet", until: clock.now)),
            ] {
                let refused = try await program.send(method, path, body)
                #expect(refused.status == 403)
                #expect(refused.json["code"] as? String == "device_revoked")
                #expect(refused.json["field"] as? String == "device.id")
            }
            let after = try await phone.client.send(.get, "/v1/sync/state").json
            #expect(after as NSDictionary == before as NSDictionary)
            #expect(try await phone.client.devices().map { $0["id"] as? String } == ["phone", "laptop"])
            // Of another device its person said nothing.
            var watch = BatchDevice("watch", of: program)
            #expect(try await watch.sync().status == 200)

            let again = try await phone.client.send(.post, "/v1/sync", tablet.body([late]))
            #expect(again.outcomes == ["sessions 0 accepted"])
            tablet.take(again)
            #expect(try await tablet.sync().status == 200)
            #expect(try await phone.client.devices().count == 4)
        }
    }

    @Test func `a device that syncs in batches is this one as well, and so is one that clears`() async throws
    {
        let clock = TestClock()
        try await TestServer(clock: clock).withTwoDevices(at: clock) { _, phone in
            clock.advance(by: 60)
            var tablet = BatchDevice("tablet", of: phone.client)
            let answer = try await tablet.sync()
            #expect(answer.status == 200)
            let cleared = try await phone.client.send(
                .post,
                "/v1/sync/reset",
                ["device": ["id": "watch", "name": "watch", "timeZone": "UTC"], "epoch": 1]
            )
            #expect(cleared.status == 200)
            let devices = try await phone.client.devices()
            let current = devices.filter { $0["current"] as? Bool == true }.compactMap { $0["id"] as? String }
            #expect(current.sorted() == ["phone", "tablet", "watch"])
        }
    }

    @Test func `a sync that a revoking overtook does not bring the device back`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.withTwoDevices(at: clock) { laptop, phone in
            let token = try #require(laptop.client.token)
            let principal = try #require(await server.server.tokens.access(by: token)?.principal)
            let database = TenantDatabase(pool: server.server.pool)
            try await database.write(as: principal) { tx in
                #expect(try await tx.ownDevices(at: clock.now).count == 2)
                #expect(try await phone.client.send(.delete, "/v1/devices/laptop").status == 204)
                try tx.noteDevice("laptop")
            }
            #expect(try await phone.client.devices().map { $0["id"] as? String } == ["phone"])
        }
    }

    @Test func `a name that was given stays when the device syncs, and null takes it back`() async throws {
        let clock = TestClock()
        try await TestServer(clock: clock).withTwoDevices(at: clock) { laptop, phone in
            let renamed = try await phone.client.send(
                .patch,
                "/v1/devices/laptop",
                ["name": " Zoe\u{308}'s 💻 "]
            )
            #expect(renamed.status == 200)
            #expect(renamed.json["id"] as? String == "laptop")
            let name = try #require(renamed.json["name"] as? String)
            #expect(Array(name.unicodeScalars) == Array("Zo\u{EB}'s 💻".unicodeScalars))

            clock.advance(by: 60)
            try await laptop.sync("laptop", until: clock.now)
            #expect(try await phone.client.devices().first?["name"] as? String == name)

            let nameless = try await phone.client.send(.patch, "/v1/devices/laptop", ["name": NSNull()])
            #expect(nameless.json["name"] as? String == "laptop")
        }
    }

    @Test(arguments: [
        "", "  ", String(repeating: "a", count: 81), "two\nlines", "bell\u{7}", "next\u{2028}line",
    ])
    func `a name that is none is refused by field`(name: String) async throws {
        let clock = TestClock()
        try await TestServer(clock: clock).withTwoDevices(at: clock) { _, phone in
            let answer = try await phone.client.send(.patch, "/v1/devices/phone", ["name": name])
            #expect(answer.status == 422)
            #expect(answer.json["field"] as? String == "name")
            #expect(try await phone.client.devices().first?["name"] as? String == "phone")
        }
    }

    @Test(arguments: [["nmae": "Work"], ["name": 7]] as [[String: any Sendable]])
    func `a body that names nothing is refused by field`(body: [String: any Sendable]) async throws {
        let clock = TestClock()
        try await TestServer(clock: clock).withTwoDevices(at: clock) { _, phone in
            let answer = try await phone.client.send(.patch, "/v1/devices/phone", body)
            #expect(answer.status == 422)
            #expect(answer.json["field"] as? String == "name")
        }
    }

    @Test func `somebody else's device is not there`() async throws {
        let clock = TestClock()
        try await TestServer(clock: clock).withTwoDevices(at: clock) { laptop, phone in
            let (stranger, _) = try await laptop.nobody.newcomer()
            #expect(try await stranger.devices().isEmpty)
            let named = try await stranger.send(.patch, "/v1/devices/laptop", ["name": "Mine"])
            #expect(named.status == 404)
            #expect(try await stranger.send(.delete, "/v1/devices/laptop").status == 404)
            #expect(try await phone.client.devices().map { $0["name"] as? String } == ["phone", "laptop"])
            #expect(try await laptop.client.send(.get, "/v1/me").status == 200)
        }
    }

    @Test func `a device is found by whatever it calls itself`() async throws {
        let clock = TestClock()
        try await TestServer(clock: clock).run { nobody in
            let laptop = try await SignIn(nobody)
            for id in ["caf\u{E9} / 100%25", "a?b#c"] {
                try await laptop.sync(id, until: clock.now)
            }
            for path in ["cafe%CC%81%20%2F%20100%2525", "a%3Fb%23c"] {
                let answer = try await laptop.client.send(.patch, "/v1/devices/\(path)", ["name": "Found"])
                #expect(answer.json["name"] as? String == "Found", "\(path)")
            }
            for path in ["%00", "%FF", String(repeating: "a", count: 2000)] {
                #expect(try await laptop.client.send(.delete, "/v1/devices/\(path)").status == 404, "\(path)")
            }
        }
    }
}

/// One sign-in of a person: what a device of theirs holds.
private struct SignIn {
    let nobody: Client
    let client: Client
    let uid: String
    let refreshToken: String

    /// An account of its own.
    init(_ nobody: Client) async throws {
        try self.init(try await nobody.send(.post, "/v1/auth/anonymous"), nobody)
    }

    init(_ answer: Client.Answer, _ nobody: Client) throws {
        var client = nobody
        client.token = try #require(answer.json["accessToken"] as? String)
        self.nobody = nobody
        self.client = client
        uid = try #require(answer.json["uid"] as? String)
        refreshToken = try #require(answer.json["refreshToken"] as? String)
    }

    func refresh() async throws -> Client.Answer {
        try await nobody.send(.post, "/v1/auth/refresh", ["refreshToken": refreshToken])
    }

    func refreshed() async throws -> SignIn {
        try SignIn(try await refresh(), nobody)
    }

    func sync(_ device: String, until end: Date) async throws {
        let answer = try await client.send(
            .put,
            "/v1/sync/export",
            Practice.export(device: device, until: end)
        )
        #expect(answer.status == 200)
    }
}

extension TestServer {
    /// One person, whose laptop synced a minute before their phone.
    fileprivate func withTwoDevices(
        at clock: TestClock,
        _ body: @Sendable (_ laptop: SignIn, _ phone: SignIn) async throws -> Void
    ) async throws {
        try await run { nobody in
            let laptop = try await SignIn(nobody)
            try await laptop.sync("laptop", until: clock.now)
            clock.advance(by: 60)
            let phone = try await signIn(laptop.uid, by: nobody)
            try await phone.sync("phone", until: clock.now)
            try await body(laptop, phone)
        }
    }

    /// The same person again, as there is no other way in yet than a new account.
    fileprivate func signIn(_ uid: String, by client: Client) async throws -> SignIn {
        var nobody = client
        nobody.token = nil
        let token = RefreshToken(uid: try #require(UUID(uuidString: uid)))
        try await TenantDatabase(pool: server.pool).write(as: Principal(uid: token.uid)) { tx in
            try await tx.beginFamily(
                token,
                at: server.now(),
                expiresAt: server.now().addingTimeInterval(RefreshToken.lifetime),
                endsAt: server.now().addingTimeInterval(RefreshToken.longestSignIn)
            )
        }
        let answer = try await nobody.send(.post, "/v1/auth/refresh", ["refreshToken": token.text])
        return try SignIn(answer, nobody)
    }
}

extension Client {
    fileprivate func devices() async throws -> [[String: Any]] {
        try #require(try await send(.get, "/v1/devices").json["devices"] as? [[String: Any]])
    }
}
