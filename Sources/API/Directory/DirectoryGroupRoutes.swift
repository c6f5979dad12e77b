import Domain
import Foundation
import HTTPTypes
import Hummingbird
import Tenancy

/// `/scim/v2/Groups`: a company's teams, as its directory has them.
struct DirectoryGroupRoutes: Sendable {
    let database: TenantDatabase
    let now: @Sendable () -> Date

    func add(to routes: some RouterMethods<KeyContext>) {
        routes.group("Groups")
            .get(use: listGroups)
            .post(use: createGroup)
            .post(".search", use: searchGroups)
            .get(":id", use: group)
            .put(":id", use: replaceGroup)
            .patch(":id", use: changeGroup)
            .delete(":id", use: removeGroup)
    }

    /// `GET /scim/v2/Groups`
    @Sendable func listGroups(_ request: Request, in context: KeyContext) async throws -> Response {
        try await page(try ScimListRequest(request), in: context)
    }

    /// `POST /scim/v2/Groups/.search`
    @Sendable func searchGroups(_ request: Request, in context: KeyContext) async throws -> Response {
        try await page(try ScimListRequest(try await JSON.decode(JSONValue.self, from: request)), in: context)
    }

    private func page(_ list: ScimListRequest, in context: KeyContext) async throws -> Response {
        let filter = try list.condition(on: .group)
        let (total, page) = try await database.read(as: context.principal) { tx in
            try await tx.groups(
                where: filter,
                from: list.startIndex,
                count: list.count,
                withMembers: list.selection.shows("members")
            )
        }
        return try ScimAnswer.list(page, of: total, from: list.startIndex, showing: list.selection)
    }

    /// `POST /scim/v2/Groups`
    @Sendable func createGroup(_ request: Request, in context: KeyContext) async throws -> Response {
        let selection = ScimListRequest.selection(of: request)
        let group = try ScimSchema.group.resource(try await JSON.decode(JSONValue.self, from: request))
        let members = try Self.users(group["members"])
        let id = UUID()
        let stored = try await database.write(as: context.principal) { tx in
            try await tx.addGroup(group, as: id, at: Instant(now()))
            try await tx.addMembers(members, to: id)
            return try await tx.group(id, withMembers: selection.shows("members"))
        }
        guard let stored else { throw Problem.unexpected }
        return try ScimAnswer.response(stored, to: request, showing: selection, status: .created)
    }

    /// `GET /scim/v2/Groups/{id}`
    @Sendable func group(_ request: Request, in context: KeyContext) async throws -> Response {
        let id = try context.parameters.id("id")
        let selection = ScimListRequest.selection(of: request)
        let stored = try await database.read(as: context.principal) { tx in
            try await tx.group(id, withMembers: selection.shows("members"))
        }
        guard let stored else { throw Problem.notFound }
        return try ScimAnswer.response(stored, to: request, showing: selection)
    }

    /// `PUT /scim/v2/Groups/{id}`
    @Sendable func replaceGroup(_ request: Request, in context: KeyContext) async throws -> Response {
        let wanted = try ScimSchema.group.resource(try await JSON.decode(JSONValue.self, from: request))
        let members = try Self.users(wanted["members"])
        let shown = ScimListRequest.selection(of: request).shows("members")
        return try await change(request, in: context, withMembers: shown) { tx, group in
            try await tx.setMembers(members, of: group.id)
            group.attributes = wanted
        }
    }

    /// `PATCH /scim/v2/Groups/{id}`: members come and go one by one, and the answer has none unless it is
    /// asked to, so a team of thousands is never sent for the sake of one.
    @Sendable func changeGroup(_ request: Request, in context: KeyContext) async throws -> Response {
        let patch = try ScimPatch(try await JSON.decode(JSONValue.self, from: request))
        let isAsked = request.uri.queryParameters["attributes"] != nil
        let shown = isAsked && ScimListRequest.selection(of: request).shows("members")
        let changed = try await change(request, in: context, withMembers: shown) { tx, group in
            for change in patch.changes {
                guard let target = try change.target(in: .group) else { continue }
                if target.attribute.name == "members" {
                    try await Self.apply(change, at: target, to: group.id, in: tx)
                } else {
                    try change.apply(to: &group.attributes, of: .group)
                }
            }
            try ScimSchema.group.require(group.attributes)
        }
        guard let tag = changed.headers[.eTag], !isAsked else { return changed }
        return Response(status: .noContent, headers: [.eTag: tag])
    }

    private func change(
        _ request: Request,
        in context: KeyContext,
        withMembers: Bool,
        _ change: @Sendable (OrganizationTransaction, inout StoredScimResource) async throws -> Void
    ) async throws -> Response {
        let id = try context.parameters.id("id")
        let selection = ScimListRequest.selection(of: request)
        let stored = try await database.write(as: context.principal) { tx in
            guard var stored = try await tx.group(id, withMembers: false, changing: true) else {
                throw Problem.notFound
            }
            try stored.require(request)
            try await change(tx, &stored)
            try await tx.changeGroup(id, to: stored.attributes, at: Instant(now()))
            return try await tx.group(id, withMembers: withMembers) ?? stored
        }
        return try ScimAnswer.response(stored, to: request, showing: selection)
    }

    /// `DELETE /scim/v2/Groups/{id}`: its members stay who they are.
    @Sendable func removeGroup(_ request: Request, in context: KeyContext) async throws -> Response {
        let id = try context.parameters.id("id")
        try await database.write(as: context.principal) { tx in
            guard let stored = try await tx.group(id, withMembers: false, changing: true) else {
                throw Problem.notFound
            }
            try stored.require(request)
            try await tx.removeGroup(id)
        }
        return Response(status: .noContent)
    }

    /// A member as it is shown.
    static func member(_ user: UUID) -> JSONValue {
        .object(["value": .string(user.text), "$ref": .string("/scim/v2/Users/\(user.text)")])
    }

    private static func apply(
        _ change: ScimPatch.Change,
        at target: ScimPatch.Change.Target,
        to group: UUID,
        in tx: OrganizationTransaction
    ) async throws {
        let users = try change.listed(target.attribute).map { try Self.users(.array($0)) }
        switch (change.verb, target.filter) {
        case (.remove, nil): try await tx.removeMembers(users, from: group)
        case (.remove, let filter?):
            // Such as `members[value eq "…"]`, which is how Okta takes one out.
            let members = try await tx.group(group, withMembers: true)?.attributes["members"]
            guard case .array(let members) = members else { return }
            let chosen = members.filter { member in
                if case .object(let member) = member { filter.holds(for: member) } else { false }
            }
            try await tx.removeMembers(try Self.users(.array(chosen)), from: group)
        case (.add, nil): try await tx.addMembers(users ?? [], to: group)
        case (.replace, nil): try await tx.setMembers(users ?? [], of: group)
        case (.add, _), (.replace, _):
            throw ScimError(.mutability, "a member of a group is added or removed, not changed")
        }
    }

    /// The users that members name.
    private static func users(_ members: JSONValue?) throws(ScimError) -> [UUID] {
        guard case .array(let members) = members else { return [] }
        var users: [UUID] = []
        for member in members {
            guard case .object(let member) = member, let text = member["value"]?.text,
                let id = UUID(uuidString: text)
            else { throw ScimError(.invalidValue, "value of a member is the id of a user") }
            users.append(id)
        }
        return users
    }
}
