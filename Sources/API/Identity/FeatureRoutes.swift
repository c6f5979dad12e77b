import Domain
import Hummingbird
import Tenancy

/// `/v1/features`: what this person has, and what they could have.
struct FeatureRoutes: Sendable {
    let database: TenantDatabase

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.get("features", use: features)
    }

    /// `GET /v1/features`
    @Sendable func features(_ request: Request, in context: MemberContext) async throws -> Response {
        let isSyncEnabled = try await database.read(as: context.principal) { tx in
            try await tx.isSyncEnabled()
        }
        // There are no plans yet: everybody is free.
        return try JSON.response(FeatureMatrix(tier: .free, isSyncEnabled: isSyncEnabled))
    }
}
