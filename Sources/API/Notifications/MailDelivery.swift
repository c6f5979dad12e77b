import Domain
import Foundation
import Logging
import PGClient

/// Sends what is in the outbox. A message is taken for a while and crossed out once a mail server has
/// it, so one may be sent twice, by a server that dies in between, and none is lost; its Message-ID
/// stays the same.
struct MailDelivery: Sendable {
    /// So few that the lease outlasts all of them being refused by silence.
    private static let most = 4

    let pool: PGPool
    let transport: MailTransport
    let from: EmailAddress
    let templates: MailTemplates
    let codes: EmailCodes
    let links: MailLinks
    let now: @Sendable () -> Date
    let logger: Logger

    /// Those that are due, after it is known whose the forgotten passwords are. Returns when there are none, or none that another isn't at.
    func deliver() async throws {
        while try await postPasswordResets() > 0 {}
        while true {
            let messages = try await pool.transaction { try await $0.takeMail(Self.most, at: now()) }
            if messages.isEmpty { return }
            for message in messages { try await deliver(message) }
        }
    }

    private func postPasswordResets() async throws -> Int {
        try await pool.transaction { try await $0.postPasswordResets(at: now()) }
    }

    private func deliver(_ message: OutboxMessage) async throws {
        do {
            try await transport.send(try mail(of: message))
        } catch let refusal as SMTP.Refusal {
            try await putOff(message, why: refusal.description, isForGood: refusal.isForGood)
            return
        } catch let unknown as OutboxMessage.Unknown {
            // Those behind it go on, and a server that knows it may come first the next time.
            try await putOff(message, why: unknown.description, isForGood: false)
            return
        }
        try await pool.transaction { try await $0.mailTaken(message, at: now()) }
    }

    private func putOff(_ message: OutboxMessage, why: String, isForGood: Bool) async throws {
        // No address: the id is enough to find it.
        logger.warning(
            "mail was not taken",
            metadata: ["message": "\(message.id.text)", "attempt": "\(message.attempt)", "why": "\(why)"]
        )
        try await pool.transaction {
            try await $0.mailRefused(message, why: why, isForGood: isForGood, at: now())
        }
    }

    private func mail(of message: OutboxMessage) throws -> Mail {
        guard let kind = message.kind else { throw OutboxMessage.Unknown(what: "kind") }
        guard let recipient = message.recipient else { throw OutboxMessage.Unknown(what: "recipient") }
        let written = templates.write(kind, try values(of: message, kind, to: recipient))
        return Mail(
            id: message.id,
            from: from,
            to: recipient,
            subject: written.subject,
            text: written.text,
            html: written.html,
            writtenAt: message.writtenAt
        )
    }

    private func values(
        of message: OutboxMessage,
        _ kind: MailTemplates.Kind,
        to recipient: EmailAddress
    ) throws -> [String: String] {
        switch kind {
        case .emailCode:
            try values(of: message, codes.code(from:)) { code in
                let ticket = EmailTicket(uid: message.uid, address: recipient.description, code: code)
                return try links.verifyEmail(ticket, writtenAt: message.writtenAt)
            }
        case .passwordReset:
            try values(of: message, codes.resetCode(from:)) { code in
                let ticket = PasswordTicket(resetID: message.id, code: code)
                return try links.resetPassword(ticket, writtenAt: message.writtenAt)
            }
        case .invitation:
            ["company": message.about ?? "", "address": recipient.description]
        case .domainLost:
            [
                "domain": message.about ?? "",
                "lapsesOn": LocalDay(of: Instant(message.writtenAt.addingTimeInterval(7 * 86_400)), in: .utc)
                    .description,
            ]
        case .domainLapsed:
            ["domain": message.about ?? ""]
        case .passwordChanged:
            [:]
        }
    }

    /// A code, and the link that does what it does.
    private func values(
        of message: OutboxMessage,
        _ code: (UUID) -> String,
        link: (String) throws -> String
    ) throws -> [String: String] {
        guard let seed = message.seed else { throw OutboxMessage.Unknown(what: "seed") }
        let code = code(seed)
        return ["code": code, "link": try link(code), "minutes": "\(Int(EmailCodes.lifetime / 60))"]
    }
}
