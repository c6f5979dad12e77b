import Foundation
import HTTPTypes
import PGClient
import Testing

struct ProfileTests {
    @Test func `nothing is shared until it is chosen`() async throws {
        try await TestServer().run { nobody in
            let (client, uid) = try await nobody.newcomer()
            let profile = try await client.send(.get, "/v1/me").json
            #expect(profile["uid"] as? String == uid)
            #expect(profile["displayName"] == nil)
            var privacy = try #require(profile["privacy"] as? [String: Any])
            #expect(privacy.removeValue(forKey: "dataRetention") as? Int == 365)
            #expect(
                privacy as? [String: Bool]
                    == [
                        "shareProgress": false, "shareStreaks": false, "allowFriendRequests": false,
                        "hideFromGlobalLeaderboard": false, "friendsOnlyVisible": false,
                        "showDetailedStats": false,
                    ]
            )
            let boards = try #require(profile["leaderboards"] as? [String: [String: Any]])
            #expect(
                boards.mapValues { $0.compactMapValues { $0 as? Bool } } == [
                    "global": ["enabled": false, "anonymizedDisplay": false, "hidden": false],
                    "friends": [
                        "enabled": false, "autoAcceptFriends": false, "shareDetailedProgress": false,
                        "hidden": false,
                    ],
                    "company": ["enabled": false, "showRealNames": false, "hidden": false],
                ]
            )
            #expect(boards["global"]?["statsSharing"] as? String == "minimal")
        }
    }

    @Test func `a change names what it changes and leaves the rest`() async throws {
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            _ = try await client.send(
                .patch,
                "/v1/me",
                ["displayName": "Ada", "privacy": ["shareStreaks": true]]
            )
            let profile = try await client.send(.patch, "/v1/me", ["privacy": ["shareProgress": true]]).json
            #expect(profile["displayName"] as? String == "Ada")
            let privacy = try #require(profile["privacy"] as? [String: Any])
            #expect(privacy["shareStreaks"] as? Bool == true)
            #expect(privacy["shareProgress"] as? Bool == true)

            let nameless = try await client.send(.patch, "/v1/me", ["displayName": NSNull()]).json
            #expect(nameless["displayName"] == nil)
        }
    }

    @Test(arguments: [
        "", "   ", String(repeating: "a", count: 41), "Ada\u{202E}", "Ada\u{7}", "Ada\nLovelace",
    ])
    func `a name that hides or reorders itself is refused by field`(name: String) async throws {
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            let answer = try await client.send(.patch, "/v1/me", ["displayName": name])
            #expect(answer.status == 422)
            #expect(answer.json["field"] as? String == "displayName")
        }
    }

    @Test func `a name may be of joined emoji, and is kept as it is`() async throws {
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            let name = String(repeating: "\u{1F469}\u{200D}\u{1F4BB}", count: 40)
            let answer = try await client.send(
                .patch,
                "/v1/me",
                ["displayName": name, "realName": name + name]
            )
            #expect(answer.status == 200)
            #expect(answer.json["displayName"] as? String == name)
            #expect(answer.json["realName"] as? String == name + name)
        }
    }

    @Test func `nobody is named by their address, and two may have one name`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let (owner, ownerID) = try await nobody.newcomer()
            let acme = try await server.company("Acme", owner: ownerID)
            let body = ["address": "ada.lovelace@\(acme.domain)", "password": "a quiet lake at dawn"]
            let registered = try await nobody.send(.post, "/v1/auth/register", body)
            let uid = try #require(registered.json["uid"] as? String)
            var ada = nobody
            ada.token = registered.json["accessToken"] as? String
            try await server.recordEmail(of: uid, "ada.lovelace@\(acme.domain)")
            #expect(try await ada.join(acme.id).status == 200)
            #expect(try await ada.send(.get, "/v1/me").json["displayName"] == nil)
            func names() async throws -> [String?] {
                let answer = try await owner.send(.get, "/v1/organizations/\(acme.id)/members")
                return try #require(answer.json["members"] as? [[String: Any]]).map {
                    $0["displayName"] as? String
                }
            }
            #expect(try await names() == [nil, nil])
            for client in [owner, ada] { try await client.change(["displayName": "Ada"]) }
            #expect(try await names() == ["Ada", "Ada"])
        }
    }

    @Test(arguments: [
        (#"{"tier": "lifetime"}"#, "tier"), (#"{"features": {"earlyAccess": true}}"#, "features"),
        (#"{"uid": "de300000-0000-4000-8000-000000000001"}"#, "uid"),
        (#"{"displayName": "Ada", "totalXP": 9000}"#, "totalXP"),
        (#"{"privacy": {"shareProgress": true, "isAdmin": true}}"#, "privacy.isAdmin"),
        (#"{"leaderboards": {"global": {"enabled": true, "weeklyXP": 9}}}"#, "leaderboards.global.weeklyXP"),
    ])
    func `what is not a person's to say is refused by field, with all beside it`(
        body: String,
        field: String
    ) async throws {
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            let before = try await client.send(.get, "/v1/me").json
            let answer = try await client.send(.patch, "/v1/me", text: Array(body.utf8))
            #expect(answer.status == 422)
            #expect(answer.json["field"] as? String == field)
            #expect(try await client.send(.get, "/v1/me").json as NSDictionary == before as NSDictionary)
        }
    }

    @Test func `a name is kept in normal form C`() async throws {
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            let answer = try await client.send(.patch, "/v1/me", ["displayName": "Zoe\u{308}"])
            let name = try #require(answer.json["displayName"] as? String)
            #expect(Array(name.unicodeScalars) == Array("Zo\u{EB}".unicodeScalars))
        }
    }

    @Test func `what somebody has is in the profile, and grows with sync`() async throws {
        let clock = TestClock()
        try await TestServer(clock: clock).run { nobody in
            func features(of client: Client) async throws -> [String: Bool] {
                let profile = try await client.send(.get, "/v1/me").json
                #expect(profile["tier"] as? String == "free")
                return try #require(profile["features"] as? [String: Bool])
            }
            let (newcomer, _) = try await nobody.newcomer()
            #expect(try await features(of: newcomer).values.allSatisfy { !$0 })
            let (person, _) = try await nobody.practitioner("Person", at: clock.now)
            #expect(
                try await features(of: person)
                    == [
                        "crossDeviceSync": true, "customChallenges": true, "advancedAnalytics": false,
                        "prioritySupport": false, "earlyAccess": false,
                    ]
            )
        }
    }

    @Test func `a picture is an address that boards show, until it is taken away`() async throws {
        let clock = TestClock()
        try await TestServer(clock: clock).run { nobody in
            let (ada, uid) = try await nobody.practitioner("Ada", at: clock.now, on: ["friends"])
            let url = "https://pictures.example/ada.png?size=80"
            let profile = try await ada.send(.patch, "/v1/me", ["avatarUrl": url])
            #expect(profile.json["avatarUrl"] as? String == url)
            func shown() async throws -> String? {
                let board = try await ada.send(.get, "/v1/leaderboards/friends").json
                let entries = try #require(board["entries"] as? [[String: Any]])
                return entries.first { $0["uid"] as? String == uid }?["avatarUrl"] as? String
            }
            #expect(try await shown() == url)
            let without = try await ada.send(.patch, "/v1/me", ["avatarUrl": NSNull()])
            #expect(without.status == 200)
            #expect(without.json["avatarUrl"] == nil)
            #expect(try await shown() == nil)
        }
    }

    @Test(arguments: [
        "http://pictures.example/a", "https://", "https://ada:secret@pictures.example/a", "ada.png",
        "https://pictures.example/" + String(repeating: "a", count: 2048),
    ])
    func `what is no address of a picture is refused by field, and by the database`(url: String) async throws
    {
        let server = try await TestServer()
        try await server.run { nobody in
            let (ada, uid) = try await nobody.newcomer()
            let answer = try await ada.send(.patch, "/v1/me", ["avatarUrl": url])
            #expect(answer.status == 422)
            #expect(answer.json["field"] as? String == "avatarUrl")
            let error = await #expect(throws: PGError.self) {
                try await server.asSuperuser { tx in
                    try await tx.execute(
                        "update app.user set avatar_url = \(url) where uid = \(UUID(uuidString: uid))"
                    )
                }
            }
            #expect(error?.constraint == "user_avatar_url_invalid")
        }
    }

    @Test func `detail is kept for a year until somebody says otherwise`() async throws {
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            func change(_ days: Any) async throws -> Int? {
                let change = ["privacy": ["dataRetention": days]]
                let profile = try await client.send(.patch, "/v1/me", change).json
                return (profile["privacy"] as? [String: Any])?["dataRetention"] as? Int
            }
            for days in [30, 3650, 400] { #expect(try await change(days) == days) }
            #expect(try await change(NSNull()) == 365)
            let record = try await client.send(.get, "/v1/me/audit-events").json
            let events = try #require(record["events"] as? [[String: Any]])
            #expect(events.contains { $0["detail"] as? String == "dataRetention 400" })
            for days in [29, 3651, 30.5, "30", -1, 1e300] as [Any] {
                let answer = try await client.send(.patch, "/v1/me", ["privacy": ["dataRetention": days]])
                #expect(answer.status == 422)
                #expect(answer.json["field"] as? String == "privacy.dataRetention")
            }
        }
    }

    @Test func `syncs are in real time and days from midnight until it is said otherwise`() async throws {
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            func wishes() async throws -> String {
                let profile = try await client.send(.get, "/v1/me").json
                return "\(profile["preferredSyncFrequency"] ?? "") \(profile["dayStartsAt"] ?? "")"
            }
            #expect(try await wishes() == "realtime 0")
            for frequency in ["hourly", "daily"] {
                _ = try await client.send(.patch, "/v1/me", ["preferredSyncFrequency": frequency])
                #expect(try await wishes() == "\(frequency) 0")
            }
            _ = try await client.send(.patch, "/v1/me", ["dayStartsAt": 6])
            #expect(try await wishes() == "daily 6")
            _ = try await client.send(.patch, "/v1/me", ["displayName": "Ada"])
            #expect(try await wishes() == "daily 6")
            _ = try await client.send(
                .patch,
                "/v1/me",
                ["preferredSyncFrequency": NSNull(), "dayStartsAt": NSNull()]
            )
            #expect(try await wishes() == "realtime 0")
        }
    }

    @Test(arguments: [
        #"{"preferredSyncFrequency": "weekly"}"#, #"{"preferredSyncFrequency": 1}"#, #"{"dayStartsAt": 7}"#,
        #"{"dayStartsAt": -1}"#, #"{"dayStartsAt": 2.5}"#, #"{"dayStartsAt": "3"}"#,
        #"{"dayStartsAt": 1e300}"#,
    ])
    func `a wish that can't be is refused by field`(body: String) async throws {
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            let answer = try await client.send(.patch, "/v1/me", text: Array(body.utf8))
            #expect(answer.status == 422)
            let field = try #require(answer.json["field"] as? String)
            #expect(body.contains("\"\(field)\""))
        }
    }

    @Test func `what ends before a night owl's day begins belongs to the day before`() async throws {
        // 2026-11-25, 02:46 UTC.
        let clock = TestClock(Date(timeIntervalSince1970: 1_795_574_800))
        try await TestServer(clock: clock).run { nobody in
            let (owl, _) = try await nobody.practitioner("Owl", at: clock.now.addingTimeInterval(-18 * 3600))
            _ = try await owl.send(.patch, "/v1/me", ["dayStartsAt": 4])
            var laptop = BatchDevice("laptop", of: owl)
            let session = Practice.session(startedAt: clock.now.addingTimeInterval(-900), cycles: 10)
            #expect(try await laptop.sync([session]).outcomes == ["sessions 0 accepted"])
            let answer = try await owl.send(.get, "/v1/sync/sessions?from=2026-11-24")
            let days = try #require(answer.json["sessions"] as? [[String: Any]]).map {
                $0["localDay"] as? String
            }
            #expect(days == Array(repeating: "2026-11-24", count: 4))
        }
    }
}
