import Domain
import Foundation
import PGClient
import Tenancy

/// A token as its person sees it, without what would open anything.
struct StoredToken: PGRow, Encodable {
    let id: UUID
    let name: String
    let scopes: [String]
    let createdAt, expiresAt: Instant
    /// In UTC.
    let lastUsedOn: LocalDay?
    /// The token itself, in the one answer that shows it.
    var token: String?

    init(from row: inout PGRowReader) throws {
        id = try row.next()
        name = try row.next()
        scopes = try row.next()
        createdAt = try row.next()
        expiresAt = try row.next()
        lastUsedOn = try row.next()
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id.text, forKey: .id)
        try container.encode(name, forKey: .name)
        try container.encode(scopes, forKey: .scopes)
        try container.encode(createdAt, forKey: .createdAt)
        try container.encode(expiresAt, forKey: .expiresAt)
        try container.encodeIfPresent(lastUsedOn, forKey: .lastUsedOn)
        try container.encodeIfPresent(token, forKey: .token)
    }

    private enum CodingKeys: CodingKey {
        case id, name, scopes, createdAt, expiresAt, lastUsedOn, token
    }
}

extension TenantTransaction {
    /// The newest first, with those that are over.
    func ownTokens(_ id: UUID? = nil) async throws -> [StoredToken] {
        try await query(
            """
            select token_id, name, scopes, created_at, expires_at, used_on
            from app.access_token
            where uid = \(principal.uid) and token_id = coalesce(\(id), token_id)
            order by created_at desc, token_id
            """
        )
    }

    func addToken(_ token: PersonalAccessToken, as wish: TokenRoutes.Wish, at now: Instant) async throws {
        try await execute(
            """
            select app.add_access_token(\(token.id), \(token.hash), \(wish.name.text),
              \(wish.scopes.map(\.rawValue)), \(now), \(wish.expiresAt))
            """
        )
    }

    /// Its name, nil where there was no such token.
    func revokeToken(_ id: UUID) async throws -> String? {
        try await query(
            "delete from app.access_token where uid = \(principal.uid) and token_id = \(id) returning name",
            as: (String).self
        ).first
    }

    /// Once a day, whoever comes first.
    func noteUse(of token: PersonalAccessToken, on day: LocalDay) async throws {
        try await execute(
            """
            update app.access_token set used_on = \(day)
            where uid = \(principal.uid) and token_id = \(token.id) and coalesce(used_on < \(day), true)
            """
        )
    }
}
