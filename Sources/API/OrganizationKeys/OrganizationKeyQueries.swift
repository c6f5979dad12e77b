import Domain
import Foundation
import PGClient
import Tenancy

/// A key as those see it who manage the organization, without what would open anything.
struct StoredOrganizationKey: PGRow, Encodable {
    let id: UUID
    let name: String
    let scopes: [String]
    /// The networks that it is good from; from anywhere where there is none.
    let sources: [String]
    let createdAt: Instant
    let expiresAt: Instant?
    /// In UTC.
    let lastUsedOn: LocalDay?
    /// The key itself, in the one answer that shows it.
    var key: String?

    init(from row: inout PGRowReader) throws {
        id = try row.next()
        name = try row.next()
        scopes = try row.next()
        sources = try row.next()
        createdAt = try row.next()
        expiresAt = try row.next()
        lastUsedOn = try row.next()
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id.text, forKey: .id)
        try container.encode(name, forKey: .name)
        try container.encode(scopes, forKey: .scopes)
        try container.encode(sources, forKey: .sources)
        try container.encode(createdAt, forKey: .createdAt)
        try container.encodeIfPresent(expiresAt, forKey: .expiresAt)
        try container.encodeIfPresent(lastUsedOn, forKey: .lastUsedOn)
        try container.encodeIfPresent(key, forKey: .key)
    }

    private enum CodingKeys: CodingKey {
        case id, name, scopes, sources, createdAt, expiresAt, lastUsedOn, key
    }
}

extension TenantTransaction {
    /// - Throws: `BM404` for who is no member, `BM403` for one whose role doesn't allow it.
    func requireManager(of organization: UUID) async throws {
        try await execute("select app.require_permission(\(organization), 'keys.manage')")
    }

    /// The newest first, with those that are over.
    func keys(of organization: UUID, _ id: UUID? = nil) async throws -> [StoredOrganizationKey] {
        try await query(
            """
            select key_id, name, scopes, sources::text[], created_at, expires_at, used_on
            from app.organization_key
            where organization_id = \(organization) and key_id = coalesce(\(id), key_id)
            order by created_at desc, key_id
            """
        )
    }

    func addKey(_ key: OrganizationKey, as wish: OrganizationKeyRoutes.Wish, by origin: SQL) async throws {
        try await execute(
            """
            select app.add_organization_key(\(key.organizationID), \(key.id), \(key.hash), \(wish.name.text),
              \(wish.scopes.map(\.rawValue)), \(wish.sources.map(\.text)), \(wish.expiresAt), \(origin))
            """
        )
    }

    /// Its name, nil where there was no such key.
    func revokeKey(_ id: UUID, of organization: UUID, by origin: SQL) async throws -> String? {
        try await queryOne(
            "select app.revoke_organization_key(\(organization), \(id), \(origin))",
            as: String?.self
        )
    }
}

extension OrganizationTransaction {
    /// Once a day, whoever comes first.
    func noteUse(on day: LocalDay) async throws {
        try await execute("select app.note_key_use(\(principal.keyID), \(day))")
    }
}
