import Domain
import Foundation
import Hummingbird
import Tenancy

/// `/email` and `/password`: where the links in mails lead, which do what the codes in them do.
///
/// Opening a link only shows a page: mail servers open links too.
struct MailLinkPages: Sendable {
    let database: TenantDatabase
    let tokens: AccessTokens
    let limits: Limits
    let passwords: Passwords
    let codes: EmailCodes
    let pages: Pages
    let now: @Sendable () -> Date

    private struct Entered: Decodable {
        let ticket, password: String
    }

    func add(to routes: some RouterMethods<AppContext>) {
        routes.get("email", use: askWhetherMine)
            .post("email", use: verifyEmail)
            .get("password", use: askPassword)
            .post("password", use: resetPassword)
    }

    /// `GET /email?ticket=`
    @Sendable func askWhetherMine(_ request: Request, in context: AppContext) async throws -> Response {
        let text = request.uri.queryParameters.get("ticket") ?? ""
        guard let ticket = emailTicket(text) else { return try over() }
        return try pages.response(.verifyEmail, ["address": ticket.address, "ticket": text])
    }

    /// `POST /email`: the address is the person's who asked for the mail, and who knows the password of the account
    /// that it was asked for: somebody else's mail may be about an account that is not theirs.
    @Sendable func verifyEmail(_ request: Request, in context: AppContext) async throws -> Response {
        let form = try await Form.decode(Entered.self, from: request)
        guard let ticket = emailTicket(form.ticket), let address = EmailAddress(ticket.address) else {
            return try over()
        }
        try await limits.take(.signIn, from: context.origin.source, account: ticket.uid.text)
        let phc = try await database.read(as: Principal(uid: ticket.uid)) { try await $0.ownPassword() }
        guard try await passwords.matches(form.password, phc) else {
            let values = [
                "address": ticket.address, "ticket": form.ticket,
                "error": "That isn’t the password of the account that asked.",
            ]
            return try pages.response(.verifyEmail, values, status: .unauthorized)
        }
        let digest = codes.digest(of: ticket.code, for: address, of: ticket.uid)
        let isVerified = try await database.write(as: Principal(uid: ticket.uid)) { tx in
            let isVerified = try await tx.verifyEmail(address, digest: digest, at: now())
            if isVerified { try tx.record(.emailVerified, by: context.origin, at: now()) }
            return isVerified
        }
        guard isVerified else { return try over() }
        return try pages.message("Thank you", "\(address) is yours now. You can close this page.")
    }

    /// `GET /password?ticket=`
    @Sendable func askPassword(_ request: Request, in context: AppContext) async throws -> Response {
        let text = request.uri.queryParameters.get("ticket") ?? ""
        guard passwordTicket(text) != nil else { return try over() }
        return try pages.response(.newPassword, ["ticket": text])
    }

    /// `POST /password`
    @Sendable func resetPassword(_ request: Request, in context: AppContext) async throws -> Response {
        let form = try await Form.decode(Entered.self, from: request)
        guard let ticket = passwordTicket(form.ticket) else { return try over() }
        try await limits.take(.resetPassword, from: context.origin.source)
        let phc: String
        do {
            phc = try await passwords.hash(passwords.new(form.password))
        } catch let problem as Problem where problem.field != nil {
            let error = "A password \(problem.detail ?? "has 12 to 256 characters")."
            return try pages.response(
                .newPassword,
                ["ticket": form.ticket, "error": error],
                status: problem.status
            )
        }
        let (digest, now) = (codes.digest(ofReset: ticket.code, ticket.resetID), now())
        let isReset = try await database.enter(byReset: ticket.resetID, digest: digest, at: now) { tx in
            try await tx.resetPassword(phc, from: context.origin, at: now)
            return true
        }
        guard isReset == true else { return try over() }
        return try pages.message("It’s yours", "Sign in with the new password. You can close this page.")
    }

    private func emailTicket(_ text: String) -> EmailTicket? {
        Ticket<EmailTicket>(text, for: EmailTicket.purpose, key: tokens.ticketKey, at: now())?.content
    }

    private func passwordTicket(_ text: String) -> PasswordTicket? {
        Ticket<PasswordTicket>(text, for: PasswordTicket.purpose, key: tokens.ticketKey, at: now())?.content
    }

    private func over() throws -> Response {
        try pages.message(
            "This link is over",
            "It works once, and for ten minutes. Ask for another where you asked for this one.",
            status: .gone
        )
    }
}
