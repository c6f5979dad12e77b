import Domain
import Foundation
import PGClient
import Tenancy

extension OrganizationTransaction {
    /// How many groups there are of which the condition holds, and those of a page.
    ///
    /// - Parameter withMembers: their members too, which may be many.
    func groups(
        where filter: ScimFilter,
        from startIndex: Int,
        count: Int,
        withMembers: Bool
    ) async throws -> (total: Int, page: [StoredScimResource]) {
        let condition = ScimColumns.groups.condition(filter)
        let (totals, rows) = try await query(
            PGQuery<ScimTotal>(
                "select count(*) from app.directory_group g where g.organization_id = \(principal.organizationID) and \(condition)"
            ),
            PGQuery<GroupRow>(
                """
                select \(GroupRow.columns) from app.directory_group g
                where g.organization_id = \(principal.organizationID) and \(condition)
                order by g.created_at, g.directory_group_id
                offset \(startIndex - 1) limit \(count)
                """
            )
        )
        let page = rows.map { $0.resource() }
        return (totals.first?.count ?? 0, withMembers ? try await addMembers(to: page) : page)
    }

    /// - Parameter changing: nobody else changes it until this is done.
    func group(_ id: UUID, withMembers: Bool, changing: Bool = false) async throws -> StoredScimResource? {
        let group = try await queryFirst(
            """
            select \(GroupRow.columns) from app.directory_group g
            where g.organization_id = \(principal.organizationID) and g.directory_group_id = \(id)
            \(unsafeSQL: changing ? "for update" : "")
            """,
            as: GroupRow.self
        )?.resource()
        guard let group, withMembers else { return group }
        return try await addMembers(to: [group]).first
    }

    func addGroup(_ group: ScimResource, as id: UUID, at now: Instant) async throws {
        try await execute(
            """
            insert into app.directory_group (organization_id, directory_group_id, display_name, external_id, created_at, changed_at)
            values (\(principal.organizationID), \(id), \(group["displayName"]?.text ?? ""), \(group["externalId"]?.text),
              \(now), \(now))
            """
        )
    }

    func changeGroup(_ id: UUID, to group: ScimResource, at now: Instant) async throws {
        try await execute(
            """
            update app.directory_group
            set display_name = \(group["displayName"]?.text ?? ""), external_id = \(group["externalId"]?.text),
              version = version + 1, changed_at = \(now)
            where organization_id = \(principal.organizationID) and directory_group_id = \(id)
            """
        )
    }

    func removeGroup(_ id: UUID) async throws {
        try await execute(
            "delete from app.directory_group where organization_id = \(principal.organizationID) and directory_group_id = \(id)"
        )
    }

    func addMembers(_ users: [UUID], to group: UUID) async throws {
        try await execute(
            """
            insert into app.directory_group_member (organization_id, directory_group_id, directory_user_id)
            select \(principal.organizationID), \(group), given from unnest(\(users)::uuid[]) as given
            on conflict do nothing
            """
        )
    }

    /// Those, or all of them.
    func removeMembers(_ users: [UUID]?, from group: UUID) async throws {
        try await execute(
            """
            delete from app.directory_group_member
            where organization_id = \(principal.organizationID) and directory_group_id = \(group)
              and (\(users)::uuid[] is null or directory_user_id = any (\(users)::uuid[]))
            """
        )
    }

    /// Makes those the members, and nobody else.
    func setMembers(_ users: [UUID], of group: UUID) async throws {
        try await execute(
            """
            delete from app.directory_group_member
            where organization_id = \(principal.organizationID) and directory_group_id = \(group)
              and directory_user_id <> all (\(users)::uuid[])
            """
        )
        try await addMembers(users, to: group)
    }

    private func addMembers(to groups: [StoredScimResource]) async throws -> [StoredScimResource] {
        let rows = try await query(
            """
            select directory_group_id, directory_user_id from app.directory_group_member
            where organization_id = \(principal.organizationID) and directory_group_id = any (\(groups.map(\.id)))
            order by directory_group_id, directory_user_id
            """,
            as: (UUID, UUID).self
        )
        let members = Dictionary(grouping: rows) { $0.0 }
        return groups.map { group in
            var group = group
            group.attributes["members"] = members[group.id].map { rows in
                .array(rows.map { DirectoryGroupRoutes.member($0.1) })
            }
            return group
        }
    }
}

private struct GroupRow: PGRow {
    static let columns: SQL = """
        g.directory_group_id, g.version, g.created_at, g.changed_at, g.display_name, g.external_id
        """

    let id: UUID
    let version: Int64
    let createdAt, changedAt: Instant
    let displayName: String
    let externalID: String?

    init(from row: inout PGRowReader) throws {
        id = try row.next()
        version = try row.next()
        createdAt = try row.next()
        changedAt = try row.next()
        displayName = try row.next()
        externalID = try row.next()
    }

    func resource() -> StoredScimResource {
        var attributes: ScimResource = ["displayName": .string(displayName)]
        attributes["externalId"] = externalID.map(JSONValue.string)
        return StoredScimResource(
            id: id,
            schema: .group,
            attributes: attributes,
            version: version,
            createdAt: createdAt,
            changedAt: changedAt
        )
    }
}
