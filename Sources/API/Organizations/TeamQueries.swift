import Domain
import Foundation
import PGClient
import Tenancy

extension TenantTransaction {
    /// Those that were put together by hand, in the order of their names; all, or one. For who manages them.
    func teams(of organization: UUID, _ team: UUID? = nil) async throws -> [TeamRoutes.Team] {
        try await query(
            """
            select t.team_id, t.name, (
              select count(*) from app.team_member m
              where m.organization_id = t.organization_id and m.team_id = t.team_id
            )
            from app.team t
            where t.organization_id = \(organization) and (\(team)::uuid is null or t.team_id = \(team))
            order by t.name_key
            """,
            as: (UUID, String, Int).self
        ).map { TeamRoutes.Team(teamId: $0.text, name: $1, members: $2, onBoard: nil) }
    }

    /// Those of the bound organization that its board of a week can be narrowed down to.
    func teamsOnBoard(in week: Week) async throws -> [TeamRoutes.Team] {
        try await query(
            "select team_id, name from app.teams_on_board(\(week.description)) order by lower(name), team_id",
            as: (UUID, String).self
        ).map { TeamRoutes.Team(teamId: $0.text, name: $1, members: nil, onBoard: true) }
    }

    func teamMembers(of team: UUID, in organization: UUID) async throws -> [TeamRoutes.Member] {
        try await query(
            """
            select m.uid, m.display_name
            from app.team_member t
              join board.member m on m.organization_id = t.organization_id and m.uid = t.uid
            where t.organization_id = \(organization) and t.team_id = \(team)
            order by m.display_name, m.uid
            """,
            as: (UUID, String?).self
        ).map { TeamRoutes.Member(uid: $0.text, displayName: $1) }
    }

    func createTeam(_ team: UUID, named name: String, in organization: UUID, by origin: SQL) async throws {
        try await execute("select app.create_team(\(organization), \(team), \(name), \(origin))")
    }

    func renameTeam(_ team: UUID, to name: String, in organization: UUID, by origin: SQL) async throws {
        try await execute("select app.rename_team(\(organization), \(team), \(name), \(origin))")
    }

    /// Whether there was one.
    func deleteTeam(_ team: UUID, in organization: UUID, by origin: SQL) async throws -> Bool {
        try await queryOne("select app.delete_team(\(organization), \(team), \(origin))", as: Bool.self)
    }

    func changeTeam(_ team: UUID, in organization: UUID, has uid: UUID, _ belongs: Bool, by origin: SQL)
        async throws
    {
        try await execute(
            "select app.change_team_member(\(organization), \(team), \(uid), \(belongs), \(origin))"
        )
    }
}
