import Domain
import Foundation
import Testing

@testable import API

/// Messages and the mail server that they are given to. One after the other: each starts a mail server.
@Suite(.serialized, .timeLimit(.minutes(1))) struct MailTests {
    private static func mail(to: String = "ada@example.org", subject: String = "Hello", text: String = "Hi")
        throws -> Mail
    {
        Mail(
            id: UUID(),
            from: try #require(EmailAddress("no-reply@breathmaster.example")),
            to: try #require(EmailAddress(to)),
            subject: subject,
            text: text,
            html: "<p>\(text)</p>",
            writtenAt: Date(timeIntervalSince1970: 1_772_820_000)
        )
    }

    @Test func `a mail server gets the message as it was written`() async throws {
        let sink = try await MailSink()
        defer { sink.stop() }
        let mail = try Self.mail(text: "one\n.\ntwo\r\n..three\n")
        try await #require(SMTP(sink.url())).send(mail)
        let received = try #require(try sink.received().first)
        #expect(received.from == "no-reply@breathmaster.example")
        #expect(received.to == ["ada@example.org"])
        #expect(received.user == nil)
        #expect(received.data == String(decoding: try mail.encoded(), as: UTF8.self))
        #expect(received.data.contains("Message-ID: <\(mail.id.text)@breathmaster.example>\r\n"))
        #expect(received.data.contains("Date: Fri, 06 Mar 2026 18:00:00 +0000\r\n"))
        #expect(received.data.contains("\r\n\r\none\r\n=2E\r\ntwo\r\n=2E.three\r\n"))
    }

    @Test func `the server signs in where the URL says so`() async throws {
        let sink = try await MailSink()
        defer { sink.stop() }
        try await #require(SMTP(sink.url(user: "mailer:s%40cr%C3%A9t@"))).send(try Self.mail())
        #expect(try sink.received().map(\.user) == ["mailer"])
    }

    @Test func `a password that is none is the operator's matter, and the message waits`() async throws {
        let sink = try await MailSink()
        defer { sink.stop() }
        let smtp = try #require(SMTP(sink.url(user: "mailer:wrong@")))
        let refusal = await #expect(throws: SMTP.Refusal.self) { try await smtp.send(try Self.mail()) }
        #expect(refusal?.reply == 535)
        #expect(refusal?.isForGood == false)
    }

    @Test(arguments: [("busy", 451, false), ("gone", 550, true), ("full", 554, true)])
    func `a refusal is for now or for good, as the mail server says`(to: String, reply: Int, forGood: Bool)
        async throws
    {
        let sink = try await MailSink()
        defer { sink.stop() }
        let smtp = try #require(SMTP(sink.url()))
        let refusal = await #expect(throws: SMTP.Refusal.self) {
            try await smtp.send(try Self.mail(to: "\(to)@example.org"))
        }
        #expect(refusal?.reply == reply)
        #expect(refusal?.isForGood == forGood)
        #expect(refusal?.description.contains("example.org") == false)
        #expect(try sink.received().isEmpty)
    }

    @Test func `a mail server that says nothing is left at the deadline`() async throws {
        let sink = try await MailSink()
        defer { sink.stop() }
        let smtp = try #require(SMTP(sink.url(), deadline: 1))
        let refusal = await #expect(throws: SMTP.Refusal.self) {
            try await smtp.send(try Self.mail(to: "silent@example.org"))
        }
        #expect(refusal?.isForGood == false)
    }

    @Test func `who stops waiting is not held up by a mail server that says nothing`() async throws {
        let sink = try await MailSink()
        defer { sink.stop() }
        let smtp = try #require(SMTP(sink.url(), deadline: 3600))
        let mail = try Self.mail(to: "silent@example.org")
        let sending = Task { try await smtp.send(mail) }
        try await eventually("the mail server has the message") { sink.isSilent }
        sending.cancel()
        await #expect(throws: CancellationError.self) { try await sending.value }
    }

    @Test func `nobody there is a refusal for now`() async throws {
        let smtp = try #require(SMTP("smtp://127.0.0.1:\(try freePort())"))
        let refusal = await #expect(throws: SMTP.Refusal.self) { try await smtp.send(try Self.mail()) }
        #expect(refusal?.reply == 0)
        #expect(refusal?.isForGood == false)
    }

    @Test func `beyond this machine nothing is said without TLS`() throws {
        #expect(try #require(SMTP("smtp://127.0.0.1")).demandsTLS == false)
        #expect(try #require(SMTP("smtp://127.0.0.1.example.org")).demandsTLS)
        #expect(try #require(SMTP("smtp://mail.example.org:587")).demandsTLS)
    }

    @Test(arguments: ["Hello\r\nBcc: eve@example.org", "Hello\nBcc: x", "a\0b", "a\u{7f}b", "é\r\nBcc: x"])
    func `a subject that could end its line is refused`(subject: String) throws {
        let mail = try Self.mail(subject: subject)
        #expect(throws: Mail.Malformed.self) { try mail.encoded() }
    }

    @Test func `a subject beyond ASCII is in encoded words, each within its bound`() throws {
        let subject = String(repeating: "Atme ruhig, 呼吸。", count: 9)
        let text = String(decoding: try Self.mail(subject: subject).encoded(), as: UTF8.self)
        let header = try #require(text.firstMatch(of: /Subject: (.*(?:\r\n .*)*)\r\n/)).output.1
        let words = header.split(separator: "\r\n ")
        #expect(words.allSatisfy { $0.utf8.count <= 75 })
        let decoded = words.compactMap { Data(base64Encoded: String($0.dropFirst(10).dropLast(2))) }
        #expect(decoded.map { String(decoding: $0, as: UTF8.self) }.joined() == subject)
    }

    @Test func `every line ends in CRLF, is short and begins with no dot, whatever the text`() throws {
        let text =
            "a.b\rc\nd\r\ne\n.\n" + String(repeating: "é=", count: 100) + " \n"
            + String(repeating: ".", count: 200)
        let bytes = try Self.mail(text: text).encoded()
        let lines = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n")
        #expect(lines.allSatisfy { $0.utf8.count <= 76 && !$0.hasPrefix(".") && !$0.hasSuffix(" ") })
        #expect(lines.allSatisfy { $0.utf8.allSatisfy { (0x20..<0x7f).contains($0) } })
    }

    @Test(arguments: [
        "ada@example.org\r\nRCPT TO:<eve@example.org>", "ada@example.org\n", "ada\r\n@example.org",
        "a\0@example.org",
        "<ada@example.org>",
        "ada lovelace@example.org", "ada@exam ple.org", "ada@localhost", "ada@-x.org", "ada@@example.org",
        "@example.org",
        "ada@", ".ada@example.org", "a..b@example.org", "\"ada\"@example.org", "ada@[127.0.0.1]",
        "ädä@example.org",
        "ada@exämple.org", "a@1.2", String(repeating: "a", count: 65) + "@example.org",
    ])
    func `what is no plain address is none`(text: String) {
        #expect(EmailAddress(text) == nil)
    }

    @Test func `an address keeps its first half and has its domain in lower case`() {
        #expect(EmailAddress("Ada+list@Example.ORG")?.description == "Ada+list@example.org")
    }
}
