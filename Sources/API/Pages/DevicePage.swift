import Crypto
import Domain
import Foundation
import HTTPTypes
import Hummingbird
import PGClient
import Tenancy

/// `/device`: where a person enters the code that their editor shows, and says yes or no.
struct DevicePage: Sendable {
    let pool: PGPool
    let database: TenantDatabase
    let tokens: AccessTokens
    let limits: Limits
    let signIns: PasswordSignIns
    /// Whom people may be sent to instead of saying a password; nil where that is nobody.
    let provider: OpenIDProvider?
    let site: Site
    let pages: Pages
    let now: @Sendable () -> Date

    private struct Entered: Decodable {
        let user_code, address, password: String
    }

    private struct Answered: Decodable {
        let ticket, answer: String
    }

    func add(to routes: some RouterMethods<AppContext>) {
        routes.group("device")
            .get(use: show)
            .post(use: enterCode)
            .post("answer", use: answer)
            .post("google", use: goToProvider)
        routes.get("sign-in/google", use: comeBack)
    }

    /// `GET /device`, with `user_code` where a link brought somebody here.
    @Sendable func show(_ request: Request, in context: AppContext) async throws -> Response {
        let code = request.uri.queryParameters.get("user_code").flatMap(UserCode.init)
        return try form(["userCode": code?.text ?? ""])
    }

    /// `POST /device`: who somebody is and which code they read, for the page that asks whether they mean it.
    @Sendable func enterCode(_ request: Request, in context: AppContext) async throws -> Response {
        let form = try await Form.decode(Entered.self, from: request)
        do {
            try await limits.take(.enterDeviceCode, from: context.origin.source)
            guard let address = EmailAddress(form.address) else {
                throw Problem.invalid("address", "That is no e-mail address.")
            }
            let (uid, phc) = try await signIns.enter(by: address, form.password, from: context.origin.source)
            {
                ($0.principal.uid, try await $0.ownPassword())
            }
            return try await question(showing: form.user_code, to: uid, phc, known: address.description)
        } catch let problem as Problem {
            let why = problem.retryAfter.map { "\(problem.title). Please try again in \($0) seconds." }
            return try self.form(
                [
                    "error": why ?? problem.detail ?? "\(problem.title).", "userCode": form.user_code,
                    "address": form.address,
                ],
                status: problem.status
            )
        }
    }

    /// `POST /device/answer`
    @Sendable func answer(_ request: Request, in context: AppContext) async throws -> Response {
        let form = try await Form.decode(Answered.self, from: request)
        let (now, isApproved) = (now(), form.answer == "yes")
        guard
            let ticket = Ticket<DeviceTicket>(
                form.ticket,
                for: DeviceTicket.purpose,
                key: tokens.ticketKey,
                at: now
            )?.content
        else { return try over() }
        let isAnswered = try await database.write(as: Principal(uid: ticket.uid)) { tx in
            guard Self.digest(try await tx.ownPassword()) == ticket.password,
                try await tx.answerDevice(ticket.requestID, isApproved: isApproved, at: now)
            else { return false }
            if isApproved { try tx.record(.deviceApproved, ticket.deviceName, by: context.origin, at: now) }
            return true
        }
        guard isAnswered else { return try over() }
        return isApproved
            ? try pages.message(
                "It’s in",
                "Go back to your editor: it goes on by itself. You can close this page."
            )
            : try pages.message("It stays out", "Nothing was signed in. You can close this page.")
    }

    func form(_ values: [String: String], status: HTTPResponse.Status = .ok) throws -> Response {
        var values = values
        values["provider"] = provider?.settings.title
        return try pages.response(.device, values, status: status)
    }

    /// The page that asks the person whether they mean the device that shows the code.
    ///
    /// - Parameter name: what tells them which account it is.
    func question(showing text: String, to uid: UUID, _ phc: String?, known name: String) async throws
        -> Response
    {
        guard let code = UserCode(text),
            let device = try await pool.deviceRequest(showing: code.digest(tokens.deviceKey), at: now())
        else {
            throw Problem.invalid(
                "user_code",
                "No device waits with that code. It may be over: ask for another."
            )
        }
        let minutes = Int(now().timeIntervalSince(device.askedAt.date) / 60)
        let ticket = Ticket(
            content: DeviceTicket(
                uid: uid,
                requestID: device.id,
                deviceName: device.deviceName,
                password: Self.digest(phc)
            ),
            goodUntil: now().addingTimeInterval(DeviceCode.lifetime)
        )
        return try pages.response(
            .confirmDevice,
            [
                "deviceName": device.deviceName, "userCode": code.text, "address": name,
                "source": device.source,
                "askedAt": minutes == 0
                    ? "just now" : minutes == 1 ? "a minute ago" : "\(minutes) minutes ago",
                "ticket": try ticket.text(for: DeviceTicket.purpose, key: tokens.ticketKey),
            ]
        )
    }

    private static func digest(_ phc: String?) -> Data {
        Data(SHA256.hash(data: Data((phc ?? "").utf8)))
    }

    func over() throws -> Response {
        try pages.message(
            "That took too long",
            "The device doesn’t wait any more. Ask for another code in your editor.",
            status: .gone
        )
    }
}
