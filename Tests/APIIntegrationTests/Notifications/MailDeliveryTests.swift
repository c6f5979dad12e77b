import Domain
import Foundation
import HTTPTypes
import Logging
import PGClient
import Testing

@testable import API

/// From what causes a message to the mail server that takes it. On a database of its own: a
/// delivery takes whatever is due. One after the other, since each starts a mail server.
@Suite(.serialized, .timeLimit(.minutes(2))) struct MailDeliveryTests {
    @Test func `a message is sent once, tried again where it was refused, and given up`() async throws {
        let postgres = try await blocking { try OwnPostgres() }
        defer { postgres.remove() }
        let clock = TestClock(Date(timeIntervalSince1970: 1_772_820_000))
        let server = try await TestServer(clock: clock, keepsTokens: true, postgres: postgres)
        let sink = try await MailSink()
        defer { sink.stop() }
        let delivery = try server.delivery(to: .smtp(try #require(SMTP(sink.url()))))
        try await server.run { nobody in
            let (ada, uid) = try await nobody.newcomer()
            for local in ["ada", "busy", "gone"] {
                let answer = try await ada.send(.post, "/v1/me/emails", ["address": "\(local)@example.org"])
                #expect(answer.status == 202)
            }
            let code = try await server.mailedCode(to: "ada@example.org", of: uid)

            // Two servers at once.
            async let one: Void = delivery.deliver()
            async let other: Void = delivery.deliver()
            _ = try await (one, other)
            #expect(try await server.outbox(of: uid) == ["busy 1", "gone 1 dead"])

            clock.advance(by: 14)
            try await delivery.deliver()
            #expect(try await server.outbox(of: uid) == ["busy 1", "gone 1 dead"])
            clock.advance(by: 1)
            try await delivery.deliver()
            #expect(try await server.outbox(of: uid) == ["busy 2", "gone 1 dead"])
            clock.advance(by: 600)
            try await delivery.deliver()
            #expect(try await server.outbox(of: uid) == ["busy 2 dead", "gone 1 dead"])

            let received = try sink.received()
            #expect(received.map(\.to) == [["ada@example.org"]])
            #expect(received.first?.data.contains("Subject: \(code) is your Breath Master code\r\n") == true)
            #expect(received.first?.data.contains("    \(code)\r\n") == true)
            #expect(received.first?.data.contains("<strong>\(code)</strong>") == true)
        }
    }

    @Test func `a message of a kind that only a newer server knows holds up nobody, and can be tried again`()
        async throws
    {
        let clock = TestClock()
        let server = try await TestServer(clock: clock, keepsTokens: true, isAlone: true)
        let folder = FileManager.default.temporaryDirectory.appending(path: "outbox-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let delivery = try server.delivery(to: .folder(folder))
        try await server.run { nobody in
            let (ada, uid) = try await nobody.newcomer()
            for local in ["newer", "ada", "grace"] {
                _ = try await ada.send(.post, "/v1/me/emails", ["address": "\(local)@example.org"])
            }
            try await server.asSuperuser { tx in
                try await tx.execute("alter table app.outbox drop constraint outbox_kind_check")
                try await tx.execute(
                    """
                    update app.outbox set kind = 'digest', written_at = written_at - interval '1 minute',
                      good_until = good_until + interval '1 day', due_at = due_at - interval '1 minute'
                    where recipient = 'newer@example.org'
                    """
                )
            }
            try await delivery.deliver()
            #expect(try await server.outbox(of: uid) == ["newer 1"])
            // It is put off like one that a mail server doesn't take yet.
            for attempt in 2...10 {
                clock.advance(by: 3600)
                try await delivery.deliver()
                #expect(try await server.outbox(of: uid) == ["newer \(attempt)"])
            }
            clock.advance(by: 3600)
            try await delivery.deliver()
            #expect(try await server.outbox(of: uid) == ["newer 10 dead"])

            let dead = try await server.asOperator { try await $0.deadMail(at: clock.now) }
            let letter = try #require(dead.first)
            #expect(dead.count == 1)
            #expect(letter.description.hasPrefix("\(letter.id.text) digest to newer@example.org of \(uid), "))
            #expect(letter.description.hasSuffix(" at attempt 10: too many attempts"))

            func retry(_ id: UUID) async throws -> String {
                try await server.asOperator { try await $0.retryMail(id, at: clock.now) }
            }
            #expect(try await retry(UUID()) == "unknown")
            #expect(try await retry(letter.id) == "waiting")
            #expect(try await server.outbox(of: uid) == ["newer 0"])
            #expect(try await retry(letter.id) == "unknown")
            // As the newer server would have it.
            try await server.asSuperuser { tx in
                try await tx.execute("update app.outbox set kind = 'passwordChanged'")
            }
            try await delivery.deliver()
            #expect(try await server.outbox(of: uid) == [])
        }
    }

    @Test func `a message whose time is over is not tried again`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock, keepsTokens: true, isAlone: true)
        let folder = FileManager.default.temporaryDirectory.appending(path: "outbox-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        try await server.run { nobody in
            let (ada, uid) = try await nobody.newcomer()
            _ = try await ada.send(.post, "/v1/me/emails", ["address": "ada@example.org"])
            clock.advance(by: 3600)
            try await server.delivery(to: .folder(folder)).deliver()
            #expect(try await server.outbox(of: uid) == ["ada 0 dead"])
            let dead = try await server.asOperator { try await $0.deadMail(at: clock.now) }
            let id = try #require(dead.first).id
            let outcome = try await server.asOperator { try await $0.retryMail(id, at: clock.now) }
            #expect(outcome == "too late")
            #expect(try await server.outbox(of: uid) == ["ada 0 dead"])
        }
    }

    @Test func `without a mail server the message is a file`() async throws {
        let postgres = try await blocking { try OwnPostgres() }
        defer { postgres.remove() }
        let clock = TestClock()
        let server = try await TestServer(clock: clock, postgres: postgres)
        let folder = FileManager.default.temporaryDirectory.appending(path: "outbox-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        try await server.run { nobody in
            let (ada, uid) = try await nobody.newcomer()
            _ = try await ada.send(.post, "/v1/me/emails", ["address": "ada@example.org"])
            let code = try await server.mailedCode(to: "ada@example.org", of: uid)
            try await server.delivery(to: .folder(folder)).deliver()
            let files = try FileManager.default.contentsOfDirectory(
                at: folder,
                includingPropertiesForKeys: nil
            )
            #expect(files.map(\.pathExtension) == ["eml"])
            let text = try String(contentsOf: try #require(files.first), encoding: .utf8)
            #expect(text.contains(code))
            #expect(try await server.outbox(of: uid) == [])
        }
    }
}

struct MailTemplateTests {
    @Test(arguments: MailTemplates.Kind.allCases)
    func `a message of each kind says what it was given`(_ kind: MailTemplates.Kind) throws {
        let names = ["code", "link", "minutes", "company", "address", "domain", "lapsesOn"]
        let values = Dictionary(uniqueKeysWithValues: names.map { ($0, "<\($0)>") })
        let written = try MailTemplates().write(kind, values)
        let given: [MailTemplates.Kind: Set<String>] = [
            .emailCode: ["code", "link", "minutes"], .passwordReset: ["code", "link", "minutes"],
            .passwordChanged: [], .invitation: ["company", "address"], .domainLost: ["domain", "lapsesOn"],
            .domainLapsed: ["domain"],
        ]
        #expect(!written.subject.isEmpty)
        for part in [written.subject, written.text, written.html] { #expect(!part.contains("{{")) }
        #expect(Set(names.filter { written.text.contains("<\($0)>") }) == given[kind])
        // In HTML as text, whatever it says.
        #expect(Set(names.filter { written.html.contains("&lt;\($0)&gt;") }) == given[kind])
    }
}

extension TestServer {
    func delivery(to transport: MailTransport) throws -> MailDelivery {
        MailDelivery(
            pool: server.pool,
            transport: transport,
            from: try #require(EmailAddress("no-reply@breathmaster.example")),
            templates: try MailTemplates(),
            codes: EmailCodes(key: server.tokens.emailCodeKey),
            links: MailLinks(site: server.site, key: server.tokens.ticketKey),
            now: server.now,
            logger: Logger(label: "mail") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    /// The code in the newest message to that address that waits to be sent.
    func mailedCode(to address: String, of uid: String) async throws -> String {
        let person = try #require(UUID(uuidString: uid))
        let seed = try await asSuperuser { tx in
            try await tx.queryOne(
                """
                select seed from app.outbox where uid = \(person) and recipient = \(address)
                order by written_at desc, ctid desc limit 1
                """,
                as: UUID.self
            )
        }
        return EmailCodes(key: server.tokens.emailCodeKey).code(from: seed)
    }

    /// What waits, or was given up: whose mailbox, which attempt.
    func outbox(of uid: String) async throws -> [String] {
        let person = try #require(UUID(uuidString: uid))
        return try await asSuperuser { tx in
            try await tx.query(
                """
                select split_part(recipient, '@', 1) || ' ' || attempts || case when dead_at is null then '' else ' dead' end
                from app.outbox where uid = \(person) order by 1
                """,
                as: String.self
            )
        }
    }
}
