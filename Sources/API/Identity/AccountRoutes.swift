import Domain
import Foundation
import Hummingbird
import Tenancy

/// `/v1/me` as a whole: all of it to take along, and the end of it.
struct AccountRoutes: Sendable {
    /// What somebody without a password types, so that no stray request ends an account.
    static let confirmation = "delete my account"

    let database: TenantDatabase
    let limits: Limits
    let passwords: Passwords
    let now: @Sendable () -> Date

    private struct Deletion: Decodable {
        let password, confirm: String?
    }

    private struct Deleted: Encodable {
        let deletedAt: Instant
        /// How much there was of what.
        let deleted: JSONValue
    }

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.group("me")
            .delete(use: deleteAccount)
            .get("export", use: exportAccount)
    }

    /// `DELETE /v1/me`: everything of this person, at once and for good.
    @Sendable func deleteAccount(_ request: Request, in context: MemberContext) async throws -> Response {
        let body = try await JSON.decode(Deletion.self, from: request)
        try await limits.take(
            .deleteAccount,
            from: context.origin.source,
            account: context.principal.uid.text
        )
        let now = now()
        let counts = try await passwords.confirmed(
            body.password,
            field: "password",
            as: context.principal,
            in: database
        ) { tx in
            guard try await tx.ownPassword() != nil || body.confirm == Self.confirmation else {
                throw Problem.invalid("confirm", "must be \"\(Self.confirmation)\"")
            }
            return try await tx.deleteAccount(by: context.origin.network(at: now))
        }
        return try JSON.response(Deleted(deletedAt: Instant(now), deleted: counts))
    }

    /// `GET /v1/me/export`: everything that is kept of this person, as it is stored.
    @Sendable func exportAccount(_ request: Request, in context: MemberContext) async throws -> Response {
        try await limits.take(
            .exportAccount,
            from: context.origin.source,
            account: context.principal.uid.text
        )
        let export = try await database.read(as: context.principal) { tx in
            try await tx.exportedAccount(at: now())
        }
        var response = JSON.response(bytes: export.utf8)
        response.headers[.contentDisposition] = "attachment; filename=\"breath-master.json\""
        return response
    }
}
