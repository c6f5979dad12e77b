import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import PGClient
import Testing

@testable import API

/// What every body must be, whichever route it goes to.
struct LimitsTests {
    @Test func `a body over two mebibytes is too large`() async throws {
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            let body = "{\"displayName\": \"" + String(repeating: "a", count: 2 * 1024 * 1024) + "\"}"
            let answer = try await client.send(.patch, "/v1/me", text: Array(body.utf8))
            #expect(answer.status == 413)
            #expect(answer.json["code"] as? String == "body_too_large")
        }
    }

    @Test(arguments: [(32, "invalid_field"), (33, "body_too_deep")])
    func `nesting ends at 32 levels`(depth: Int, code: String) async throws {
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            let nested = String(repeating: "[", count: depth - 1) + String(repeating: "]", count: depth - 1)
            let answer = try await client.send(.patch, "/v1/me", text: Array("{\"other\": \(nested)}".utf8))
            #expect(answer.json["code"] as? String == code)
        }
    }

    @Test(arguments: [
        Array(#"{"displayName": "a\u0000b"}"#.utf8),
        Array("{\"displayName\": \"a\0b\"}".utf8),
        Array("{\"displayName\": \"".utf8) + [0xC3, 0x28] + Array("\"}".utf8),
        Array("{\"displayName\": \"".utf8) + [0xED, 0xA0, 0x80] + Array("\"}".utf8),
    ])
    func `a NUL and invalid UTF-8 are refused before the database sees them`(bytes: [UInt8]) async throws {
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            let answer = try await client.send(.patch, "/v1/me", text: bytes)
            #expect(answer.status == 422)
            #expect(answer.json["code"] as? String == "invalid_text")
        }
    }

    @Test func `an escaped backslash before u0000 is only text`() async throws {
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            let answer = try await client.send(
                .patch,
                "/v1/me",
                text: Array(#"{"displayName": "a\\u0000b"}"#.utf8)
            )
            #expect(answer.json["displayName"] as? String == #"a\u0000b"#)
        }
    }

    @Test(arguments: ["{", "{} x", "[1]", "\"text\""])
    func `what is not the JSON that was asked for is a bad request`(body: String) async throws {
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            let answer = try await client.send(.patch, "/v1/me", text: Array(body.utf8))
            #expect(answer.status == 400)
            #expect(answer.json["code"] as? String == "invalid_json")
        }
    }

    @Test(arguments: [
        (#"{"displayName": "Ada", "displayName": "Eve"}"#, "displayName"),
        (#"{"displayName": "Ada", "display\u004eame": "Eve"}"#, "displayName"),
        (
            #"{"displayName": "Ada", "privacy": {"shareStreaks": true, "other": [{}], "shareStreaks": false}}"#,
            "privacy.shareStreaks"
        ),
        (#"{"other": [{"a": "\"", "b": {"c": 1}, "a": 2}]}"#, "other.a"),
    ])
    func `a member that is there twice is refused, since nobody can tell which is meant`(
        body: String,
        field: String
    ) async throws {
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            let answer = try await client.send(.patch, "/v1/me", text: Array(body.utf8))
            #expect(answer.status == 422)
            #expect(answer.json["field"] as? String == field)
            #expect(answer.json["detail"] as? String == "is there twice")
            #expect(try await client.send(.get, "/v1/me").json["displayName"] == nil)
        }
    }

    @Test(arguments: [
        #"{"displayName": "displayName"}"#, #"{"displayName": "a\", \"displayName"}"#,
        #"{"privacy": {"shareStreaks": true}, "leaderboards": {"global": {"hidden": true}, "friends": {"hidden": true}}}"#,
    ])
    func `the same name elsewhere, or in a text, is no second member`(body: String) async throws {
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            #expect(try await client.send(.patch, "/v1/me", text: Array(body.utf8)).status == 200)
        }
    }

    @Test func `what nobody expected is an empty-handed 500`() async throws {
        let server = try await TestServer(isAlone: true)
        try await server.run { nobody in
            let (client, _) = try await nobody.newcomer()
            try await server.asSuperuser { tx in
                try await tx.execute(
                    "alter table app.user rename column display_name to secret_of_the_schema"
                )
            }
            let answer = try await client.send(.get, "/v1/me")
            #expect(answer.status == 500)
            #expect(answer.contentType == "application/problem+json")
            #expect(Set(answer.json.keys) == ["type", "status", "code", "title", "requestId"])
            #expect(answer.json["code"] as? String == "internal")
            #expect(answer.json["title"] as? String == "Something went wrong on our side")
            // Others are answered meanwhile.
            #expect(try await client.send(.get, "/v1/features").status == 200)
        }
    }

    private struct Surprise: Error, CustomStringConvertible {
        let description = "a secret of ours"
    }

    @Test func `of what goes wrong outside of the database nothing is told either`() async throws {
        let server = try await TestServer()
        let router = server.server.router()
        router.get("surprise") { _, _ -> Response in throw Surprise() }
        try await Application(router: router).test(.router) { client in
            let answer = try await Client(client: client, address: server.address).send(.get, "/surprise")
            #expect(answer.status == 500)
            #expect(Set(answer.json.keys) == ["type", "status", "code", "title", "requestId"])
            #expect(answer.json["code"] as? String == "internal")
            #expect(answer.json["title"] as? String == "Something went wrong on our side")
        }
        await server.server.pool.close()
    }

    @Test func `every answer carries a request id, and a problem repeats it`() async throws {
        try await TestServer().run { nobody in
            let answer = try await nobody.send(.get, "/v1/nowhere")
            #expect(answer.status == 404)
            #expect(answer.contentType == "application/problem+json")
            #expect(answer.requestID != nil)
            #expect(answer.json["requestId"] as? String == answer.requestID)
        }
    }

    @Test func `the field of a wrong export is named by its path`() async throws {
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            let answer = try await client.send(
                .put,
                "/v1/sync/export",
                [
                    "device": ["id": "d", "name": "d", "timeZone": "Mars/Olympus"], "takenAt": "",
                    "export": [:],
                ]
            )
            #expect(answer.status == 422)
            #expect(answer.json["field"] as? String == "device.timeZone")
        }
    }
}
