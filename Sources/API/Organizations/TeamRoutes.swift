import Domain
import Foundation
import HTTPTypes
import Hummingbird
import Tenancy

/// `/v1/organizations/{organization}/teams`: parts of a company that its board can be narrowed down to. Its directory
/// has teams of its own; these are put together by hand.
struct TeamRoutes: Sendable {
    let database: TenantDatabase
    let now: @Sendable () -> Date

    struct Team: Encodable, Sendable {
        let teamId: String
        let name: String
        /// How many belong to it, for who manages it.
        let members: Int?
        /// Whether the board of this week can be narrowed down to it.
        var onBoard: Bool?
    }

    struct Member: Encodable, Sendable {
        let uid: String
        let displayName: String?
    }

    private struct List: Encodable {
        let teams: [Team]
    }

    private struct MemberList: Encodable {
        let members: [Member]
    }

    private struct Wish: Decodable {
        /// By the same rule as a company's.
        let name: OrganizationName
    }

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.group("organizations/:organization/teams")
            .get(use: teams)
            .post(use: createTeam)
            .patch(":team", use: renameTeam)
            .delete(":team", use: deleteTeam)
            .get(":team/members", use: members)
            .put(":team/members/:uid", use: addMember)
            .delete(":team/members/:uid", use: removeMember)
    }

    /// `GET /v1/organizations/{organization}/teams`: to every member those of the board, of whichever kind. Who
    /// manages teams sees all that were put together by hand as well.
    @Sendable func teams(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let week = Week(of: LocalDay(of: Instant(now()), in: .utc))
        let (managed, shown) = try await database.read(as: context.principal.member(of: id)) { tx in
            (try await tx.teams(of: id), try await tx.teamsOnBoard(in: week))
        }
        let onBoard = Set(shown.map(\.teamId))
        let own = managed.map { team in
            var team = team
            team.onBoard = onBoard.contains(team.teamId)
            return team
        }
        let others = shown.filter { team in !own.contains { $0.teamId == team.teamId } }
        return try JSON.response(List(teams: own + others))
    }

    /// `POST /v1/organizations/{organization}/teams`: one without members.
    @Sendable func createTeam(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let name = try await JSON.decode(Wish.self, from: request).name.text
        let team = UUID()
        let made = try await database.write(as: context.principal.member(of: id)) { tx in
            try await tx.createTeam(team, named: name, in: id, by: context.origin.address(at: now()))
            return try await tx.teams(of: id, team).first
        }
        guard let made else { throw Problem.notFound }
        return try JSON.response(made, status: .created)
    }

    /// `PATCH /v1/organizations/{organization}/teams/{team}`: another name.
    @Sendable func renameTeam(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let team = try context.parameters.id("team")
        let name = try await JSON.decode(Wish.self, from: request).name.text
        let renamed = try await database.write(as: context.principal.member(of: id)) { tx in
            try await tx.renameTeam(team, to: name, in: id, by: context.origin.address(at: now()))
            return try await tx.teams(of: id, team).first
        }
        guard let renamed else { throw Problem.notFound }
        return try JSON.response(renamed)
    }

    /// `DELETE /v1/organizations/{organization}/teams/{team}`: its members stay who they are.
    @Sendable func deleteTeam(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let team = try context.parameters.id("team")
        let deleted = try await database.write(as: context.principal.member(of: id)) { tx in
            try await tx.deleteTeam(team, in: id, by: context.origin.address(at: now()))
        }
        guard deleted else { throw Problem.notFound }
        return Response(status: .noContent)
    }

    /// `GET /v1/organizations/{organization}/teams/{team}/members`: for who manages teams.
    @Sendable func members(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let team = try context.parameters.id("team")
        let members = try await database.read(as: context.principal.member(of: id)) { tx in
            try await tx.requirePermission("teams.manage", in: id)
            guard try await !tx.teams(of: id, team).isEmpty else { throw Problem.notFound }
            return try await tx.teamMembers(of: team, in: id)
        }
        return try JSON.response(MemberList(members: members))
    }

    /// `PUT /v1/organizations/{organization}/teams/{team}/members/{uid}`
    @Sendable func addMember(_ request: Request, in context: MemberContext) async throws -> Response {
        try await change(context, belongs: true)
    }

    /// `DELETE /v1/organizations/{organization}/teams/{team}/members/{uid}`
    @Sendable func removeMember(_ request: Request, in context: MemberContext) async throws -> Response {
        try await change(context, belongs: false)
    }

    private func change(_ context: MemberContext, belongs: Bool) async throws -> Response {
        let id = try context.parameters.id("organization")
        let team = try context.parameters.id("team")
        let uid = try context.parameters.id("uid")
        try await database.write(as: context.principal.member(of: id)) { tx in
            try await tx.changeTeam(team, in: id, has: uid, belongs, by: context.origin.address(at: now()))
        }
        return Response(status: .noContent)
    }
}
