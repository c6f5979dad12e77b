import Domain
import Foundation
import HTTPTypes
import Hummingbird
import Tenancy

/// `/scim/v2/.search`: everybody and every team at once, the users first.
struct DirectorySearchRoutes: Sendable {
    let database: TenantDatabase

    func add(to routes: some RouterMethods<KeyContext>) {
        routes.post(".search", use: search)
    }

    /// `POST /scim/v2/.search`: what a kind of resource has no attribute for, none of that kind has.
    @Sendable func search(_ request: Request, in context: KeyContext) async throws -> Response {
        let list = try ScimListRequest(try await JSON.decode(JSONValue.self, from: request))
        let ofUsers = Result { () throws(ScimError) in try list.condition(on: .user) }
        let ofGroups = Result { () throws(ScimError) in try list.condition(on: .group) }
        if case .failure(let error) = ofUsers, case .failure = ofGroups { throw error }
        let (total, page) = try await database.read(as: context.principal) { tx in
            var total = 0
            var page: [StoredScimResource] = []
            if case .success(let filter) = ofUsers {
                (total, page) = try await tx.users(where: filter, from: list.startIndex, count: list.count)
            }
            if case .success(let filter) = ofGroups {
                let groups = try await tx.groups(
                    where: filter,
                    from: max(1, list.startIndex - total),
                    count: list.count - page.count,
                    withMembers: list.selection.shows("members")
                )
                total += groups.total
                page += groups.page
            }
            return (total, page)
        }
        return try ScimAnswer.list(page, of: total, from: list.startIndex, showing: list.selection)
    }
}
