import Domain
import Foundation
import PGClient

/// A message that this server has taken to send.
struct OutboxMessage: PGRow {
    let uid: UUID
    let id: UUID
    /// Nil for one that this server doesn't know: a newer one has written it.
    let kind: MailTemplates.Kind?
    /// Likewise.
    let recipient: EmailAddress?
    /// What the code in it comes of, where there is one.
    let seed: UUID?
    let writtenAt: Date
    /// From 1.
    let attempt: Int32
    /// What it is about, to be named in it.
    let about: String?

    /// That this server can't write the message, though another might.
    struct Unknown: Error, CustomStringConvertible {
        let what: String

        var description: String { "this server doesn't know its \(what)" }
    }

    init(from row: inout PGRowReader) throws {
        uid = try row.next()
        id = try row.next()
        kind = MailTemplates.Kind(rawValue: try row.next())
        recipient = EmailAddress(try row.next())
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

    func mailRefused(_ message: OutboxMessage, why: String, isForGood: Bool, at now: Date) async throws {
        try await execute(
            """
            select app.mail_refused(
              \(message.uid), \(message.id), \(message.attempt), \(why), \(isForGood), \(now)
            )
            """
        )
    }
}

/// A message that was given up, as an operator sees it: for whom, and nothing of what is in it.
struct DeadMail: PGRow, CustomStringConvertible {
    let id, uid: UUID
    let kind, recipient: String
    let writtenAt, goodUntil: Instant
    let attempts: Int32
    let deadAt: Instant
    let why: String?

    init(from row: inout PGRowReader) throws {
        id = try row.next()
        uid = try row.next()
        kind = try row.next()
        recipient = try row.next()
        writtenAt = try row.next()
        goodUntil = try row.next()
        attempts = try row.next()
        deadAt = try row.next()
        why = try row.next()
    }

    var description: String {
        "\(id.text) \(kind) to \(recipient) of \(uid.text), written \(writtenAt), good until \(goodUntil), "
            + "given up \(deadAt) at attempt \(attempts): \(why ?? "")"
    }
}

extension PGTransaction {
    /// The oldest first. For the operator.
    func deadMail(at now: Date) async throws -> [DeadMail] {
        try await query(
            """
            select message_id, uid, kind, recipient, written_at, good_until, attempts, dead_at, dead_of
            from app.dead_mail(\(now))
            """,
            as: DeadMail.self
        )
    }

    /// `waiting` or `too late`, and `unknown` where no such message was given up. For the operator.
    func retryMail(_ id: UUID, at now: Date) async throws -> String {
        try await queryOne("select coalesce(app.retry_mail(\(id), \(now)), 'unknown')", as: String.self)
    }
}
