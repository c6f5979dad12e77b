import Domain
import Foundation
import PGClient
import Tenancy

/// What is told of a person when they take everything along: tables, and the columns of each that hold
/// something of theirs. What only recognises a secret is in none.
enum AccountExport {
    static let tables: [(name: String, columns: String)] = [
        ("user", "*"), ("game_state", "*"),
        (
            "device",
            "uid, device_id, name, chosen_name, time_zone, epoch, last_taken_at, created_at, clock_offset_ms, session_xp, "
                + "reward_xp, claimed_xp, held_xp, carried_xp, revoked_at"
        ),
        ("session", "*"), ("practice_day", "*"), ("daily_challenge", "*"), ("state_entry", "*"),
        ("session_appeal", "*"), ("appeal_decision", "*"),
        ("sync_batch", "uid, batch_id, device_id, epoch, sync_version, handed_xp, earned_xp, received_at"),
        ("email_claim", "uid, address, verified_at"),
        ("email_verification", "uid, address, asked_at, good_until"),
        ("identity", "uid, issuer, address, linked_at"),
        ("account_merge", "uid, into_uid, good_until, agreed_at"),
        ("password", "uid, set_at"), ("recovery_code", "uid, made_at"),
        ("refresh_token", "uid, family, expires_at, ends_at"),
        ("access_token", "uid, token_id, name, scopes, created_at, expires_at, used_on"),
        ("audit_event", "*"), ("member", "*"), ("block", "*"), ("friend_code", "uid, made_at"),
        ("ownership_offer", "*"),
    ]
}

extension TenantTransaction {
    /// All of this person's rows, as JSON by table. At most 20,000 sessions, and what goes with them.
    func exportedAccount(at now: Date) async throws -> String {
        let parts = AccountExport.tables.map { name, columns -> SQL in
            """
            json_build_object(\(name)::text, (
              select coalesce(json_agg(to_json(t)), '[]')
              from (select \(unsafeSQL: columns) from app.\(identifier: name) where uid = \(principal.uid)) as t
            ))
            """
        }
        let tables = parts.dropFirst().reduce(parts[0]) { "\($0), \($1)" }
        return try await queryOne(
            """
            select json_build_object(
              'exportedAt', \(Instant(now).description)::text,
              'uid', \(principal.uid),
              'tables', json_build_array(\(tables)),
              'friends', (select coalesce(json_agg(to_json(f)), '[]') from board.friend f)
            )::text
            """,
            as: String.self
        )
    }

    /// How much of what went.
    func deleteAccount(by origin: SQL) async throws -> JSONValue {
        let counts = try await queryOne("select app.delete_account(\(origin))::text", as: String.self)
        return try JSONDecoder().decode(JSONValue.self, from: Data(counts.utf8))
    }
}
