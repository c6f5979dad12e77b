import Hummingbird
import PGClient

/// `/health`: whether the process lives, and whether it can serve.
struct HealthRoutes: Sendable {
    let pool: PGPool

    private struct Status: Encodable {
        let status: String
    }

    func add(to routes: some RouterMethods<AppContext>) {
        routes.group("health")
            .get("live", use: live)
            .get("ready", use: ready)
    }

    /// `GET /health/live`: never asks the database; a restart would not help it.
    @Sendable func live(_ request: Request, in context: AppContext) async throws -> Response {
        try JSON.response(Status(status: "live"))
    }

    /// `GET /health/ready`: 503 while the database can't be reached.
    @Sendable func ready(_ request: Request, in context: AppContext) async throws -> Response {
        _ = try await pool.transaction(.readOnly) { tx in
            try await tx.queryOne("select 1", as: Int.self)
        }
        return try JSON.response(Status(status: "ready"))
    }
}
