import Foundation
import HTTPTypes
import PGClient
import Testing

/// A company that somebody founded: who belongs to it, as what, and whose it is.
struct MemberTests {
    @Test func `who founds a company owns it, and it is nobody else's to see`() async throws {
        try await TestServer().run { nobody in
            let (ada, _) = try await nobody.newcomer()
            let (ben, _) = try await nobody.newcomer()
            let founded = try await ada.send(.post, "/v1/organizations", ["name": "  Birch House "])
            #expect(founded.status == 201)
            #expect(founded.json["name"] as? String == "Birch House")
            #expect(founded.json["role"] as? String == "owner")
            #expect(founded.json["proved"] as? Bool == false)
            let path = "/v1/organizations/\(founded.json["organizationId"] ?? "")"
            #expect(try await ada.send(.get, path).json["name"] as? String == "Birch House")
            #expect(try await ben.send(.get, path).status == 404)
            #expect(try await ben.join("\(founded.json["organizationId"] ?? "")").status == 404)

            for name in ["", " ", String(repeating: "x", count: 81), "a\u{202E}b"] {
                let refused = try await ada.send(.post, "/v1/organizations", ["name": name])
                #expect(refused.status == 422)
                #expect(refused.json["field"] as? String == "name")
            }
        }
    }

    @Test func `admins see who belongs, page by page, and nothing of their practice`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (ada, owner) = try await nobody.practitioner("Ada", at: clock.now)
            let acme = try await server.company("Acme", owner: owner)
            var uids = [owner]
            for name in ["Ben", "Cleo"] {
                // The operator's company is from now, whatever the clock says.
                clock.advance(by: 60)
                let (_, uid) = try await server.employee(name, of: acme, nobody, at: clock.now)
                uids.append(uid)
            }
            let path = "/v1/organizations/\(acme.id)/members"
            let first = try await ada.send(.get, "\(path)?limit=2")
            let cursor = try #require(first.json["nextCursor"] as? String)
            let rest = try await ada.send(.get, "\(path)?limit=2&cursor=\(cursor)")
            #expect(rest.json["nextCursor"] == nil)
            let members = [first, rest].flatMap { $0.json["members"] as? [[String: Any]] ?? [] }
            #expect(members.map { $0["uid"] as? String } == uids)
            #expect(members.map { $0["displayName"] as? String } == ["Ada", "Ben", "Cleo"])
            #expect(members.map { $0["role"] as? String } == ["owner", "member", "member"])
            let shown = Set(members.flatMap(\.keys))
            #expect(shown.isSubset(of: ["uid", "displayName", "avatarUrl", "role", "joinedAt"]))
            #expect(try await ada.send(.get, "\(path)?cursor=x").json["field"] as? String == "cursor")
        }
    }

    @Test func `a role is given by who may, down to the last owner`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (ada, owner) = try await nobody.practitioner("Ada", at: clock.now)
            let acme = try await server.company("Acme", owner: owner)
            let (ben, his) = try await server.employee("Ben", of: acme, nobody, at: clock.now)
            let (cleo, hers) = try await server.employee("Cleo", of: acme, nobody, at: clock.now)
            let members = "/v1/organizations/\(acme.id)/members"
            func role(_ uid: String, _ role: String, by client: Client) async throws -> String {
                let answer = try await client.send(.patch, "\(members)/\(uid)", ["role": role])
                return answer.json["code"] as? String ?? answer.json["role"] as? String ?? "\(answer.status)"
            }
            #expect(try await role(hers, "admin", by: ben) == "not_permitted")
            #expect(try await ben.send(.get, members).json["code"] as? String == "not_permitted")
            #expect(try await role(his, "admin", by: ada) == "admin")
            #expect(try await role(hers, "analyst", by: ben) == "analyst")
            #expect(try await cleo.send(.get, members).status == 403)
            #expect(try await role(owner, "member", by: ben) == "not_permitted")
            #expect(try await role(owner, "member", by: ada) == "last_owner")
            #expect(try await role(hers, "owner", by: ada) == "invalid_field")
            #expect(try await role(UUID().uuidString, "admin", by: ada) == "not_found")
            // Who gives the own role away sees no members any more.
            #expect(try await role(his, "member", by: ben) == "204")
            #expect(try await ben.send(.get, members).status == 403)
            #expect(
                try await ada.send(.delete, "/v1/organizations/\(acme.id)/membership").json["code"] as? String
                    == "last_owner"
            )
        }
    }

    @Test func `who is removed is out of the company and its board at once, and keeps their practice`()
        async throws
    {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (ada, owner) = try await nobody.practitioner("Ada", at: clock.now)
            let acme = try await server.company("Acme", owner: owner)
            let (ben, his) = try await server.employee("Ben", of: acme, nobody, at: clock.now)
            let board = "company?organization=\(acme.id)"
            #expect(try await ada.board(board).contains("Ben"))
            let path = "/v1/organizations/\(acme.id)/members/\(his)"
            #expect(
                try await ben.send(.delete, "/v1/organizations/\(acme.id)/members/\(owner)").status == 403
            )
            #expect(try await ada.send(.delete, path).status == 204)
            #expect(try await ada.send(.delete, path).status == 404)
            #expect(try await ada.board(board) == "1 Ada")
            #expect(try await ben.board(board) == "404")
            #expect(try await ben.send(.get, "/v1/sync/state").status == 200)
        }
    }

    @Test func `a company is handed over by an offer and a yes`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            let (ada, owner) = try await nobody.practitioner("Ada", at: clock.now)
            let acme = try await server.company("Acme", owner: owner)
            let (ben, his) = try await server.employee("Ben", of: acme, nobody, at: clock.now)
            let (cleo, _) = try await server.employee("Cleo", of: acme, nobody, at: clock.now)
            let path = "/v1/organizations/\(acme.id)/ownership"
            #expect(try await cleo.send(.put, path, ["uid": his]).status == 403)
            let offered = try await ada.send(.put, path, ["uid": his])
            #expect((offered.json["ownershipOffer"] as? [String: Any])?["uid"] as? String == his)
            let seen = try await ben.send(.get, "/v1/organizations/\(acme.id)").json
            #expect((seen["ownershipOffer"] as? [String: Any])?["offeredBy"] as? String == owner)
            #expect(try await cleo.send(.get, "/v1/organizations/\(acme.id)").json["ownershipOffer"] == nil)
            #expect(try await cleo.send(.post, "\(path)/accept").status == 404)

            #expect(try await ben.send(.delete, path).status == 204)
            #expect(try await ben.send(.post, "\(path)/accept").status == 404)
            _ = try await ada.send(.put, path, ["uid": his])
            clock.advance(by: 7 * 86_400)
            #expect(try await ben.send(.post, "\(path)/accept").status == 404)
            _ = try await ada.send(.put, path, ["uid": his])
            let accepted = try await ben.send(.post, "\(path)/accept")
            #expect(accepted.json["role"] as? String == "owner")
            #expect(
                try await ada.send(.get, "/v1/organizations/\(acme.id)").json["role"] as? String == "admin"
            )
            #expect(try await ada.send(.delete, "/v1/organizations/\(acme.id)/membership").status == 204)
        }
    }

    @Test func `two owners who leave at the same moment don't leave the company without one`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (_, owner) = try await nobody.practitioner("Ada", at: clock.now)
            let acme = try await server.company("Acme", owner: owner)
            let (_, his) = try await server.employee("Ben", of: acme, nobody, at: clock.now)
            let id = try #require(UUID(uuidString: acme.id))
            let (ada, ben) = (try #require(UUID(uuidString: owner)), try #require(UUID(uuidString: his)))
            try await server.asSuperuser { tx in
                try await tx.execute("update app.member set role = 'owner' where uid = \(ben)")
            }
            let pool = PGPool(PGConfiguration(server.database))
            let origin: SQL = "row(gen_random_uuid(), '', now())::app.origin"
            let marker = "leaves \(UUID())"
            let other = try await pool.transaction(opening: "select app.bind(\(ada))") { one in
                try await one.execute("select app.end_membership(\(id), \(ada), \(origin))")
                let other = Task {
                    try await pool.transaction(opening: "select app.bind(\(ben))") { two in
                        try await two.execute(
                            "/* \(unsafeSQL: marker) */ select app.end_membership(\(id), \(ben), \(origin))"
                        )
                    }
                }
                try await eventually("the other waits for this one, or is done") {
                    try await server.asSuperuser { tx in
                        try await tx.queryOne(
                            """
                            select count(*) from pg_stat_activity
                            where pid <> pg_backend_pid() and query like \("%\(marker)%")
                              and (wait_event_type = 'Lock' or state like 'idle%')
                            """,
                            as: Int.self
                        ) > 0
                    }
                }
                return other
            }
            let refused = await #expect(throws: PGError.self) { _ = try await other.value }
            #expect(refused?.constraint == "last_owner")
            await pool.close()
        }
    }
}

extension TestServer {
    /// A practitioner who joined a company by an address in its domain.
    func employee(
        _ name: String,
        of company: (id: String, domain: String),
        _ nobody: Client,
        at now: Date
    ) async throws -> (client: Client, uid: String) {
        let (client, uid) = try await nobody.practitioner(name, at: now)
        try await recordEmail(of: uid, "\(name.lowercased())@\(company.domain)")
        try #require(try await client.join(company.id).status == 200)
        return (client, uid)
    }
}

extension Client {
    /// Agrees to what the company shows before, and joins it.
    func join(_ company: String) async throws -> Answer {
        let preview = try await send(.get, "/v1/organizations/\(company)/preview")
        let agreement = preview.json["agreement"] as? String ?? "nothing"
        return try await send(.put, "/v1/organizations/\(company)/membership", ["agreement": agreement])
    }
}
