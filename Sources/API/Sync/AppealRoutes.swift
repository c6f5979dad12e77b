import Domain
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import Tenancy

/// `/v1/sync/sessions/{id}/appeal`: someone asks to let a session count that was quarantined.
struct AppealRoutes: Sendable {
    let database: TenantDatabase

    private struct Body: Decodable {
        let deviceId: Label
        let startedAt: Instant
        let reason: String
    }

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.post("sync/sessions/:id/appeal", use: appeal)
        routes.get("sync/sessions/:id/appeal", use: ownAppeals)
    }

    /// `POST /v1/sync/sessions/{id}/appeal`: once for each session. An operator decides.
    @Sendable func appeal(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.label("id")
        let body = try await JSON.decode(Body.self, from: request)
        guard (1...1000).contains(body.reason.unicodeScalars.count) else {
            throw Problem.invalid("reason", "must have 1 to 1000 characters")
        }
        let key = Session.Key(deviceID: body.deviceId.text, sessionID: id, startedAt: body.startedAt)
        let appeals = try await database.write(as: context.principal) { tx in
            guard let verdict = try await tx.verdict(on: key) else { throw Problem.notFound }
            guard verdict != .sound else { throw Problem.sessionCounts }
            try await tx.appeal(key, verdict: verdict, reason: body.reason)
            return try await tx.appeals(for: id)
        }
        context.logger.notice("an appeal waits", metadata: ["uid": .string(context.principal.uid.text)])
        return try JSON.response(["appeals": appeals], status: .created)
    }

    /// `GET /v1/sync/sessions/{id}/appeal`: what was asked, and what was decided.
    @Sendable func ownAppeals(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.label("id")
        let appeals = try await database.read(as: context.principal) { tx in
            try await tx.appeals(for: id)
        }
        return try JSON.response(["appeals": appeals])
    }
}

extension Problem {
    fileprivate static let sessionCounts = Problem(.conflict, "session_counts", "That session counts already")
}
