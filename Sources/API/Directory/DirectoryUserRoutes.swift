import Domain
import Foundation
import HTTPTypes
import Hummingbird
import Tenancy

/// `/scim/v2/Users`: the people whom a company's directory provisions.
struct DirectoryUserRoutes: Sendable {
    let database: TenantDatabase
    let now: @Sendable () -> Date

    func add(to routes: some RouterMethods<KeyContext>) {
        routes.group("Users")
            .get(use: listUsers)
            .post(use: createUser)
            .post(".search", use: searchUsers)
            .get(":id", use: user)
            .put(":id", use: replaceUser)
            .patch(":id", use: changeUser)
            .delete(":id", use: removeUser)
    }

    /// `GET /scim/v2/Users`
    @Sendable func listUsers(_ request: Request, in context: KeyContext) async throws -> Response {
        try await page(try ScimListRequest(request), in: context)
    }

    /// `POST /scim/v2/Users/.search`: the same, for what should stand in no log.
    @Sendable func searchUsers(_ request: Request, in context: KeyContext) async throws -> Response {
        try await page(try ScimListRequest(try await JSON.decode(JSONValue.self, from: request)), in: context)
    }

    private func page(_ list: ScimListRequest, in context: KeyContext) async throws -> Response {
        let filter = try list.condition(on: .user)
        let (total, page) = try await database.read(as: context.principal) { tx in
            try await tx.users(where: filter, from: list.startIndex, count: list.count)
        }
        return try ScimAnswer.list(page, of: total, from: list.startIndex, showing: list.selection)
    }

    /// `POST /scim/v2/Users`: who has shown the address to be theirs is a member from this answer on, of
    /// whom nothing is seen until they agree.
    @Sendable func createUser(_ request: Request, in context: KeyContext) async throws -> Response {
        let selection = ScimListRequest.selection(of: request)
        let body = try await JSON.decode(JSONValue.self, from: request)
        // Who doesn't say so means somebody who is there.
        let user = try ScimSchema.user.resource(body).merging(["active": .bool(true)]) { said, _ in said }
        let id = UUID()
        let stored = try await database.write(as: context.principal) { tx in
            try await tx.addUser(user, as: id, at: Instant(now()))
            return try await tx.user(id)
        }
        guard let stored else { throw Problem.unexpected }
        return try ScimAnswer.response(stored, to: request, showing: selection, status: .created)
    }

    /// `GET /scim/v2/Users/{id}`
    @Sendable func user(_ request: Request, in context: KeyContext) async throws -> Response {
        let id = try context.parameters.id("id")
        let selection = ScimListRequest.selection(of: request)
        let stored = try await database.read(as: context.principal) { tx in try await tx.user(id) }
        guard let stored else { throw Problem.notFound }
        return try ScimAnswer.response(stored, to: request, showing: selection)
    }

    /// `PUT /scim/v2/Users/{id}`: what it doesn't say is gone, but for `active`: nobody is let in or shut
    /// out by silence.
    @Sendable func replaceUser(_ request: Request, in context: KeyContext) async throws -> Response {
        let body = try await JSON.decode(JSONValue.self, from: request)
        let wanted = try ScimSchema.user.resource(body)
        return try await change(request, in: context) { user in
            user = wanted.merging(user.filter { $0.key == "active" }) { said, _ in said }
        }
    }

    /// `PATCH /scim/v2/Users/{id}`: `active: false` ends the membership with this answer.
    @Sendable func changeUser(_ request: Request, in context: KeyContext) async throws -> Response {
        let patch = try ScimPatch(try await JSON.decode(JSONValue.self, from: request))
        return try await change(request, in: context) { user in
            try patch.apply(to: &user, of: .user)
        }
    }

    private func change(
        _ request: Request,
        in context: KeyContext,
        _ change: @Sendable (inout ScimResource) throws -> Void
    ) async throws -> Response {
        let id = try context.parameters.id("id")
        let selection = ScimListRequest.selection(of: request)
        let stored = try await database.write(as: context.principal) { tx in
            guard var stored = try await tx.user(id, changing: true) else { throw Problem.notFound }
            try stored.require(request)
            let before = stored.attributes
            try change(&stored.attributes)
            // What changes nothing makes no version, however often a directory repeats it.
            guard stored.attributes != before else { return stored }
            try await tx.changeUser(id, to: stored.attributes, at: Instant(now()))
            return try await tx.user(id) ?? stored
        }
        return try ScimAnswer.response(stored, to: request, showing: selection)
    }

    /// `DELETE /scim/v2/Users/{id}`: the account and its practice stay with the person.
    @Sendable func removeUser(_ request: Request, in context: KeyContext) async throws -> Response {
        let id = try context.parameters.id("id")
        try await database.write(as: context.principal) { tx in
            guard let stored = try await tx.user(id, changing: true) else { throw Problem.notFound }
            try stored.require(request)
            try await tx.removeUser(id)
        }
        return Response(status: .noContent)
    }
}
