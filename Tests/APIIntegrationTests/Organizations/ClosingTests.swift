import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

/// The end of a company, and what is seen of one at a glance. On databases of their own, as the job deletes
/// whatever is due.
@Suite(.serialized) struct ClosingTests {
    @Test func `a suspended company has no board and lets nobody in, and is as it was when it is resumed`()
        async throws
    {
        try await withCompany { world in
            let (server, ada, acme) = (world.server, world.ada, world.acme)
            let board = "company?organization=\(acme.id)"
            let path = "/v1/organizations/\(acme.id)"
            let before = try await ada.board(board)
            #expect(before.contains("Ben"))
            try await server.asOperator {
                try await $0.suspendOrganization(world.id, true, at: world.clock.now)
            }

            #expect(!(try await ada.board(board)).contains("Ben"))
            #expect(!(try await world.ben.board(board)).contains("Ada"))
            let seen = try await ada.send(.get, path).json
            #expect(seen["suspended"] as? Bool == true)
            #expect(
                seen["permissions"] as? [String] == [
                    "audit.read", "members.read", "organization.delete", "overview.read",
                ]
            )
            #expect(
                try await ada.send(.patch, path, ["name": "Emca"]).json["code"] as? String == "not_permitted"
            )
            let invited = ["address": "guest@\(acme.domain)"]
            #expect(try await ada.send(.post, "\(path)/invitations", invited).status == 403)
            let (cleo, hers) = try await world.nobody.newcomer()
            try await server.recordEmail(of: hers, "cleo@\(acme.domain)")
            #expect(try await cleo.join(acme.id).status == 404)
            #expect(try await world.ben.send(.delete, "\(path)/membership").status == 204)

            try await server.asOperator {
                try await $0.suspendOrganization(world.id, false, at: world.clock.now)
            }
            #expect(try await ada.board(board).contains("Ada"))
            #expect(try await cleo.join(acme.id).status == 200)
            let events = try await ada.send(.get, "\(path)/audit?actor=operator").json["events"]
            let actions = (events as? [[String: Any]] ?? []).compactMap { $0["action"] as? String }
            #expect(actions == ["organization.resumed", "organization.suspended", "organization.created"])
        }
    }

    @Test(arguments: ["suspension", "deletion"])
    func `who shows an address while a company is closed is put in when it is open again`(_ closing: String)
        async throws
    {
        try await withCompany { world in
            let path = "/v1/organizations/\(world.acme.id)"
            let directory = try await world.ada.directory(of: world.acme.id)
            let cleo = "cleo@\(world.acme.domain)"
            #expect(try await directory.send(.post, "/scim/v2/Users", ["userName": cleo]).status == 201)
            try await world.close(true, by: closing)
            let (client, hers) = try await world.nobody.newcomer()
            try await world.server.recordEmail(of: hers, cleo)
            func companies() async throws -> Int? {
                (try await client.send(.get, "/v1/organizations").json["organizations"] as? [Any])?.count
            }
            #expect(try await companies() == 0)
            try await world.close(false, by: closing)
            #expect(try await companies() == 1)
        }
    }

    @Test(arguments: ["suspension", "deletion"])
    func `the board of a closed company is not listed, and is again when it is open`(_ closing: String)
        async throws
    {
        try await withCompany { world in
            func boards() async throws -> [String?] {
                let answer = try await world.ada.send(.get, "/v1/leaderboards")
                return (answer.json["boards"] as? [[String: Any]] ?? []).map { $0["scope"] as? String }
            }
            #expect(try await boards() == ["global", "friends", "company"])
            try await world.close(true, by: closing)
            #expect(try await boards() == ["global", "friends"])
            try await world.close(false, by: closing)
            #expect(try await boards() == ["global", "friends", "company"])
        }
    }

    @Test func `an owner has seven days to think better of a deletion`() async throws {
        try await withCompany { world in
            let path = "/v1/organizations/\(world.acme.id)"
            #expect(try await world.ben.send(.put, "\(path)/deletion").status == 403)
            #expect(try await world.ada.send(.delete, "\(path)/deletion").status == 404)
            let asked = try await world.ada.send(.put, "\(path)/deletion")
            #expect(asked.json["deletionDueAt"] is String)
            #expect(!(try await world.ada.board("company?organization=\(world.acme.id)")).contains("Ben"))

            world.clock.advance(by: 7 * 86_400 - 1)
            try await world.server.server.tending.tend()
            let open = try await world.ada.send(.delete, "\(path)/deletion")
            #expect(open.status == 200)
            #expect(open.json["deletionDueAt"] == nil)
            world.clock.advance(by: 86_400)
            try await world.server.server.tending.tend()
            #expect(try await world.ada.send(.patch, path, ["name": "Acme again"]).status == 200)
        }
    }

    @Test func `a deletion that is cut off goes on, tells what it removed, and leaves people their practice`()
        async throws
    {
        try await withCompany { world in
            let path = "/v1/organizations/\(world.acme.id)"
            let directory = try await world.ada.directory(of: world.acme.id)
            let cleo =
                ["userName": "cleo@\(world.acme.domain)", "emails": [["value": "c@home.example"]]]
                as [String: Any]
            let made = try await directory.send(.post, "/scim/v2/Users", cleo)
            let user = made.json["id"] ?? ""
            let group: [String: Any] = ["displayName": "Sales", "members": [["value": user]]]
            _ = try await directory.send(.post, "/scim/v2/Groups", group)
            let dan = try await directory.send(
                .post,
                "/scim/v2/Users",
                ["userName": "dan@\(world.acme.domain)"]
            )
            _ = try await directory.send(.delete, "/scim/v2/Users/\(dan.json["id"] ?? "")")
            let team =
                try await world.ada.send(.post, "\(path)/teams", ["name": "Breathers"]).json["teamId"] ?? ""
            #expect(
                try await world.ada.send(.put, "\(path)/teams/\(team)/members/\(world.benID)").status == 204
            )
            _ = try await world.ada.send(.put, "\(path)/deletion")
            world.clock.advance(by: 7 * 86_400)
            // One step and no more, of one row, as if the server had died after it.
            let step = try await world.server.server.pool.transaction {
                try await $0.deleteOrganizations(1, at: world.clock.now)
            }
            #expect(step.removed > 0)
            #expect(step.finished == nil)
            #expect(try await world.ada.send(.delete, "\(path)/deletion").status == 404)
            try await world.server.server.tending.tend()

            #expect(try await world.ada.send(.get, path).status == 404)
            #expect(try await world.ada.send(.get, "/v1/sync/state").status == 200)
            let receipt = try await world.server.asOperator { try await $0.deletionReceipt(of: world.id) }
            let done = try #require(receipt)
            #expect(done.finishedAt != nil)
            let counts = try JSONDecoder().decode([String: Int].self, from: Data(done.counts.utf8))
            #expect(counts["member"] == 2)
            #expect(counts["company_standing"] ?? 0 >= 2)
            #expect(counts["domain_claim"] == 1)
            for part in [
                "directory_user", "directory_group", "directory_group_member", "directory_leaver",
                "organization_key",
                "team", "team_member",
            ] {
                #expect(counts[part] == 1, "\(part)")
            }
            #expect(counts["directory_tally"] ?? 0 >= 1)
            #expect(counts["organization_event"] == 11)
            #expect(counts["organization"] == 1)
            // Of the company nothing is left, in whatever table.
            let tables = try await world.server.asSuperuser { tx in
                try await tx.query(
                    """
                    select c.relname::text from pg_class c join pg_attribute a on a.attrelid = c.oid
                    where c.relnamespace = 'app'::regnamespace and c.relkind = 'r' and a.attname = 'organization_id'
                      and c.relname <> 'organization_deletion'
                    """,
                    as: String.self
                )
            }
            #expect(tables.count > 8)
            for table in tables {
                let left = try await world.server.asSuperuser { tx in
                    try await tx.queryOne(
                        "select count(*) from app.\(identifier: table) where organization_id = \(world.id)",
                        as: Int64.self
                    )
                }
                #expect(left == 0, "\(table)")
            }
        }
    }

    @Test func `the overview counts seats, never fewer than five who practise, and says what to do next`()
        async throws
    {
        try await withCompany { world in
            let path = "/v1/organizations/\(world.acme.id)"
            func overview() async throws -> [String: Any] {
                try await world.ada.send(.get, "\(path)/overview").json
            }
            #expect(try await world.ben.send(.get, "\(path)/overview").status == 403)
            let first = try await overview()
            #expect((first["seats"] as? [String: Int])?["total"] == 2)
            #expect((first["domains"] as? [String: Int]) == ["proved": 1, "lost": 0, "pending": 0])
            #expect(first["activeThisWeek"] == nil)
            #expect(first["nextAction"] == nil)

            for name in ["Cleo", "Dan"] {
                _ = try await world.server.employee(name, of: world.acme, world.nobody, at: world.clock.now)
            }
            #expect(try await overview()["activeThisWeek"] == nil)
            _ = try await world.server.employee("Finn", of: world.acme, world.nobody, at: world.clock.now)
            #expect(try await overview()["activeThisWeek"] as? Int == 5)
            _ = try await world.server.employee("Gwen", of: world.acme, world.nobody, at: world.clock.now)
            #expect(try await overview()["activeThisWeek"] as? Int == 5)

            _ = try await world.ada.send(.patch, path, ["leaderboard": ["enabled": false]])
            #expect(try await overview()["nextAction"] as? String == "enableLeaderboard")
            _ = try await world.ada.send(.delete, "\(path)/domains/\(world.acme.domain)")
            #expect(try await overview()["nextAction"] as? String == "claimDomain")
            _ = try await world.ada.send(.post, "\(path)/domains", ["domain": world.acme.domain])
            #expect(try await overview()["nextAction"] as? String == "proveDomain")
        }
    }

    private struct World: Sendable {
        let server: TestServer
        let nobody, ada, ben: Client
        let benID: String
        let acme: (id: String, domain: String)
        let id: UUID
        let clock: TestClock

        /// Closes the company, or opens it again.
        func close(_ isClosed: Bool, by closing: String) async throws {
            if closing == "deletion" {
                let deletion = "/v1/organizations/\(acme.id)/deletion"
                _ = try await ada.send(isClosed ? .put : .delete, deletion)
            } else {
                try await server.asOperator {
                    try await $0.suspendOrganization(id, isClosed, at: clock.now)
                }
            }
        }
    }

    /// Ada owns Acme, Ben works there, and both are on its board.
    private func withCompany(_ body: @Sendable (World) async throws -> Void) async throws {
        let postgres = try await blocking { try OwnPostgres() }
        defer { postgres.remove() }
        let clock = TestClock()
        let server = try await TestServer(clock: clock, keepsTokens: true, postgres: postgres)
        try await server.run { nobody in
            let (ada, owner) = try await nobody.practitioner("Ada", at: clock.now)
            let acme = try await server.company("Acme", owner: owner)
            let (ben, his) = try await server.employee("Ben", of: acme, nobody, at: clock.now)
            let id = try #require(UUID(uuidString: acme.id))
            try await body(
                World(
                    server: server,
                    nobody: nobody,
                    ada: ada,
                    ben: ben,
                    benID: his,
                    acme: acme,
                    id: id,
                    clock: clock
                )
            )
        }
    }
}
