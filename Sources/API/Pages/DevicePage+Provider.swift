import Crypto
import Domain
import Foundation
import HTTPTypes
import Hummingbird
import Tenancy

/// `/device` for those who are known by a provider: to it and back, by the authorization code flow with PKCE
/// (RFC 6749 §4.1, RFC 7636, RFC 9700).
extension DevicePage {
    private static let path = "/sign-in/google"

    private struct Entered: Decodable {
        let user_code: String
    }

    /// `POST /device/google`: off to the provider, with the code for when they are back.
    @Sendable func goToProvider(_ request: Request, in context: AppContext) async throws -> Response {
        let entered = try await Form.decode(Entered.self, from: request).user_code
        try await limits.take(.enterDeviceCode, from: context.origin.source)
        guard let provider else { throw Problem.providerNotSet }
        guard let code = UserCode(entered) else {
            return try form(
                ["error": "Please enter the code that your editor shows.", "userCode": entered],
                status: .unprocessableContent
            )
        }
        let attempt = try OpenIDAttempt(key: tokens.ticketKey, at: now())
        let browser = SymmetricKey(size: .bits128).withUnsafeBytes { Data($0) }
        let state = Ticket(
            content: ProviderTicket(userCode: code.text, attempt: attempt, browser: Self.digest(browser)),
            goodUntil: now().addingTimeInterval(OpenIDAttempt.lifetime)
        )
        let url = try await provider.authorizationURL(
            for: attempt,
            state: try state.text(for: ProviderTicket.purpose, key: tokens.ticketKey),
            comingBackTo: site.url(Self.path)
        )
        var response = Response.redirect(to: url, type: .normal)
        response.headers[.cacheControl] = "no-store"
        response.setCookie(cookie(browser.base64URL, for: Int(OpenIDAttempt.lifetime)))
        return response
    }

    /// `GET /sign-in/google`: back, as whoever the provider says, to the same question as with a password.
    @Sendable func comeBack(_ request: Request, in context: AppContext) async throws -> Response {
        let query = request.uri.queryParameters
        try await limits.take(.showIdentity, from: context.origin.source)
        guard let provider else { throw Problem.providerNotSet }
        guard let ticket = ticket(in: request) else { return try over() }
        guard let code = query.get("code") else {
            return try pages.message(
                "Nobody was signed in",
                "You can go back to the page with the code, or close this one."
            )
        }
        let shown = try await provider.identity(
            by: try await provider.idToken(for: code, of: ticket.attempt, comingBackTo: site.url(Self.path)),
            nonce: ticket.attempt.nonce,
            key: tokens.ticketKey,
            at: now()
        )
        let (outcome, person) = try await database.enter(by: shown, from: context.origin) { tx in
            (tx.principal.uid, try await tx.ownPassword())
        }
        guard let (uid, phc) = person else { throw Problem(identity: outcome) }
        let name = shown.person.address ?? "your \(provider.settings.title) account"
        var response = try await question(showing: ticket.userCode, to: uid, phc, known: name)
        response.setCookie(cookie("", for: 0))
        return response
    }

    /// What was sealed when this browser, and no other, set out.
    private func ticket(in request: Request) -> ProviderTicket? {
        guard let state = request.uri.queryParameters.get("state"),
            let ticket = Ticket<ProviderTicket>(
                state,
                for: ProviderTicket.purpose,
                key: tokens.ticketKey,
                at: now()
            )?.content,
            let browser = request.cookies[cookieName].flatMap({ Data(base64URL: $0.value) }),
            Self.digest(browser) == ticket.browser
        else { return nil }
        return ticket
    }

    private var cookieName: String { site.isSecure ? "__Secure-sign-in" : "sign-in" }

    /// The one cookie that there is: who begins a sign-in in one browser can't have it end in another's.
    private func cookie(_ value: String, for seconds: Int) -> Cookie {
        Cookie(
            name: cookieName,
            value: value,
            maxAge: seconds,
            path: Self.path,
            secure: site.isSecure,
            httpOnly: true,
            sameSite: .lax
        )
    }

    private static func digest(_ secret: Data) -> Data {
        Data(SHA256.hash(data: secret))
    }
}
