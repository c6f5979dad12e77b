import Domain
import Foundation
import PGClient

/// A message that this server has taken to send.
struct OutboxMessage: PGRow {
    let uid: UUID
    let id: UUID
    let kind: MailTemplates.Kind
    let recipient: EmailAddress
    /// What the code in it comes of, where there is one.
    let seed: UUID?
    let writtenAt: Date
    /// From 1.
    let attempt: Int32
    /// What it is about, to be named in it.
    let about: String?

    struct Unknown: Error {
        let what: String
    }

    init(from row: inout PGRowReader) throws {
        uid = try row.next()
        id = try row.next()
        guard let kind = MailTemplates.Kind(rawValue: try row.next()) else { throw Unknown(what: "kind") }
        self.kind = kind
        guard let recipient = EmailAddress(try row.next()) else { throw Unknown(what: "recipient") }
        self.recipient = recipient
        seed = try row.next()
        writtenAt = try row.next()
        attempt = try row.next()
        about = try row.next()
    }
}

extension PGTransaction {
    /// Mails the codes of forgotten passwords to those whose they are: how many were looked at.
    func postPasswordResets(at now: Date) async throws -> Int {
        try await queryOne("select app.post_password_resets(\(now))", as: Int.self)
    }

    /// Nobody else is given them within five minutes.
    func takeMail(_ most: Int, at now: Date) async throws -> [OutboxMessage] {
        try await query(
            """
            select uid, message_id, kind, recipient, seed, written_at, attempts, about
            from app.take_mail(\(Int32(most)), \(now), interval '5 minutes')
            """,
            as: OutboxMessage.self
        )
    }

    func mailTaken(_ message: OutboxMessage, at now: Date) async throws {
        try await execute("select app.mail_taken(\(message.uid), \(message.id), \(now))")
    }

    func mailRefused(_ message: OutboxMessage, _ refusal: SMTP.Refusal, at now: Date) async throws {
        try await execute(
            """
            select app.mail_refused(
              \(message.uid), \(message.id), \(message.attempt), \(refusal.description), \(refusal.isForGood), \(now)
            )
            """
        )
    }
}
