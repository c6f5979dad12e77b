import Crypto
import Domain
import Foundation
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
    }

    /// `GET /device`, with `user_code` where a link brought somebody here.
    @Sendable func show(_ request: Request, in context: AppContext) async throws -> Response {
        let code = request.uri.queryParameters.get("user_code").flatMap(UserCode.init)
        return try pages.response(.device, ["userCode": code?.text ?? ""])
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
            guard let code = UserCode(form.user_code),
                let device = try await pool.deviceRequest(showing: code.digest(tokens.deviceKey), at: now())
            else {
                throw Problem.invalid(
                    "user_code",
                    "No device waits with that code. It may be over: ask for another."
                )
            }
            let ticket = DeviceTicket(
                uid: uid,
                requestID: device.id,
                deviceName: device.deviceName,
                password: Self.digest(phc)
            )
            return try confirmation(of: device, showing: code, ticket, address)
        } catch let problem as Problem {
            let why = problem.retryAfter.map { "\(problem.title). Please try again in \($0) seconds." }
            return try pages.response(
                .device,
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

    private func confirmation(
        of device: DeviceRequest,
        showing code: UserCode,
        _ content: DeviceTicket,
        _ address: EmailAddress
    ) throws -> Response {
        let minutes = Int(now().timeIntervalSince(device.askedAt.date) / 60)
        let ticket = Ticket(content: content, goodUntil: now().addingTimeInterval(DeviceCode.lifetime))
        return try pages.response(
            .confirmDevice,
            [
                "deviceName": device.deviceName, "userCode": code.text, "address": address.description,
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

    private func over() throws -> Response {
        try pages.message(
            "That took too long",
            "The device doesn’t wait any more. Ask for another code in your editor.",
            status: .gone
        )
    }
}
