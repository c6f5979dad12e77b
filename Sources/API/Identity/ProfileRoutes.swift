import Domain
import Foundation
import Hummingbird
import Tenancy

/// `/v1/me`: what a person says about themself, and what they agreed to show.
struct ProfileRoutes: Sendable {
    let database: TenantDatabase

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.group("me")
            .get(use: profile)
            .patch(use: changeProfile)
    }

    /// `GET /v1/me`
    @Sendable func profile(_ request: Request, in context: MemberContext) async throws -> Response {
        let profile = try await database.read(as: context.principal) { tx in
            try await tx.ownProfile()
        }
        return try JSON.response(profile)
    }

    /// `PATCH /v1/me`: changes what is named, leaves what is not (RFC 7396). A change of sharing is on every board in the same transaction.
    @Sendable func changeProfile(_ request: Request, in context: MemberContext) async throws -> Response {
        let change = try await JSON.decode(ProfileChange.self, from: request)
        let profile = try await database.write(as: context.principal) { tx in
            try await tx.changeProfile(change)
            return try await tx.ownProfile()
        }
        return try JSON.response(profile)
    }
}
