import Domain
import Foundation
import HTTPTypes
import PGClient
import Testing

/// Whom a directory makes a member, and when they are one no longer.
struct DirectoryMembershipTests {
    private struct Company {
        let server: TestServer
        let acme: (id: String, domain: String)
        let ada, ben, directory: Client
        let benID: UUID

        var board: String { "company?organization=\(acme.id)" }

        /// Ben's, as the API has it.
        func membership() async throws -> [String: Any]? {
            let answer = try await ben.send(.get, "/v1/organizations")
            return (answer.json["organizations"] as? [[String: Any]])?.first
        }

        /// Whether the list of boards says that Ben is on the company's.
        func showsBen() async throws -> Bool? {
            let answer = try await ben.send(.get, "/v1/leaderboards")
            let boards = answer.json["boards"] as? [[String: Any]] ?? []
            return boards.first { $0["scope"] as? String == "company" }?["showsMe"] as? Bool
        }

        func provision(_ name: String = "ben", active: Bool = true) async throws -> String {
            let user: [String: Any] = ["userName": "\(name)@\(acme.domain)", "active": active]
            let made = try await directory.send(.post, "/scim/v2/Users", user)
            #expect(made.status == 201)
            return "/scim/v2/Users/\(made.json["id"] ?? "")"
        }

        func setActive(_ path: String, _ active: Bool) async throws {
            let operation: [String: Any] = ["op": "replace", "value": ["active": active]]
            #expect(try await directory.send(.patch, path, ["Operations": [operation]]).status == 200)
        }

        func join() async throws -> Int {
            try await ben.join(acme.id).status
        }
    }

    /// Ada, who owns Acme and is on its board, and Ben, who has shown an address there to be his.
    private func withCompany(_ body: @Sendable (Company) async throws -> Void) async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (ada, owner) = try await nobody.practitioner("Ada", at: clock.now)
            let acme = try await server.company("Acme", owner: owner)
            let (ben, uid) = try await nobody.practitioner("Ben", at: clock.now)
            try await server.recordEmail(of: uid, "Ben@\(acme.domain)")
            let company = Company(
                server: server,
                acme: acme,
                ada: ada,
                ben: ben,
                directory: try await ada.directory(of: acme.id),
                benID: try #require(UUID(uuidString: uid))
            )
            try await body(company)
        }
    }

    @Test func `who is provisioned belongs, and is on no board until they agree`() async throws {
        try await withCompany { company in
            #expect(try await company.membership() == nil)
            _ = try await company.provision()
            let membership = try await company.membership()
            #expect(membership?["agreed"] as? Bool == false)
            #expect(membership?["role"] as? String == "member")
            // Ben shares with his company as a rule, and changes something of it, which projects all he shares.
            _ = try await company.ben.send(.patch, "/v1/me", ["displayName": "Benjamin"])
            #expect(try await company.ada.board(company.board) == "1 Ada")
            #expect(try await company.showsBen() == false)
            #expect(try await company.join() == 200)
            #expect(try await company.membership()?["agreed"] as? Bool == true)
            #expect(try await company.ada.board(company.board).contains("Benjamin"))
            #expect(try await company.showsBen() == true)
        }
    }

    @Test(arguments: ["PATCH", "PUT", "DELETE"])
    func `the leaver is gone in that transaction, and keeps what is theirs`(_ way: String) async throws {
        try await withCompany { company in
            let path = try await company.provision()
            #expect(try await company.join() == 200)
            #expect(try await company.ada.board(company.board).contains("Ben"))
            switch way {
            case "PATCH": try await company.setActive(path, false)
            case "PUT":
                let user: [String: Any] = ["userName": "ben@\(company.acme.domain)", "active": "False"]
                #expect(try await company.directory.send(.put, path, user).status == 200)
            default: #expect(try await company.directory.send(.delete, path).status == 204)
            }
            // By a connection of its own: what it sees is committed.
            let left = try await company.server.asSuperuser { tx in
                try await tx.queryOne(
                    """
                    select (select count(*) from app.member where uid = \(company.benID))
                      + (select count(*) from app.company_standing where uid = \(company.benID))
                      + (select count(*) from app.company_season_rank where uid = \(company.benID)),
                      (select count(*) from app.session where uid = \(company.benID))
                    """,
                    as: (Int, Int).self
                )
            }
            #expect(left.0 == 0)
            #expect(left.1 > 0)
            #expect(try await company.ada.board(company.board) == "1 Ada")
            #expect(try await company.ben.board(company.board) == "404")
            #expect(try await company.ben.send(.get, "/v1/sync/state").status == 200)
            // The domain lets nobody in whom the directory has let go.
            #expect(try await company.join() == 404)
        }
    }

    @Test func `nothing of a leaver is seen by a transaction that begins when the answer is there`()
        async throws
    {
        try await withCompany { company in
            let path = try await company.provision()
            _ = try await company.join()
            let id = try #require(UUID(uuidString: String(path.dropFirst("/scim/v2/Users/".count))))
            let organization = try #require(UUID(uuidString: company.acme.id))
            let watching = PGPool(PGConfiguration(company.server.superuser))
            let rows: SQL = """
                select (select count(*) from app.member where uid = \(company.benID)),
                  (select count(*) from app.company_standing where uid = \(company.benID))
                """
            try await company.server.asSuperuser { tx in
                try await tx.execute(
                    "select set_config('app.key_organization_id', \(organization)::text, true)"
                )
                try await tx.execute("set local role breathmaster_api")
                try await tx.execute(
                    "update app.directory_user set active = false where directory_user_id = \(id)"
                )
                try await tx.execute("reset role")
                // Done here, and nowhere else yet: membership and board go at one moment.
                #expect(try await tx.queryOne(rows, as: (Int, Int).self) == (0, 0))
                let before = try await watching.transaction {
                    try await $0.queryOne(rows, as: (Int, Int).self)
                }
                #expect(before.0 == 1 && before.1 > 0)
            }
            let after = try await watching.transaction { try await $0.queryOne(rows, as: (Int, Int).self) }
            #expect(after == (0, 0))
            await watching.close()
        }
    }

    @Test func `who comes in by the domain while the directory lets them go is let go`() async throws {
        try await withCompany { company in
            let path = try await company.provision()
            let membership = "/v1/organizations/\(company.acme.id)/membership"
            _ = try await company.ben.send(.delete, membership)
            let id = try #require(UUID(uuidString: String(path.dropFirst("/scim/v2/Users/".count))))
            let organization = try #require(UUID(uuidString: company.acme.id))
            let marker = "race \(UUID())"
            let pool = PGPool(PGConfiguration(company.server.database))
            let leaving = try await pool.transaction(opening: "select app.bind(\(company.benID))") { coming in
                try await coming.execute(
                    """
                    select app.join_organization(\(organization), app.joining_agreement(\(organization), now()),
                      row(gen_random_uuid(), '', now())::app.origin)
                    """
                )
                let leaving = Task {
                    let key: SQL = "select set_config('app.key_organization_id', \(organization)::text, true)"
                    try await pool.transaction(opening: key) { tx in
                        try await tx.execute(
                            "/* \(unsafeSQL: marker) */ update app.directory_user set active = false where directory_user_id = \(id)"
                        )
                    }
                }
                try await eventually("the directory waits for its turn") {
                    try await company.server.asSuperuser { tx in
                        try await tx.queryOne(
                            """
                            select count(*) from pg_stat_activity
                            where pid <> pg_backend_pid() and query like \("%\(marker)%") and wait_event_type = 'Lock'
                            """,
                            as: Int.self
                        ) > 0
                    }
                }
                return leaving
            }
            try await leaving.value
            await pool.close()
            #expect(try await company.membership() == nil)
            #expect(try await company.join() == 404)
        }
    }

    @Test func `who is activated again belongs again, and is asked again`() async throws {
        try await withCompany { company in
            let path = try await company.provision()
            _ = try await company.join()
            try await company.setActive(path, false)
            #expect(try await company.membership() == nil)
            try await company.setActive(path, true)
            #expect(try await company.membership()?["agreed"] as? Bool == false)
            #expect(try await company.join() == 200)
            #expect(try await company.ada.board(company.board).contains("Ben"))
        }
    }

    @Test func `who leaves by themself is not brought back`() async throws {
        try await withCompany { company in
            let path = try await company.provision()
            let membership = "/v1/organizations/\(company.acme.id)/membership"
            #expect(try await company.ben.send(.delete, membership).status == 204)
            try await company.setActive(path, false)
            try await company.setActive(path, true)
            #expect(try await company.membership() == nil)
            #expect(try await company.join() == 200)
            #expect(try await company.membership()?["agreed"] as? Bool == true)
        }
    }

    @Test func `who joined by the domain leaves by the directory`() async throws {
        try await withCompany { company in
            #expect(try await company.join() == 200)
            #expect(try await company.membership()?["agreed"] as? Bool == true)
            _ = try await company.provision("BEN", active: false)
            #expect(try await company.membership() == nil)
            #expect(try await company.join() == 404)
        }
    }

    @Test func `an address outside of the proved domains is kept and makes nobody a member`() async throws {
        try await withCompany { company in
            let elsewhere = "ben@\(UUID().uuidString.lowercased()).example"
            try await company.server.recordEmail(of: company.benID.uuidString, elsewhere)
            let user: [String: Any] = ["userName": elsewhere, "active": true]
            let made = try await company.directory.send(.post, "/scim/v2/Users", user)
            #expect(made.status == 201)
            #expect(made.json["userName"] as? String == elsewhere)
            #expect(try await company.membership() == nil)
        }
    }

    @Test func `who shows the address later belongs from then on`() async throws {
        try await withCompany { company in
            _ = try await company.provision("benjamin")
            #expect(try await company.membership() == nil)
            try await company.server.recordEmail(
                of: company.benID.uuidString,
                "Benjamin@\(company.acme.domain)"
            )
            #expect(try await company.membership()?["agreed"] as? Bool == false)
        }
    }
}
