import Domain
import Foundation
import HTTPTypes
import PGClient
import Tenancy
import Testing

@testable import API

extension TestServer {
    /// What an operator does by command, on the test's database.
    func asOperator<Result: Sendable>(_ body: (PGTransaction) async throws -> Result) async throws -> Result {
        let pool = PGPool(PGConfiguration(superuser))
        let result = try await pool.transaction(opening: "set local role breathmaster_owner", body)
        await pool.close()
        return result
    }

    /// With row security out of the way, to see what is really there.
    @discardableResult
    func asSuperuser<Result: Sendable>(_ body: (PGTransaction) async throws -> Result) async throws -> Result
    {
        let pool = PGPool(PGConfiguration(superuser))
        let result = try await pool.transaction(.readWrite, body)
        await pool.close()
        return result
    }

    /// Counts every board again, as `breathmaster boards verify` does: what differs, in words.
    func boardDifferences() async throws -> [String] {
        try await Self.boardDifferences(in: superuser)
    }

    static func boardDifferences(in database: String) async throws -> [String] {
        let pool = PGPool(PGConfiguration(database))
        var differences: [String] = []
        _ = try await BoardAudit(pool: pool).run { differences.append($0) }
        await pool.close()
        return differences
    }

    /// A company with its own domain and its board on; and `owner`, an owner's uid, who came by that domain and
    /// is no guest.
    func company(_ name: String, owner: String) async throws -> (id: String, domain: String) {
        let domain = "\(UUID().uuidString.lowercased()).example"
        let uid = UUID(uuidString: owner) ?? UUID()
        let id = try await asOperator { tx in
            try await tx.queryOne("select app.create_organization(\(name), \(domain), \(uid))", as: UUID.self)
        }
        try await asSuperuser { tx in
            try await tx.execute(
                "update app.organization set leaderboard_enabled = true where organization_id = \(id)"
            )
            try await tx.execute("update app.member set domain = \(domain) where organization_id = \(id)")
        }
        return (id.uuidString.lowercased(), domain)
    }

    /// Appeals for a session of the laptop, and decides that as an operator does.
    func decide(appealOf session: [String: Any], by client: Client, uid: String, accepted: Bool) async throws
    {
        try await client.appeal(session)
        try await decide(session, uid: uid, accepted: accepted)
    }

    /// What an operator decides on the appeal for a session of the laptop.
    func decide(_ session: [String: Any], uid: String, accepted: Bool) async throws {
        let key = Session.Key(
            deviceID: "laptop",
            sessionID: "\(session["id"] ?? "")",
            startedAt: try #require(Instant("\(session["startedAt"] ?? "")"))
        )
        let pool = PGPool(PGConfiguration(superuser))
        let principal = Principal(uid: try #require(UUID(uuidString: uid)))
        try await TenantDatabase(pool: pool).operate(on: principal) { tx in
            try await tx.decide(key, accepted: accepted, by: "An operator", note: nil, at: Instant(Date()))
        }
        await pool.close()
    }

    func recordEmail(of uid: String, _ address: String) async throws {
        try await asOperator { tx in
            _ = try await tx.execute(
                "select app.record_email(\(UUID(uuidString: uid) ?? UUID()), \(address))"
            )
        }
    }
}

extension Client {
    /// Asks to let a session of the laptop count.
    func appeal(_ session: [String: Any]) async throws {
        let appeal = try await send(
            .post,
            "/v1/sync/sessions/\(session["id"] ?? "")/appeal",
            [
                "deviceId": "laptop", "startedAt": session["startedAt"] ?? "",
                "reason": "I breathe like a hummingbird",
            ]
        )
        try #require(appeal.status == 201)
    }
}
