import Domain
import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

/// Teams within a company, by hand and by its directory, and the board of one.
struct TeamTests {
    @Test func `a team is put together by those who answer for the company, and every step is recorded`()
        async throws
    {
        try await withCompany { world in
            let teams = "\(world.path)/teams"
            let made = try await world.ada.send(.post, teams, ["name": "Breathers"])
            #expect(made.status == 201)
            let team = "\(teams)/\(made.json["teamId"] ?? "")"
            #expect(
                try await world.ada.send(.post, teams, ["name": "breathers"]).json["code"] as? String
                    == "taken"
            )
            #expect(try await world.ada.send(.post, teams, ["name": " "]).json["field"] as? String == "name")
            #expect(
                try await world.ada.send(.patch, team, ["name": "Divers"]).json["name"] as? String == "Divers"
            )
            let ben = "\(team)/members/\(world.uids[0])"
            for _ in 1...2 { #expect(try await world.ada.send(.put, ben).status == 204) }
            #expect(try await world.ada.send(.put, "\(team)/members/\(UUID())").status == 404)
            #expect(
                try await world.ada.send(.put, "\(teams)/\(UUID())/members/\(world.uids[0])").status == 404
            )
            let members =
                try await world.ada.send(.get, "\(team)/members").json["members"] as? [[String: Any]]
            #expect(members?.map { $0["uid"] as? String } == [world.uids[0]])
            let listed = try await world.ada.send(.get, teams).json["teams"] as? [[String: Any]]
            #expect(listed?.count == 1)
            #expect(listed?.first?["members"] as? Int == 1)
            #expect(listed?.first?["onBoard"] as? Bool == false)

            // Others may do nothing of that, and aren't told that there is such a team.
            let employee = world.employees[0]
            #expect((try await employee.send(.get, teams).json["teams"] as? [Any])?.count == 0)
            for (method, path, body) in [
                (HTTPRequest.Method.post, teams, ["name": "Mine"]), (.patch, team, ["name": "Mine"]),
                (.delete, team, nil), (.get, "\(team)/members", nil), (.put, ben, nil), (.delete, ben, nil),
            ] as [(HTTPRequest.Method, String, [String: String]?)] {
                #expect(try await employee.send(method, path, body).status == 403, "\(method) \(path)")
            }
            for _ in 1...2 { #expect(try await world.ada.send(.delete, ben).status == 204) }
            #expect(try await world.ada.send(.delete, team).status == 204)
            #expect(try await world.ada.send(.delete, team).status == 404)
            let events =
                try await world.ada.send(.get, "\(world.path)/audit").json["events"] as? [[String: Any]]
            let actions = (events ?? []).compactMap { $0["action"] as? String }.filter {
                $0.hasPrefix("team.")
            }
            #expect(
                actions.reversed() == [
                    "team.created", "team.renamed", "team.member-added", "team.member-removed",
                    "team.deleted",
                ]
            )
        }
    }

    @Test(arguments: ["by hand", "directory"])
    func `the board of a team is there from five on, and until then as if there were no team`(_ kind: String)
        async throws
    {
        try await withCompany { world in
            let (join, leave, team) = try await world.team(kind)
            let board = "/v1/leaderboards/company?organization=\(world.acme.id)&team="
            let none = try await world.ada.send(.get, board + UUID().uuidString)
            #expect(none.status == 404)
            #expect(none.json["code"] as? String == "team_not_on_board")
            func isThere(for client: Client) async throws -> Bool {
                let answer = try await client.send(.get, board + team)
                if answer.status == 200 { return true }
                for name in ["code", "title", "detail", "field"] {
                    #expect(answer.json[name] as? String == none.json[name] as? String)
                }
                let listed =
                    try await client.send(.get, "\(world.path)/teams").json["teams"] as? [[String: Any]]
                #expect(listed?.contains { $0["onBoard"] as? Bool == true } == false)
                return false
            }
            for number in 0..<5 {
                #expect(try await !isThere(for: world.employees[5]), "\(number)")
                #expect(try await !isThere(for: world.ada), "\(number)")
                try await join(number)
            }
            // Of five one shares nothing with the company.
            let shares: [String: Any] = ["leaderboards": ["company": ["enabled": false]]]
            _ = try await world.employees[4].send(.patch, "/v1/me", shares)
            #expect(try await !isThere(for: world.ada))
            _ = try await world.employees[4].send(
                .patch,
                "/v1/me",
                ["leaderboards": ["company": ["enabled": true]]]
            )
            #expect(try await isThere(for: world.ada))
            #expect(try await isThere(for: world.employees[5]))
            let names = try await world.employees[5].board(
                "company?organization=\(world.acme.id)&team=\(team)"
            )
            for number in 0..<5 { #expect(names.contains("P\(number)")) }
            #expect(!names.contains("P5") && !names.contains("Ada"))
            let listed = try await world.employees[5].send(.get, "\(world.path)/teams").json["teams"]
            #expect((listed as? [[String: Any]])?.map { $0["teamId"] as? String } == [team])
            #expect((listed as? [[String: Any]])?.first?["members"] == nil)

            // A page of the team's board goes on there and nowhere else.
            let page = try await world.ada.send(.get, "\(board)\(team)&limit=2")
            let cursor = try #require(page.json["nextCursor"] as? String)
            #expect(page.json["total"] as? Int == 5)
            #expect(try await world.ada.send(.get, "\(board)\(team)&limit=2&cursor=\(cursor)").status == 200)
            let elsewhere = "/v1/leaderboards/company?organization=\(world.acme.id)&cursor=\(cursor)"
            #expect(try await world.ada.send(.get, elsewhere).status == 422)

            try await leave(0)
            #expect(try await !isThere(for: world.ada))
            try await join(0)
            _ = try await world.employees[1].send(.delete, "\(world.path)/membership")
            #expect(try await !isThere(for: world.ada))
        }
    }

    @Test func `a team is one of its own company's, on the company's board alone`() async throws {
        try await withCompany { world in
            let (join, _, team) = try await world.team("by hand")
            for number in 0..<5 { try await join(number) }
            let (eve, other) = try await world.nobody.newcomer()
            let umbrella = try await world.server.company("Umbrella", owner: other)
            let foreign = try await eve.send(
                .get,
                "/v1/leaderboards/company?organization=\(umbrella.id)&team=\(team)"
            )
            #expect(foreign.json["code"] as? String == "team_not_on_board", "\(foreign)")
            #expect(
                try await eve.send(.put, "/v1/organizations/\(umbrella.id)/teams/\(team)/members/\(other)")
                    .status == 404
            )
            for path in [
                "global?team=\(team)", "friends?team=\(team)",
                "company/seasons/2026-W10?organization=\(world.acme.id)&team=\(team)",
            ] {
                let refused = try await world.ada.send(.get, "/v1/leaderboards/\(path)")
                #expect(refused.status == 422, "\(path)")
                #expect(refused.json["field"] as? String == "team")
            }
            let nonsense = "/v1/leaderboards/company?organization=\(world.acme.id)&team=nonsense"
            #expect(try await world.ada.send(.get, nonsense).json["code"] as? String == "team_not_on_board")
            _ = try await world.ada.send(.patch, world.path, ["leaderboard": ["enabled": false]])
            let closed = try await world.ada.send(
                .get,
                "/v1/leaderboards/company?organization=\(world.acme.id)&team=\(team)"
            )
            #expect(closed.json["code"] as? String == "team_not_on_board")
        }
    }

    @Test func `a team of five with a block is to who is behind it as if there were no team`() async throws {
        try await withCompany { world in
            let (join, _, team) = try await world.team("by hand")
            for number in 0..<5 { try await join(number) }
            let board = "/v1/leaderboards/company?organization=\(world.acme.id)&team=\(team)"
            func seen(by client: Client) async throws -> String {
                let answer = try await client.send(.get, board).json
                let listed =
                    try await client.send(.get, "\(world.path)/teams").json["teams"] as? [[String: Any]]
                let isListed = listed?.contains { $0["teamId"] as? String == team } == true
                return
                    "\(answer["total"] ?? answer["code"] ?? "nothing"), \(isListed ? "listed" : "not listed")"
            }
            let (blocker, blocked) = (world.employees[0], world.employees[5])
            #expect(try await seen(by: blocked) == "5, listed")
            #expect(try await blocker.send(.put, "/v1/friends/blocks/\(world.uids[5])").status == 204)
            #expect(try await seen(by: blocked) == "team_not_on_board, not listed")
            #expect(try await seen(by: blocker) == "5, listed")
            try await join(5)
            #expect(try await seen(by: blocked) == "5, listed")
            #expect(try await seen(by: blocker) == "5, listed")
            #expect(try await seen(by: world.employees[1]) == "6, listed")
        }
    }

    @Test func `in a final season a team has those who were in it, and nobody who came later`() async throws {
        let season = Season(try #require(Week("2079-W20")))
        try await withCompany(at: season.endsAt.date.addingTimeInterval(-30 * 3600)) { world in
            let (server, clock) = (world.server, world.clock)
            let (join, leave, team) = try await world.team("by hand")
            for number in 0..<6 { try await join(number) }
            // One has more than the others, and one who isn't a colleague yet has most.
            let late = try await world.nobody.practitioner("Late", at: clock.now)
            for (client, sittings) in [(world.employees[0], 1), (late.client, 2)] {
                var phone = BatchDevice("phone", of: client)
                let starts = (1...sittings).map { clock.now.addingTimeInterval(-7200 * Double($0 + 1)) }
                try await phone.sync(starts.map { Practice.session(startedAt: $0, cycles: 40) })
            }
            clock.advance(by: season.finalAt.date.timeIntervalSince(clock.now))
            try await server.finalise(season)

            let board = "company?organization=\(world.acme.id)&period=2079-W20&team=\(team)"
            func names() async throws -> [String] {
                try await world.ada.board(board).components(separatedBy: ", ")
            }
            let before = try await names()
            #expect(before.sorted() == ["1 P0", "2 P1", "2 P2", "2 P3", "2 P4", "2 P5"])
            try await server.recordEmail(of: late.uid, "late@\(world.acme.domain)")
            #expect(try await late.client.join(world.acme.id).status == 200)
            let member = "\(world.path)/teams/\(team)/members/\(late.uid)"
            #expect(try await world.ada.send(.put, member).status == 204)
            #expect(try await names() == before)

            let page = try await world.employees[0].send(.get, "/v1/leaderboards/\(board)&limit=2").json
            #expect(page["total"] as? Int == 6)
            #expect((page["me"] as? [String: Any])?["rank"] as? Int == 1)
            let cursor = try #require(page["nextCursor"] as? String)
            let rest = try await world.ada.board("\(board)&limit=4&cursor=\(cursor)")
            #expect(rest.components(separatedBy: ", ") == Array(before.dropFirst(2)))
            // Those of the team are ranked among themselves.
            try await leave(0)
            #expect(try await names().sorted() == ["1 P1", "1 P2", "1 P3", "1 P4", "1 P5"])
            try await leave(1)
            #expect(try await names() == ["404"], "A sixth who came later makes no five.")
        }
    }

    private struct World: Sendable {
        let server: TestServer
        let clock: TestClock
        let nobody, ada: Client
        let acme: (id: String, domain: String)
        /// Six who practise and share that with the company, P0 to P5.
        let employees: [Client]
        let uids: [String]

        var path: String { "/v1/organizations/\(acme.id)" }

        /// An empty team of that kind, and how an employee comes into it and out of it.
        func team(_ kind: String) async throws -> (
            join: @Sendable (Int) async throws -> Void, leave: @Sendable (Int) async throws -> Void,
            id: String
        ) {
            if kind == "by hand" {
                let made = try await ada.send(.post, "\(path)/teams", ["name": "Breathers"])
                let id = try #require(made.json["teamId"] as? String)
                let members = "\(path)/teams/\(id)/members"
                return (
                    { _ = try await ada.send(.put, "\(members)/\(uids[$0])") },
                    { _ = try await ada.send(.delete, "\(members)/\(uids[$0])") }, id
                )
            }
            let directory = try await ada.directory(of: acme.id)
            var users: [String] = []
            for number in uids.indices {
                let made = try await directory.send(
                    .post,
                    "/scim/v2/Users",
                    ["userName": "p\(number)@\(acme.domain)"]
                )
                users.append("\(made.json["id"] ?? "")")
            }
            let made = try await directory.send(.post, "/scim/v2/Groups", ["displayName": "Breathers"])
            let id = try #require(made.json["id"] as? String)
            let patch: @Sendable (String, String) async throws -> Void = { verb, user in
                let operation: [String: Any] = ["op": verb, "path": "members", "value": [["value": user]]]
                _ = try await directory.send(.patch, "/scim/v2/Groups/\(id)", ["Operations": [operation]])
            }
            let known = users
            return ({ try await patch("add", known[$0]) }, { try await patch("remove", known[$0]) }, id)
        }
    }

    private func withCompany(
        at start: Date = Date(),
        _ body: @Sendable (World) async throws -> Void
    ) async throws {
        let clock = TestClock(start)
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            let (ada, owner) = try await nobody.practitioner("Ada", at: clock.now)
            let acme = try await server.company("Acme", owner: owner)
            var employees: [Client] = []
            var uids: [String] = []
            for number in 0...5 {
                let (client, uid) = try await server.employee("P\(number)", of: acme, nobody, at: clock.now)
                employees.append(client)
                uids.append(uid)
            }
            try await body(
                World(
                    server: server,
                    clock: clock,
                    nobody: nobody,
                    ada: ada,
                    acme: acme,
                    employees: employees,
                    uids: uids
                )
            )
        }
    }
}
