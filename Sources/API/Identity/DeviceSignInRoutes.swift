import Crypto
import Domain
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import PGClient
import Tenancy

/// Signing in a device by a code that its person enters elsewhere: the device authorization grant of OAuth 2.0
/// (RFC 8628), with its forms, fields and errors; and the other side of it for an editor that is signed in.
struct DeviceSignInRoutes: Sendable {
    let pool: PGPool
    let database: TenantDatabase
    let tokens: AccessTokens
    let limits: Limits
    let site: Site
    let now: @Sendable () -> Date

    private struct Ask: Decodable {
        let clientID: String
        let deviceName: String?

        private enum CodingKeys: String, CodingKey {
            case clientID = "client_id"
            case deviceName = "device_name"
        }
    }

    private struct Asked: Encodable {
        let device_code, user_code, verification_uri, verification_uri_complete: String
        let expires_in, interval: Int
    }

    private struct Grant: Decodable {
        let grantType, deviceCode: String

        private enum CodingKeys: String, CodingKey {
            case grantType = "grant_type"
            case deviceCode = "device_code"
        }
    }

    private struct Granted: Encodable {
        let access_token, refresh_token, uid: String
        let token_type = "Bearer"
        let expires_in: Int
        let signInEndsAt: Instant

        init(_ tokens: Tokens) {
            access_token = tokens.accessToken
            refresh_token = tokens.refreshToken
            uid = tokens.uid
            expires_in = tokens.expiresIn
            signInEndsAt = tokens.signInEndsAt
        }
    }

    private struct Waiting: Encodable {
        let deviceName, source: String
        let askedAt: Instant
    }

    func add(to routes: some RouterMethods<AppContext>, members: some RouterMethods<MemberContext>) {
        routes.group("auth/device")
            .post(use: askSignIn)
            .post("token", use: takeTokens)
        members.group("me/device-requests")
            .get(":code", use: deviceRequest)
            .post(":code", use: approve)
            .delete(":code", use: deny)
    }

    /// `POST /v1/auth/device`: a code to show, and one to come back with.
    @Sendable func askSignIn(_ request: Request, in context: AppContext) async throws -> Response {
        let ask = try await Form.decode(Ask.self, from: request)
        guard let name = DeviceName(ask.deviceName ?? ask.clientID) else {
            return try OAuthError.invalidRequest("device_name must have 1 to 80 characters").response()
        }
        try await limits.take(.askDeviceSignIn, from: context.origin.source)
        let (device, code) = (DeviceCode(), UserCode())
        try await pool.askDeviceSignIn(
            device,
            code.digest(tokens.deviceKey),
            named: name,
            from: context.origin.source.coarse,
            at: now()
        )
        return try JSON.response(
            Asked(
                device_code: device.text,
                user_code: code.text,
                verification_uri: site.url("/device"),
                verification_uri_complete: site.url("/device?user_code=\(code.text)"),
                expires_in: Int(DeviceCode.lifetime),
                interval: DeviceCode.interval
            )
        )
    }

    /// `POST /v1/auth/device/token`: the tokens, once somebody has said yes.
    @Sendable func takeTokens(_ request: Request, in context: AppContext) async throws -> Response {
        let grant = try await Form.decode(Grant.self, from: request)
        guard grant.grantType == "urn:ietf:params:oauth:grant-type:device_code" else {
            return try OAuthError.unsupportedGrant.response()
        }
        try await limits.take(.pollDeviceSignIn, from: context.origin.source)
        guard let code = DeviceCode(grant.deviceCode) else { return try OAuthError.invalidGrant.response() }
        let now = now()
        let (outcome, signIn) = try await database.enter(by: code, at: now) { tx in
            try await tx.signIn(by: .deviceCode, from: context.origin, at: now)
        }
        if let signIn { return try JSON.response(Granted(try await tokens.answer(with: signIn))) }
        return try OAuthError(outcome).response()
    }

    /// `GET /v1/me/device-requests/{code}`: the device that waits and shows the code.
    @Sendable func deviceRequest(_ request: Request, in context: MemberContext) async throws -> Response {
        let device = try await waiting(in: context)
        return try JSON.response(
            Waiting(deviceName: device.deviceName, source: device.source, askedAt: device.askedAt)
        )
    }

    /// `POST /v1/me/device-requests/{code}`: lets it in as oneself.
    @Sendable func approve(_ request: Request, in context: MemberContext) async throws -> Response {
        try await answer(isApproved: true, in: context)
    }

    /// `DELETE /v1/me/device-requests/{code}`
    @Sendable func deny(_ request: Request, in context: MemberContext) async throws -> Response {
        try await answer(isApproved: false, in: context)
    }

    private func waiting(in context: MemberContext) async throws -> DeviceRequest {
        let principal = context.principal
        try await limits.take(.enterDeviceCode, from: context.origin.source, account: principal.uid.text)
        guard let code = context.parameters.get("code").flatMap(UserCode.init),
            let device = try await pool.deviceRequest(showing: code.digest(tokens.deviceKey), at: now())
        else { throw Problem.notFound }
        return device
    }

    private func answer(isApproved: Bool, in context: MemberContext) async throws -> Response {
        let device = try await waiting(in: context)
        let isAnswered = try await database.write(as: context.principal) { tx in
            guard try await tx.answerDevice(device.id, isApproved: isApproved, at: now()) else {
                return false
            }
            if isApproved {
                try tx.record(.deviceApproved, device.deviceName, by: context.origin, at: now())
            }
            return true
        }
        guard isAnswered else { throw Problem.notFound }
        return Response(status: .noContent)
    }
}

/// An answer as OAuth 2.0 has it (RFC 6749 §5.2, RFC 8628 §3.5), for a client that is written for that.
struct OAuthError: Encodable {
    let error: String
    let error_description: String?

    static let unsupportedGrant = OAuthError(error: "unsupported_grant_type", error_description: nil)
    static let invalidGrant = OAuthError(error: "invalid_grant", error_description: nil)

    static func invalidRequest(_ why: String) -> OAuthError {
        OAuthError(error: "invalid_request", error_description: why)
    }

    func response() throws -> Response {
        try JSON.response(self, status: .badRequest)
    }
}

extension OAuthError {
    fileprivate init(_ outcome: DeviceOutcome) {
        let error =
            switch outcome {
            case .waiting: "authorization_pending"
            case .tooOften: "slow_down"
            case .denied: "access_denied"
            case .expired: "expired_token"
            case .unknown, .approved: "invalid_grant"
            }
        self.init(error: error, error_description: nil)
    }
}
