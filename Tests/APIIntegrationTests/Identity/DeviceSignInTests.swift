import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import PGClient
import Testing

@testable import API

struct DeviceSignInTests {
    private let grant = "urn:ietf:params:oauth:grant-type:device_code"
    private let password = "a quiet lake at dawn"

    @Test func `a device is let in by its code on the page, once`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let address = "ada@\(UUID().text).example"
            let uid = try await server.personWithPassword(address, password, nobody)
            let asked = try await nobody.submit(
                "/v1/auth/device",
                ["client_id": "vscode", "device_name": "Study <b>"]
            )
            #expect(asked.status == 200)
            #expect(asked.json["interval"] as? Int == 5)
            #expect(asked.json["expires_in"] as? Int == 600)
            #expect(asked.json["verification_uri"] as? String == "http://breathmaster.test/device")
            let (code, device) = (asked["user_code"], asked["device_code"])
            #expect(asked["verification_uri_complete"] == "http://breathmaster.test/device?user_code=\(code)")
            let poll = ["grant_type": grant, "device_code": device, "client_id": "vscode"]
            #expect(
                try await nobody.submit("/v1/auth/device/token", poll)["error"] == "authorization_pending"
            )

            let form = try await nobody.look("/device?user_code=\(code)")
            #expect(form.status == 200)
            #expect(form.text.contains("value=\"\(code)\""))
            clock.advance(by: 1)
            let typed = code.lowercased().replacing("-", with: " ")
            let question = try await nobody.submit(
                "/device",
                ["user_code": typed, "address": address, "password": password]
            )
            #expect(question.status == 200)
            #expect(question.text.contains("Let <bdi>Study &lt;b&gt;</bdi> in?"))
            let done = try await nobody.submit(
                "/device/answer",
                ["ticket": question.ticket, "answer": "yes"]
            )
            #expect(done.status == 200)
            clock.advance(by: 5)
            let tokens = try await nobody.submit("/v1/auth/device/token", poll)
            #expect(tokens.status == 200)
            #expect(tokens["uid"] == uid)
            #expect(tokens["token_type"] == "Bearer")
            var ada = nobody
            ada.token = tokens["access_token"]
            let record = try await ada.send(.get, "/v1/me/audit-events").json["events"] as? [[String: Any]]
            let lines = try #require(record).map { "\($0["action"] ?? "") \($0["detail"] ?? "")" }
            #expect(lines.prefix(2) == ["sign-in.begun device code", "device.approved Study <b>"])

            // Neither the device nor the page gets there twice.
            #expect(try await nobody.submit("/v1/auth/device/token", poll)["error"] == "invalid_grant")
            let again = try await nobody.submit(
                "/device/answer",
                ["ticket": question.ticket, "answer": "yes"]
            )
            #expect(again.status == 410)
        }
    }

    @Test func `a new password shuts out whatever was let in by the one before`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let address = "ada@\(UUID().text).example"
            _ = try await server.personWithPassword(address, password, nobody)
            let signedIn = ["address": address, "password": password]
            var ada = nobody
            ada.token =
                try await nobody.send(.post, "/v1/auth/sign-in", signedIn).json["accessToken"] as? String
            let recovery = try await ada.send(.post, "/v1/me/recovery-code")
            let approved = try await nobody.submit("/v1/auth/device", ["client_id": "one"])
            #expect(
                try await ada.send(.post, "/v1/me/device-requests/\(approved["user_code"])").status == 204
            )
            let asked = try await nobody.submit("/v1/auth/device", ["client_id": "two"])
            let entry = signedIn.merging(["user_code": asked["user_code"]]) { $1 }
            let question = try await nobody.submit("/device", entry)

            let change = ["currentPassword": password, "password": "a loud lake at dusk"]
            #expect(try await ada.send(.put, "/v1/me/password", change).status == 204)
            let poll = ["grant_type": grant, "device_code": approved["device_code"]]
            #expect(try await nobody.submit("/v1/auth/device/token", poll)["error"] == "invalid_grant")
            let answer = ["ticket": question.ticket, "answer": "yes"]
            #expect(try await nobody.submit("/device/answer", answer).status == 410)
            #expect(try await nobody.send(.post, "/v1/auth/recover", recovery.json).status == 401)
        }
    }

    @Test func `an editor that is signed in lets another one in, or doesn't`() async throws {
        let clock = TestClock()
        try await TestServer(clock: clock).run { nobody in
            let (ada, uid) = try await nobody.newcomer()
            for isApproved in [true, false] {
                let asked = try await nobody.submit("/v1/auth/device", ["client_id": "vscode"])
                let path = "/v1/me/device-requests/\(asked["user_code"])"
                let seen = try await ada.send(.get, path)
                #expect(seen.json["deviceName"] as? String == "vscode")
                #expect(try await ada.send(isApproved ? .post : .delete, path).status == 204)
                #expect(try await ada.send(.post, path).status == 404)
                let poll = ["grant_type": grant, "device_code": asked["device_code"]]
                let answer = try await nobody.submit("/v1/auth/device/token", poll)
                #expect(answer.json["uid"] as? String == (isApproved ? uid : nil))
                #expect(answer.json["error"] as? String == (isApproved ? nil : "access_denied"))
            }
        }
    }

    @Test func `a device that asks too often is told to slow down`() async throws {
        let clock = TestClock()
        try await TestServer(clock: clock).run { nobody in
            let asked = try await nobody.submit("/v1/auth/device", ["client_id": "vscode"])
            let poll = ["grant_type": grant, "device_code": asked["device_code"]]
            var errors: [String] = []
            for wait in [0, 4, 9, 10, 14, 15] {
                clock.advance(by: TimeInterval(wait))
                errors.append(try await nobody.submit("/v1/auth/device/token", poll)["error"])
            }
            #expect(
                errors == [
                    "authorization_pending", "slow_down", "slow_down", "slow_down", "slow_down", "slow_down",
                ]
            )
            clock.advance(by: 60)
            #expect(
                try await nobody.submit("/v1/auth/device/token", poll)["error"] == "authorization_pending"
            )
        }
    }

    @Test func `a code is over after ten minutes, for the device and for the page`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            let address = "ada@\(UUID().text).example"
            _ = try await server.personWithPassword(address, password, nobody)
            let asked = try await nobody.submit("/v1/auth/device", ["client_id": "vscode"])
            let entry = ["user_code": asked["user_code"], "address": address, "password": password]
            // The page is good for ten minutes too, and begins later.
            clock.advance(by: 300)
            let question = try await nobody.submit("/device", entry)
            #expect(question.status == 200)
            clock.advance(by: 300)
            let late = try await nobody.submit(
                "/device/answer",
                ["ticket": question.ticket, "answer": "yes"]
            )
            #expect(late.status == 410)
            #expect(try await nobody.submit("/device", entry).status == 422)
            let poll = ["grant_type": grant, "device_code": asked["device_code"]]
            #expect(try await nobody.submit("/v1/auth/device/token", poll)["error"] == "expired_token")
        }
    }

    @Test func `whoever doesn't know the password doesn't learn whether a device waits`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let asked = try await nobody.submit("/v1/auth/device", ["client_id": "vscode"])
            for code in [asked["user_code"], "BBBB-BBBB"] {
                let entry = ["user_code": code, "address": "ada@home.example", "password": password]
                let answer = try await nobody.submit("/device", entry)
                #expect(answer.status == 401)
                #expect(answer.text.contains("role=\"alert\""))
                #expect(!answer.text.contains(password))
            }
        }
    }

    @Test(arguments: [
        ["grant_type": "password", "device_code": "bm_dc_x"],
        ["grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "bm_dc_x"],
    ])
    func `what is no grant is refused as OAuth has it`(form: [String: String]) async throws {
        try await TestServer().run { nobody in
            let answer = try await nobody.submit("/v1/auth/device/token", form)
            #expect(answer.status == 400)
            #expect(["unsupported_grant_type", "invalid_grant"].contains(answer["error"]))
        }
    }
}

/// What is true of every page.
struct PageTests {
    @Test(arguments: ["/device", "/email?ticket=nonsense", "/password?ticket=nonsense"])
    func `a page runs no script, sets no cookie and can't be framed`(path: String) async throws {
        try await TestServer().run { nobody in
            let page = try await nobody.look(path)
            #expect([200, 410].contains(page.status))
            #expect(page.headers[.contentType] == "text/html; charset=utf-8")
            #expect(page.headers[.setCookie] == nil)
            #expect(page.headers[.cacheControl] == "no-store")
            let policy = try #require(page.headers[.contentSecurityPolicy])
            #expect(policy.hasPrefix("default-src 'none'; style-src 'sha256-"))
            #expect(policy.hasSuffix("form-action 'self'; base-uri 'none'; frame-ancestors 'none'"))
            #expect(!page.text.contains("<script"))
            #expect(page.text.contains("<html lang=\"en\">"))
        }
    }

    @Test func `a body that is no form, or has a NUL, is refused`() async throws {
        try await TestServer().run { nobody in
            let json = try await nobody.raw(.post, "/device", "{}", type: "application/json")
            #expect(json.status == 415)
            let nul = try await nobody.raw(.post, "/device", "user_code=%00&address=a&password=b")
            #expect(nul.status == 422)
            let short = try await nobody.raw(.post, "/v1/auth/device", "device_name=x")
            #expect(short.status == 422)
            #expect(short["field"] == "client_id")
        }
    }

    @Test func `the link in a mail does what the code in it does`() async throws {
        let postgres = try await blocking { try OwnPostgres() }
        defer { postgres.remove() }
        let clock = TestClock()
        let server = try await TestServer(clock: clock, postgres: postgres)
        let folder = FileManager.default.temporaryDirectory.appending(path: "links-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let delivery = try server.delivery(to: .folder(folder))
        try await server.run { nobody in
            let address = "ada@home.example"
            let body = ["address": address, "password": "a quiet lake at dawn"]
            let registered = try await nobody.send(.post, "/v1/auth/register", body)
            try await delivery.deliver()
            let verify = try await server.link(in: folder, "/email")
            let page = try await nobody.look(verify)
            #expect(page.text.contains("Is <bdi>ada@home.example</bdi> yours?"))
            // For password managers.
            let username =
                #"<input type="email" autocomplete="username" value="ada@home.example" readonly hidden>"#
            #expect(page.text.contains(username))
            // Looking is not saying yes: mail servers look, too.
            #expect(try await nobody.send(.post, "/v1/auth/sign-in", body).status == 401)
            // The mail may be read by somebody else, who knows no password of the account that asked.
            let stranger = ["ticket": page.ticket, "password": "not the one of that account"]
            #expect(try await nobody.submit("/email", stranger).status == 401)
            #expect(try await nobody.send(.post, "/v1/auth/sign-in", body).status == 401)
            let owner = ["ticket": page.ticket, "password": "a quiet lake at dawn"]
            #expect(try await nobody.submit("/email", owner).status == 200)
            #expect(try await nobody.send(.post, "/v1/auth/sign-in", body).status == 200)

            _ = try await nobody.send(.post, "/v1/auth/password/forgotten", ["address": address])
            try await delivery.deliver()
            let reset = try await nobody.look(try await server.link(in: folder, "/password"))
            let weak = try await nobody.submit(
                "/password",
                ["ticket": reset.ticket, "password": "password12345"]
            )
            #expect(weak.status == 422)
            let choice = ["ticket": weak.ticket, "password": "a loud lake at dusk"]
            #expect(try await nobody.submit("/password", choice).status == 200)
            #expect(try await nobody.submit("/password", choice).status == 410)
            #expect(try await nobody.send(.post, "/v1/auth/sign-in", body).status == 401)
            let answer = try await nobody.send(
                .post,
                "/v1/auth/sign-in",
                ["address": address, "password": "a loud lake at dusk"]
            )
            #expect(answer.json["uid"] as? String == registered.json["uid"] as? String)
        }
    }
}

/// What a browser gets.
struct PageAnswer {
    let status: Int
    let headers: HTTPFields
    let text: String

    var json: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]) ?? [:]
    }

    subscript(name: String) -> String { json[name] as? String ?? "" }

    /// What the form of the page carries along.
    var ticket: String {
        text.firstMatch(of: /name="ticket" value="([^"]*)"/).map { String($0.1) } ?? ""
    }
}

extension Client {
    func look(_ path: String, headers: HTTPFields = [:]) async throws -> PageAnswer {
        try await raw(.get, path, nil, headers: headers)
    }

    /// Sends a form.
    func submit(_ path: String, _ fields: [String: String]) async throws -> PageAnswer {
        var components = URLComponents()
        components.queryItems = fields.map { URLQueryItem(name: $0.key, value: $0.value) }
        return try await raw(.post, path, components.percentEncodedQuery?.replacing("+", with: "%2B"))
    }

    func raw(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ body: String?,
        type: String = "application/x-www-form-urlencoded",
        headers: HTTPFields = [:]
    ) async throws -> PageAnswer {
        var headers = headers
        headers[.contentType] = type
        if let name = HTTPField.Name("x-forwarded-for") { headers[name] = address }
        return try await client.execute(
            uri: path,
            method: method,
            headers: headers,
            body: body.map { ByteBuffer(string: $0) }
        ) { response in
            PageAnswer(
                status: response.status.code,
                headers: response.headers,
                text: String(buffer: response.body)
            )
        }
    }
}

extension TestServer {
    fileprivate func personWithPassword(
        _ address: String,
        _ password: String,
        _ nobody: Client
    ) async throws -> String {
        let body = ["address": address, "password": password]
        let uid = try #require(try await nobody.send(.post, "/v1/auth/register", body).json["uid"] as? String)
        try await recordEmail(of: uid, address)
        return uid
    }

    /// The newest of the links to that page in the mails that were written to the folder.
    fileprivate func link(in folder: URL, _ path: String) async throws -> String {
        let mails = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .map { try String(contentsOf: $0, encoding: .utf8) }
        for mail in mails {
            let text = mail.replacing("=\r\n", with: "").replacing("=3D", with: "=")
            let link = text.firstMatch(of: /http:\/\/breathmaster\.test(\/[a-z]+\?ticket=[A-Za-z0-9_-]+)/)
            if let link, link.1.hasPrefix(path) { return String(link.1) }
        }
        throw NoLink()
    }

    private struct NoLink: Error {}
}
