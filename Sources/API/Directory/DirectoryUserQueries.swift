import Domain
import Foundation
import PGClient
import Tenancy

extension OrganizationTransaction {
    /// How many users there are of whom the condition holds, and those of a page.
    func users(
        where filter: ScimFilter,
        from startIndex: Int,
        count: Int
    ) async throws -> (total: Int, page: [StoredScimResource]) {
        let condition = ScimColumns.users.condition(filter)
        // Everybody is counted already.
        let total: SQL =
            filter == .always
            ? """
            select coalesce(sum(users), 0)::bigint from app.directory_tally
            where organization_id = \(principal.organizationID)
            """
            : """
            select count(*) from app.directory_user u
            where u.organization_id = \(principal.organizationID) and \(condition)
            """
        // The page is found in the index alone, and then its rows, one by one: those before it aren't read. The most that
        // a page has is written out, as a plan that is made for any number of rows sorts all of them.
        let (totals, rows) = try await query(
            PGQuery<ScimTotal>(total),
            PGQuery<UserRow>(
                """
                select \(UserRow.columns)
                from (
                  select u.created_at, u.directory_user_id from app.directory_user u
                  where u.organization_id = \(principal.organizationID) and \(condition)
                  order by u.created_at, u.directory_user_id
                  offset \(startIndex - 1) limit \(unsafeSQL: "\(ScimListRequest.most)")
                ) as page
                  cross join lateral (
                    select * from app.directory_user one
                    where one.organization_id = \(principal.organizationID)
                      and one.directory_user_id = page.directory_user_id
                    offset 0
                  ) as u
                order by page.created_at, page.directory_user_id
                limit \(count)
                """
            )
        )
        return (totals.first?.count ?? 0, try rows.map { try $0.resource() })
    }

    /// - Parameter changing: nobody else changes it until this is done.
    func user(_ id: UUID, changing: Bool = false) async throws -> StoredScimResource? {
        try await queryFirst(
            """
            select \(UserRow.columns) from app.directory_user u
            where u.organization_id = \(principal.organizationID) and u.directory_user_id = \(id)
            \(unsafeSQL: changing ? "for update" : "")
            """,
            as: UserRow.self
        )?.resource()
    }

    /// Whether and whose member somebody is follows in the same statement, by a trigger.
    func addUser(_ user: ScimResource, as id: UUID, at now: Instant) async throws {
        let columns = try UserColumns(user)
        try await execute(
            """
            insert into app.directory_user (organization_id, directory_user_id, user_name, external_id, display_name,
              formatted_name, family_name, given_name, emails, active, created_at, changed_at)
            values (\(principal.organizationID), \(id), \(columns.userName), \(columns.externalID), \(columns.displayName),
              \(columns.formatted), \(columns.familyName), \(columns.givenName), \(columns.emails), \(columns.active),
              \(now), \(now))
            """
        )
    }

    func changeUser(_ id: UUID, to user: ScimResource, at now: Instant) async throws {
        let columns = try UserColumns(user)
        try await execute(
            """
            update app.directory_user set
              user_name = \(columns.userName), external_id = \(columns.externalID), display_name = \(columns.displayName),
              formatted_name = \(columns.formatted), family_name = \(columns.familyName), given_name = \(columns.givenName),
              emails = \(columns.emails), active = \(columns.active), version = version + 1, changed_at = \(now)
            where organization_id = \(principal.organizationID) and directory_user_id = \(id)
            """
        )
    }

    func removeUser(_ id: UUID) async throws {
        try await execute(
            "delete from app.directory_user where organization_id = \(principal.organizationID) and directory_user_id = \(id)"
        )
    }
}

/// How many.
struct ScimTotal: PGRow {
    let count: Int

    init(from row: inout PGRowReader) throws {
        count = try row.next()
    }
}

/// A user's attributes, each where it is kept.
private struct UserColumns {
    let userName: String
    let externalID, displayName, formatted, familyName, givenName: String?
    let emails: PGJSON
    let active: Bool?

    init(_ user: ScimResource) throws {
        let name: ScimResource = if case .object(let name) = user["name"] { name } else { [:] }
        userName = user["userName"]?.text ?? ""
        externalID = user["externalId"]?.text
        displayName = user["displayName"]?.text
        formatted = name["formatted"]?.text
        familyName = name["familyName"]?.text
        givenName = name["givenName"]?.text
        emails = PGJSON(try JSONOutput.bytes(of: user["emails"] ?? .array([])))
        active = if case .bool(let active) = user["active"] { active } else { nil }
    }
}

private struct UserRow: PGRow {
    static let columns: SQL = """
        u.directory_user_id, u.version, u.created_at, u.changed_at, u.user_name, u.external_id, u.display_name,
        u.formatted_name, u.family_name, u.given_name, u.emails, u.active
        """

    let id: UUID
    let version: Int64
    let createdAt, changedAt: Instant
    let userName: String
    let externalID, displayName, formatted, familyName, givenName: String?
    let emails: PGJSON
    let active: Bool?

    init(from row: inout PGRowReader) throws {
        id = try row.next()
        version = try row.next()
        createdAt = try row.next()
        changedAt = try row.next()
        userName = try row.next()
        externalID = try row.next()
        displayName = try row.next()
        formatted = try row.next()
        familyName = try row.next()
        givenName = try row.next()
        emails = try row.next()
        active = try row.next()
    }

    func resource() throws -> StoredScimResource {
        let name = ["formatted": formatted, "familyName": familyName, "givenName": givenName]
            .compactMapValues { $0.map(JSONValue.string) }
        let emails = try JSONDecoder().decode(JSONValue.self, from: Data(emails.bytes))
        let attributes: [String: JSONValue?] = [
            "userName": .string(userName),
            "externalId": externalID.map(JSONValue.string),
            "displayName": displayName.map(JSONValue.string),
            "name": name.isEmpty ? nil : .object(name),
            "emails": emails == .array([]) ? nil : emails,
            "active": active.map(JSONValue.bool),
        ]
        return StoredScimResource(
            id: id,
            schema: .user,
            attributes: attributes.compactMapValues(\.self),
            version: version,
            createdAt: createdAt,
            changedAt: changedAt
        )
    }
}

extension JSONValue {
    var text: String? {
        if case .string(let text) = self { text } else { nil }
    }
}
