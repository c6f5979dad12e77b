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
