import Domain
import Foundation
import HTTPTypes
import Hummingbird
import Tenancy

/// `/v1/organizations/{organization}/keys`: what an organization lets programs of its own do, such as
/// its directory. For its owners and admins.
struct OrganizationKeyRoutes: Sendable {
    let database: TenantDatabase
    let limits: Limits
    let now: @Sendable () -> Date

    /// What a new key is to be.
    struct Wish: Decodable, Sendable {
        /// By the same rule as a device's.
        let name: DeviceName
        let scopes: [KeyScope]
        /// Null for one that lasts until it is revoked.
        let expiresAt: Instant?
        let sources: [SourceNetwork]

        private enum CodingKeys: CodingKey {
            case name, scopes, expiresAt, sources
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            name = try container.decode(DeviceName.self, forKey: .name)
            let named = try container.decode([String].self, forKey: .scopes)
            scopes = Set(named.compactMap(KeyScope.init(rawValue:))).sorted { $0.rawValue < $1.rawValue }
            guard scopes.count == Set(named).count, !scopes.isEmpty else {
                throw DecodingError.dataCorruptedError(
                    forKey: .scopes,
                    in: container,
                    debugDescription:
                        "must be of \(KeyScope.allCases.map(\.rawValue).joined(separator: ", "))"
                )
            }
            expiresAt = try container.decodeIfPresent(Instant.self, forKey: .expiresAt)
            let networks = try container.decodeIfPresent([String].self, forKey: .sources) ?? []
            sources = networks.compactMap { SourceNetwork($0) }
            guard sources.count == networks.count, sources.count <= 50 else {
                throw DecodingError.dataCorruptedError(
                    forKey: .sources,
                    in: container,
                    debugDescription: "must be at most 50 addresses or networks, such as 192.0.2.0/24"
                )
            }
        }
    }

    private struct List: Encodable {
        let keys: [StoredOrganizationKey]
    }

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.group("organizations/:organization/keys")
            .get(use: keys)
            .post(use: createKey)
            .delete(":key", use: revokeKey)
    }

    /// `GET /v1/organizations/{organization}/keys`: the newest first, those that are over too.
    @Sendable func keys(_ request: Request, in context: MemberContext) async throws -> Response {
        let organization = try context.parameters.id("organization")
        let keys = try await database.read(as: context.principal) { tx in
            try await tx.requireManager(of: organization)
            return try await tx.keys(of: organization)
        }
        return try JSON.response(List(keys: keys))
    }

    /// `POST /v1/organizations/{organization}/keys`: the only answer that has the key. Several are good at
    /// once, so that one can take over from another.
    @Sendable func createKey(_ request: Request, in context: MemberContext) async throws -> Response {
        let organization = try context.parameters.id("organization")
        let now = Instant(now())
        let wish = try await JSON.decode(Wish.self, from: request)
        if let end = wish.expiresAt, end <= now {
            throw Problem.invalid("expiresAt", "must be in the future")
        }
        try await limits.take(.createToken, from: context.origin.source, account: context.principal.uid.text)
        let key = OrganizationKey(organization: organization)
        let stored = try await database.write(as: context.principal) { tx in
            try await tx.addKey(key, as: wish, by: context.origin.address(at: now.date))
            let stored = try await tx.keys(of: organization, key.id)
            let detail = "\(wish.name.text): \(wish.scopes.map(\.rawValue).joined(separator: " "))"
            try tx.record(.organizationKeyCreated, detail, by: context.origin, at: now.date)
            return stored
        }
        guard var shown = stored.first else { throw Problem.unexpected }
        shown.key = key.text
        return try JSON.response(shown, status: .created)
    }

    /// `DELETE /v1/organizations/{organization}/keys/{key}`: it opens nothing any more, at once.
    @Sendable func revokeKey(_ request: Request, in context: MemberContext) async throws -> Response {
        let organization = try context.parameters.id("organization")
        let id = try context.parameters.id("key")
        let name = try await database.write(as: context.principal) { tx in
            let now = now()
            let name = try await tx.revokeKey(id, of: organization, by: context.origin.address(at: now))
            if let name { try tx.record(.organizationKeyRevoked, name, by: context.origin, at: now) }
            return name
        }
        guard name != nil else { throw Problem.notFound }
        return Response(status: .noContent)
    }
}
