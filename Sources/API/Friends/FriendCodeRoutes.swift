import Domain
import Foundation
import Hummingbird
import Tenancy

/// `/v1/friends/code`: an invitation that a person gives away, and `POST /v1/friends`
/// for the one who got it.
struct FriendCodeRoutes: Sendable {
    let database: TenantDatabase
    let codes: FriendCodes
    let limits: Limits

    private struct Current: Encodable {
        let code: String
        let madeAt: Instant
        let expiresAt: Instant
    }

    private struct Body: Decodable {
        let code: FriendCode
    }

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.group("friends")
            .post(use: redeem)
            .get("code", use: currentCode)
            .post("code", use: rotateCode)
            .delete("code", use: takeCodeBack)
    }

    /// `POST /v1/friends`: asks the person whose code it is, or accepts where they asked before.
    @Sendable func redeem(_ request: Request, in context: MemberContext) async throws -> Response {
        let code = try await JSON.decode(Body.self, from: request).code
        try await limits.take(.redeemFriendCode, from: context.origin.source)
        // Thrown only after the commit, which keeps the count of attempts.
        let redemption = try await database.write(as: context.principal) { tx in
            try await tx.redeemFriendCode(codes.digest(of: code))
        }
        switch redemption {
        case .found(let standing): return try JSON.response(standing)
        case .nothing: throw Problem.notFound
        case .tooMany(let seconds): throw Problem.tooManyCodes(retryAfter: seconds)
        }
    }

    /// `GET /v1/friends/code`
    @Sendable func currentCode(_ request: Request, in context: MemberContext) async throws -> Response {
        let row = try await database.read(as: context.principal) { tx in
            try await tx.ownFriendCode()
        }
        return try JSON.response(try current(row))
    }

    /// `POST /v1/friends/code`: a new one, in the place of the one before.
    @Sendable func rotateCode(_ request: Request, in context: MemberContext) async throws -> Response {
        try await limits.take(
            .makeFriendCode,
            from: context.origin.source,
            account: context.principal.uid.text
        )
        let seed = UUID()
        let row = try await database.write(as: context.principal) { tx in
            try await tx.makeFriendCode(seed: seed, digest: codes.digest(of: codes.code(from: seed)))
        }
        return try JSON.response(try current(row), status: .created)
    }

    /// `DELETE /v1/friends/code`: who has it can't use it any more.
    @Sendable func takeCodeBack(_ request: Request, in context: MemberContext) async throws -> Response {
        try await database.write(as: context.principal) { tx in
            try await tx.takeFriendCodeBack()
        }
        return Response(status: .noContent)
    }

    /// A code that another key made is none: nobody could redeem it.
    private func current(_ row: FriendCodeRow?) throws -> Current {
        guard let row else { throw Problem.notFound }
        let code = codes.code(from: row.seed)
        guard codes.digest(of: code) == row.digest else { throw Problem.notFound }
        return Current(code: code.description, madeAt: row.madeAt, expiresAt: row.expiresAt)
    }
}

extension Problem {
    fileprivate static func tooManyCodes(retryAfter: Int) -> Problem {
        Problem(
            .tooManyRequests,
            "too_many_codes",
            "That was as many codes as can be tried within an hour",
            retryAfter: retryAfter
        )
    }
}
