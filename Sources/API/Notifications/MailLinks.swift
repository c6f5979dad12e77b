import Crypto
import Foundation

/// Makes the links in mails, each of which does what the code beside it does.
struct MailLinks: Sendable {
    let site: Site
    let key: SymmetricKey

    func verifyEmail(_ ticket: EmailTicket, writtenAt: Date) throws -> String {
        try link("/email", ticket, EmailTicket.purpose, writtenAt)
    }

    func resetPassword(_ ticket: PasswordTicket, writtenAt: Date) throws -> String {
        try link("/password", ticket, PasswordTicket.purpose, writtenAt)
    }

    private func link<Content: Codable & Sendable>(
        _ path: String,
        _ content: Content,
        _ purpose: String,
        _ writtenAt: Date
    ) throws -> String {
        let ticket = Ticket(content: content, goodUntil: writtenAt.addingTimeInterval(EmailCodes.lifetime))
        return site.url("\(path)?ticket=\(try ticket.text(for: purpose, key: key))")
    }
}
