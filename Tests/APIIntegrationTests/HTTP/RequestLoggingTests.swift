import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import PGClient
import Synchronization
import Testing

@testable import API

struct RequestLoggingTests {
    @Test func `the log of requests has no query and nothing of a path but its route`() async throws {
        let lines = Lines()
        let server = try await TestServer()
        let logger = Logger(label: "requests") { _ in lines }
        let application = Application(router: server.server.router(), logger: logger)
        try await application.test(.router) { client in
            for path in ["/password?ticket=secret", "/v1/me/device-requests/secret", "/secret"] {
                _ = try await client.execute(uri: path, method: .get) { $0.status }
            }
        }
        await server.server.pool.close()
        let requests = lines.written.filter { $0.hasPrefix("request ") }
        #expect(
            requests == [
                "request method=GET route=/password status=410",
                "request method=GET route=/v1/me/device-requests/{code} status=401",
                "request method=GET route=NotFound status=404",
            ]
        )
        #expect(lines.written.allSatisfy { !$0.contains("secret") })
    }
}

extension RequestLoggingTests {
    @Test func `who is refused has a line of their own, with their uid and the route, and nothing secret`()
        async throws
    {
        let lines = Lines()
        let server = try await TestServer()
        let logger = Logger(label: "refusals") { _ in lines }
        let application = Application(router: server.server.router(), logger: logger)
        try await application.test(.router) { client in
            var person = Client(client: client, address: server.address)
            let uid: String
            (person, uid) = try await person.newcomer()
            let program = try await person.program(["sync:read"], at: Date())
            _ = try await program.send(.get, "/v1/me?secret=1")
            _ = try await program.send(.get, "/v1/devices")
            _ = try await program.send(.get, "/v1/sync/state")
            var nobody = person
            nobody.token = "secret"
            _ = try await nobody.send(.get, "/v1/me")
            let credentials = ["address": "secret@breath.example", "password": "a secret lake at dawn"]
            _ = try await nobody.send(.post, "/v1/auth/sign-in", credentials)
            #expect(
                lines.written.filter { $0.hasPrefix("refused ") } == [
                    "refused code=insufficient_scope method=GET route=/v1/me user=\(uid)",
                    "refused code=token_not_accepted method=GET route=/v1/devices",
                    "refused code=unauthorized method=GET route=/v1/me",
                    "refused code=wrong_credentials method=POST route=/v1/auth/sign-in",
                ]
            )
        }
        await server.server.pool.close()
        #expect(lines.written.allSatisfy { !$0.contains("secret") })
    }
}

/// What was logged, a text for each line.
private final class Lines: LogHandler {
    private let texts = Mutex<[String]>([])
    var written: [String] { texts.withLock { $0 } }

    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(
        level: Logger.Level,
        message: Logger.Message,
        metadata: Logger.Metadata?,
        source: String,
        file: String,
        function: String,
        line: UInt
    ) {
        let values = (metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        texts.withLock { $0.append((["\(message)"] + values).joined(separator: " ")) }
    }
}
