import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

struct PasswordTests {
    private let password = "a quiet lake at dawn"

    @Test func `who registers signs in by the address once its code came back`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let address = "ada@\(UUID().text).example"
            let (ada, uid) = try await nobody.register(address, password)
            #expect(try await ada.send(.get, "/v1/me").status == 200)
            #expect(try await nobody.signIn(address, password).status == 401)

            let code = try await server.mailedCode(to: address, of: uid)
            let proof = ["address": address, "code": code]
            #expect(try await ada.send(.post, "/v1/me/emails/verify", proof).status == 204)
            let answer = try await nobody.signIn(address.uppercased(), password)
            #expect(answer.status == 200)
            #expect(answer.json["uid"] as? String == uid)
            #expect(try await nobody.signIn(address, "another lake at dawn").status == 401)

            let back = nobody.with(answer)
            let record = try await back.send(.get, "/v1/me/audit-events").json["events"] as? [[String: Any]]
            #expect(
                record?.map { "\($0["action"] ?? "") \($0["detail"] ?? "-")" } == [
                    "sign-in.begun password", "email.verified -", "account.created -",
                ]
            )
        }
    }

    @Test func `no answer tells whether an address is somebody's`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let domain = "\(UUID().text).example"
            _ = try await server.withPassword("ada@\(domain)", password, nobody)
            for (path, body) in [
                ("/v1/auth/register", ["password": password]),
                ("/v1/auth/sign-in", ["password": "another lake at dawn"]),
                ("/v1/auth/password/forgotten", [:]),
            ] {
                var answers: [Client.Answer] = []
                for local in ["ada", "eve"] {
                    let body = body.merging(["address": "\(local)@\(domain)"]) { $1 }
                    answers.append(try await nobody.send(.post, path, body))
                }
                #expect(answers[0].status == answers[1].status, "\(path)")
                #expect(answers[0].json.keys.sorted() == answers[1].json.keys.sorted(), "\(path)")
                #expect(answers[0].json["title"] as? String == answers[1].json["title"] as? String, "\(path)")
            }
        }
    }

    @Test func `somebody else's address stays theirs, whoever registers with it`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let address = "ada@\(UUID().text).example"
            let ada = try await server.withPassword(address, password, nobody)
            let (eve, other) = try await nobody.register(address, "eve was here, at dawn")
            let code = try await server.mailedCode(to: address, of: other)
            let proof = ["address": address, "code": code]
            #expect(
                try await eve.send(.post, "/v1/me/emails/verify", proof).json["code"] as? String
                    == "email_taken"
            )
            #expect(try await nobody.signIn(address, "eve was here, at dawn").status == 401)
            #expect(try await nobody.signIn(address, password).json["uid"] as? String == ada.uid)
        }
    }

    @Test func `a password is changed by who knows it, and other sign-ins end`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let address = "ada@\(UUID().text).example"
            let (ada, uid) = try await server.withPassword(address, password, nobody)
            try await server.recordEmail(of: uid, "work-\(address)")
            let elsewhere = nobody.with(try await nobody.signIn(address, password))
            let new = "a loud lake at dusk"

            for wrong in [nil, "another lake at dawn"] {
                var body = ["password": new]
                body["currentPassword"] = wrong
                let refused = try await ada.send(.put, "/v1/me/password", body)
                #expect(refused.status == 422)
                #expect(refused.json["field"] as? String == "currentPassword")
            }
            let change = ["currentPassword": password, "password": new]
            #expect(try await ada.send(.put, "/v1/me/password", change).status == 204)
            #expect(try await ada.send(.get, "/v1/me").status == 200)
            #expect(try await elsewhere.send(.get, "/v1/me").status == 401)
            for told in [address, "work-\(address)"] {
                let mail = try await server.mail(to: told, of: uid)
                #expect(mail.filter { $0 == "passwordChanged" }.count == 1)
            }
            #expect(try await nobody.signIn(address, password).status == 401)
            #expect(try await nobody.signIn(address, new).status == 200)
        }
    }

    @Test(arguments: ["too short", "password12345", "ada@home.example"])
    func `a password that isn't one is refused by its field`(text: String) async throws {
        try await TestServer().run { nobody in
            let body = ["address": "ada@home.example", "password": text]
            let answer = try await nobody.send(.post, "/v1/auth/register", body)
            #expect(answer.status == 422)
            #expect(answer.json["field"] as? String == "password")
        }
    }

    @Test func `a password made with less work is made anew when it is next used`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let address = "ada@\(UUID().text).example"
            let (_, uid) = try await server.withPassword(address, password, nobody)
            let earlier = try await PasswordHashing(cost: .init(kibibytes: 64, passes: 1), threads: 1).hash(
                password
            )
            try await server.asSuperuser { tx in
                _ = try await tx.execute(
                    "update app.password set phc = \(earlier) where uid = \(UUID(uuidString: uid))"
                )
            }
            for _ in 1...2 { #expect(try await nobody.signIn(address, password).status == 200) }
            let phc = try await server.asSuperuser { tx in
                try await tx.queryOne(
                    "select phc from app.password where uid = \(UUID(uuidString: uid))",
                    as: String.self
                )
            }
            #expect(phc.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
        }
    }

    @Test func `guessing is held up, and the person from where they have been before isn't`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let address = "ada@\(UUID().text).example"
            _ = try await server.withPassword(address, password, nobody)
            #expect(try await nobody.signIn(address, password).status == 200)

            var guesser = nobody
            var statuses: [Int] = []
            for guess in 1...112 {
                if guess % 8 == 1 { guesser.address = TestServer.anyAddress() }
                statuses.append(try await guesser.signIn(address, "wrong guess number \(guess)").status)
            }
            // A hundred an hour, the first of which was the person's own.
            #expect(statuses.filter { $0 == 401 }.count == 99)
            #expect(statuses.filter { $0 == 429 }.count == 13)
            // From one address no more than ten, whoever's it is.
            guesser.address = TestServer.anyAddress()
            #expect(try await guesser.signIn(address, password).status == 429)
            #expect(try await nobody.signIn(address, password).status == 200)
        }
    }

    @Test func `ten tries are what one address has for one account`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let address = "ada@\(UUID().text).example"
            var statuses: [Int] = []
            for _ in 1...11 { statuses.append(try await nobody.signIn(address, password).status) }
            #expect(statuses == Array(repeating: 401, count: 10) + [429])
            let other = try await nobody.signIn("other-\(address)", password)
            #expect(other.status == 401)
        }
    }

    @Test func `a flood of sign-ins is turned away before it waits for ever`() async throws {
        let hashing = try PasswordHashing(cost: .init(kibibytes: 8 * 1024, passes: 1), threads: 1)
        let codes = await withTaskGroup(of: String.self, returning: [String: Int].self) { group in
            for _ in 1...200 {
                group.addTask { [password] in
                    do {
                        return try await hashing.matches(password, nil) ? "in" : "wrong"
                    } catch {
                        return (error as? Problem)?.code ?? "\(error)"
                    }
                }
            }
            return await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        }
        #expect(codes.keys.sorted() == ["busy", "wrong"])
        #expect(codes["wrong", default: 0] >= 64)
    }
}

/// What is forgotten. On a database of its own each: the job posts whatever waits, at one time.
@Suite(.serialized, .timeLimit(.minutes(2))) struct PasswordResetTests {
    private let password = "a quiet lake at dawn"

    @Test func `a forgotten password is replaced by a mailed code, and everything else is signed out`()
        async throws
    {
        let clock = TestClock()
        let postgres = try await blocking { try OwnPostgres() }
        defer { postgres.remove() }
        let server = try await TestServer(clock: clock, postgres: postgres)
        try await server.run { nobody in
            let address = "ada@\(UUID().text).example"
            let (ada, uid) = try await server.withPassword(address, password, nobody)
            let program = try await ada.program(["profile:read"], at: clock.now)
            let recovery = try await ada.send(.post, "/v1/me/recovery-code").json["recoveryCode"] as? String
            let device = try await nobody.submit("/v1/auth/device", ["client_id": "vscode"])
            #expect(try await ada.send(.post, "/v1/me/device-requests/\(device["user_code"])").status == 204)

            let (reset, code) = try await server.forgottenPassword(of: address, uid, nobody)
            let new = ["resetId": reset, "code": code.lowercased(), "password": "a loud lake at dusk"]
            let answer = try await nobody.send(.post, "/v1/auth/password/reset", new)
            #expect(answer.status == 200)
            #expect(answer.json["uid"] as? String == uid)
            #expect(try await nobody.with(answer).send(.get, "/v1/me").status == 200)
            for ended in [ada, program] { #expect(try await ended.send(.get, "/v1/me").status == 401) }
            #expect(try await nobody.recover(try #require(recovery)).status == 401)
            let poll = [
                "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
                "device_code": device["device_code"],
            ]
            #expect(try await nobody.submit("/v1/auth/device/token", poll)["error"] == "invalid_grant")
            #expect(try await nobody.signIn(address, password).status == 401)
            #expect(try await nobody.signIn(address, "a loud lake at dusk").status == 200)
            #expect(try await server.mail(to: address, of: uid).contains("passwordChanged"))

            let again = try await nobody.send(.post, "/v1/auth/password/reset", new)
            #expect(again.status == 422)
            #expect(again.json["field"] as? String == "code")
        }
    }

    @Test func `a code to reset takes five tries, ten minutes, and its own id`() async throws {
        let clock = TestClock()
        let postgres = try await blocking { try OwnPostgres() }
        defer { postgres.remove() }
        let server = try await TestServer(clock: clock, postgres: postgres)
        try await server.run { nobody in
            let address = "ada@\(UUID().text).example"
            let (_, uid) = try await server.withPassword(address, password, nobody)
            let (spent, right) = try await server.forgottenPassword(of: address, uid, nobody)
            for _ in 1...5 { #expect(try await nobody.reset(spent, "0000-0000") == 422) }
            #expect(try await nobody.reset(spent, right) == 422)

            // The tries of one ask are nobody else's.
            let (open, code) = try await server.forgottenPassword(of: address, uid, nobody)
            #expect(try await nobody.reset(UUID().text, code) == 422)
            #expect(try await nobody.reset(spent, code) == 422)
            clock.advance(by: 600)
            #expect(try await nobody.reset(open, code) == 422)

            let (beside, other) = try await server.forgottenPassword(of: address, uid, nobody)
            let (last, good) = try await server.forgottenPassword(of: address, uid, nobody)
            clock.advance(by: 599)
            #expect(try await nobody.reset(last, good) == 200)
            #expect(try await nobody.reset(beside, other) == 422, "The password that it was for is gone.")
        }
    }

    @Test func `an address is mailed five codes an hour, whoever asks`() async throws {
        let clock = TestClock()
        let postgres = try await blocking { try OwnPostgres() }
        defer { postgres.remove() }
        let server = try await TestServer(clock: clock, postgres: postgres)
        try await server.run { nobody in
            let address = "ada@\(UUID().text).example"
            let (_, uid) = try await server.withPassword(address, password, nobody)
            for _ in 1...7 {
                let asked = try await nobody.send(.post, "/v1/auth/password/forgotten", ["address": address])
                #expect(asked.status == 202)
            }
            try await server.postPasswordResets()
            #expect(try await server.mail(to: address, of: uid).filter { $0 == "passwordReset" }.count == 5)
            clock.advance(by: 3600)
            _ = try await server.forgottenPassword(of: address, uid, nobody)
        }
    }
}

struct RecoveryTests {
    @Test func `an account without an address is found again by its code, once`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let made = try await nobody.send(.post, "/v1/auth/anonymous")
            let code = try #require(made.json["recoveryCode"] as? String)
            let answer = try await nobody.recover(code)
            #expect(answer.status == 200)
            #expect(answer.json["uid"] as? String == made.json["uid"] as? String)
            let next = try #require(answer.json["recoveryCode"] as? String)
            #expect(next != code)

            // The answer may have been lost: until the next code is used, the same one gives it again.
            #expect(try await nobody.recover(code).json["recoveryCode"] as? String == next)
            #expect(try await nobody.recover(next).status == 200)
            for spent in [code, "bm_rec_nonsense", ""] {
                let refused = try await nobody.recover(spent)
                #expect(refused.status == 401)
                #expect(refused.json["code"] as? String == "recovery_code_not_good")
            }
        }
    }

    @Test func `a new code ends those before`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let made = try await nobody.send(.post, "/v1/auth/anonymous")
            let ada = nobody.with(made)
            let first = try #require(made.json["recoveryCode"] as? String)
            // The first one is still good then, beside the next.
            let next = try #require(try await nobody.recover(first).json["recoveryCode"] as? String)
            let new = try await ada.send(.post, "/v1/me/recovery-code")
            #expect(new.status == 201)
            for ended in [first, next] { #expect(try await nobody.recover(ended).status == 401) }
            #expect(try await nobody.recover(try #require(new.json["recoveryCode"] as? String)).status == 200)
        }
    }
}

extension Client {
    fileprivate func register(_ address: String, _ password: String) async throws -> (
        client: Client, uid: String
    ) {
        let answer = try await send(.post, "/v1/auth/register", ["address": address, "password": password])
        try #require(answer.status == 201)
        return (with(answer), try #require(answer.json["uid"] as? String))
    }

    fileprivate func signIn(_ address: String, _ password: String) async throws -> Answer {
        try await send(.post, "/v1/auth/sign-in", ["address": address, "password": password])
    }

    fileprivate func reset(_ id: String, _ code: String) async throws -> Int {
        let body = ["resetId": id, "code": code, "password": "a loud lake at dusk"]
        return try await send(.post, "/v1/auth/password/reset", body).status
    }

    fileprivate func recover(_ code: String) async throws -> Answer {
        try await send(.post, "/v1/auth/recover", ["recoveryCode": code])
    }

    /// As whom the answer lets in.
    fileprivate func with(_ answer: Answer) -> Client {
        var client = self
        client.token = answer.json["accessToken"] as? String
        return client
    }
}

extension TestServer {
    /// A person who signs in by that address and password.
    fileprivate func withPassword(
        _ address: String,
        _ password: String,
        _ nobody: Client
    ) async throws -> (client: Client, uid: String) {
        let (client, uid) = try await nobody.register(address, password)
        try await recordEmail(of: uid, address)
        return (client, uid)
    }

    fileprivate func postPasswordResets() async throws {
        let pool = PGPool(PGConfiguration(database))
        let now = server.now()
        _ = try await pool.transaction { tx in try await tx.postPasswordResets(at: now) }
        await pool.close()
    }

    /// Says that a password is forgotten: the ask, and the code that was mailed for it.
    fileprivate func forgottenPassword(
        of address: String,
        _ uid: String,
        _ nobody: Client
    ) async throws -> (reset: String, code: String) {
        let asked = try await nobody.send(.post, "/v1/auth/password/forgotten", ["address": address])
        try #require(asked.status == 202)
        let reset = try #require(asked.json["resetId"] as? String)
        try await postPasswordResets()
        let seed = try await asSuperuser { tx in
            try await tx.queryOne(
                "select seed from app.outbox where message_id = \(UUID(uuidString: reset)) and recipient = \(address)",
                as: UUID.self
            )
        }
        return (reset, EmailCodes(key: server.tokens.emailCodeKey).resetCode(from: seed))
    }

    /// The kinds of the messages that wait.
    fileprivate func mail(to address: String, of uid: String) async throws -> [String] {
        try await asSuperuser { tx in
            try await tx.query(
                "select kind from app.outbox where uid = \(UUID(uuidString: uid)) and recipient = \(address)",
                as: (String).self
            )
        }
    }
}
