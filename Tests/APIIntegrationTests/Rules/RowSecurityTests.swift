import Domain
import Foundation
import HTTPTypes
import PGClient
import Testing

/// Row security from outside of the handlers: a raw connection as the API's
/// role, bound as one person, tries everything on every table that there is.
struct RowSecurityTests {
    @Test func `a connection that was bound before is unbound again, and that is an error`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let (_, uid) = try await nobody.newcomer()
            let person = try #require(UUID(uuidString: uid))
            var configuration = PGConfiguration(server.database)
            configuration.maximumConnections = 1
            let pool = PGPool(configuration)
            let backend = try await pool.transaction(opening: "select app.bind(\(person))") { tx in
                try await tx.queryOne("select pg_backend_pid(), app.uid()", as: (Int32, UUID).self)
            }
            #expect(backend.1 == person)
            for sql: SQL in ["select app.uid()", "select 1 from app.user", "select 1 from app.session"] {
                let error = await #expect(throws: PGError.self) {
                    try await pool.transaction { tx in
                        #expect(try await tx.queryOne("select pg_backend_pid()", as: Int32.self) == backend.0)
                        try await tx.execute(sql)
                    }
                }
                #expect(error?.sqlState?.rawValue == "42501")
            }
            await pool.close()
        }
    }

    @Test func `a bound connection reads, adds, changes and removes nothing of anybody else`() async throws {
        // In a database where nobody else folds counts or forgets what is over.
        let season = Season(try #require(Week("2049-W20")))
        let clock = TestClock(season.endsAt.date.addingTimeInterval(-30 * 3600))
        let server = try await TestServer(clock: clock, isAlone: true)
        try await server.run { nobody in
            let (_, ada) = try await nobody.practitioner("Ada", at: clock.now)
            let (ben, other) = try await nobody.practitioner("Ben", at: clock.now)
            let umbrella = try await server.company("Umbrella", owner: other)
            let directory = try await ben.directory(of: umbrella.id)
            for name in ["someone", "leaver"] {
                let address = "\(name)@\(umbrella.domain)"
                let user: [String: Any] = ["userName": address, "emails": [["value": address]]]
                let made = try await directory.send(.post, "/scim/v2/Users", user)
                let group: [String: Any] = [
                    "displayName": name, "members": [["value": made.json["id"] ?? ""]],
                ]
                _ = try await directory.send(.post, "/scim/v2/Groups", group)
                guard name == "leaver" else { continue }
                _ = try await directory.send(.delete, "/scim/v2/Users/\(made.json["id"] ?? "")")
            }
            let (_, employee) = try await server.employee("Eve", of: umbrella, nobody, at: clock.now)
            _ = try await ben.send(
                .put,
                "/v1/organizations/\(umbrella.id)/ownership",
                ["uid": employee]
            )
            let teams = "/v1/organizations/\(umbrella.id)/teams"
            let team = try await ben.send(.post, teams, ["name": "Breathers"]).json["teamId"] ?? ""
            _ = try await ben.send(.put, "\(teams)/\(team)/members/\(employee)")
            let shell = try await server.company("Shell", owner: employee)
            let shellID = try #require(UUID(uuidString: shell.id))
            try await server.asOperator { tx in
                _ = try await tx.execute(
                    "select app.order_deletion(\(shellID), row(gen_random_uuid(), '', now())::app.origin)"
                )
            }
            let invited = ["address": "guest@\(umbrella.domain)"]
            _ = try await ben.send(.post, "/v1/organizations/\(umbrella.id)/invitations", invited)
            // Under a pseudonym for a while, and then with all time.
            for (anonymous, sharing) in [(true, "minimal"), (false, "detailed")] {
                let board: [String: Any] = ["anonymizedDisplay": anonymous, "statsSharing": sharing]
                _ = try await ben.send(
                    .patch,
                    "/v1/me",
                    ["privacy": ["showDetailedStats": true], "leaderboards": ["global": board]]
                )
            }
            let (frank, friend) = try await nobody.practitioner("Frank", at: clock.now)
            _ = try await ben.send(.put, "/v1/friends/\(friend)")
            _ = try await ben.send(.post, "/v1/friends/code")
            _ = try await ben.send(.post, "/v1/friends", ["code": "BM-000000-000000"])
            _ = try await ben.send(.put, "/v1/friends/blocks/\(UUID())")
            _ = try await ben.send(.put, "/v1/me/password", ["password": "a quiet lake at dawn"])
            _ = try await ben.program(["sync:read"], at: clock.now)
            _ = try await ben.send(.post, "/v1/me/emails", ["address": "ben@\(UUID()).example"])
            _ = try await nobody.send(
                .post,
                "/v1/auth/password/forgotten",
                ["address": "ben@\(UUID()).example"]
            )
            let asked = try await nobody.submit("/v1/auth/device", ["client_id": "editor"])
            _ = try await ben.send(.post, "/v1/me/device-requests/\(asked["user_code"])")
            let merge = try #require(try await ben.send(.post, "/v1/me/merge").json["code"] as? String)
            _ = try await frank.send(.post, "/v1/me/merges/\(merge)")
            let otherID = UUID(uuidString: other) ?? UUID()
            try await server.asOperator { tx in
                _ = try await tx.execute("select app.bind(\(otherID))")
                _ = try await tx.execute(
                    """
                    select app.link_identity('https://accounts.example', 'ben', null, null, sha256('nonce'), now(),
                      now() + interval '10 minutes')
                    """
                )
            }
            try await server.recordEmail(of: other, "ben@\(UUID()).example")
            try await server.asSuperuser { tx in
                try await tx.execute("select app.fold_global_tally(1)")
            }
            clock.advance(by: 1)
            _ = try await ben.send(
                .put,
                "/v1/sync/export",
                Practice.export(until: clock.now, challenges: [Practice.challenge(on: clock.now)])
            )
            var laptop = BatchDevice("laptop", of: ben)
            let impossible = Practice.session(startedAt: clock.now.addingTimeInterval(-9000), cycles: 3010)
            try await laptop.sync([impossible], state: ["unlockedPatterns": ["value": ["boxing"]]])
            try await server.decide(appealOf: impossible, by: ben, uid: other, accepted: false)

            clock.advance(by: season.finalAt.date.timeIntervalSince(clock.now))
            try await server.finalise(season)

            let adaID = try #require(UUID(uuidString: ada))
            let sweep = Sweep(pool: PGPool(PGConfiguration(server.database)), uid: adaID)
            let tables = try await server.asSuperuser { tx in
                try await tx.query(
                    "select tablename::text from pg_tables where schemaname = 'app' order by 1",
                    as: (String).self
                )
            }
            #expect(tables.count > 10)
            for table in tables {
                // A row of somebody else, so that there is something to be found.
                let foreign = try await server.asSuperuser { tx in
                    try await tx.query(
                        """
                        select to_jsonb(t)::text from app.\(identifier: table) t
                        where not (to_jsonb(t)::text like \("%\(ada)%"))
                        limit 1
                        """,
                        as: (String).self
                    ).first
                }
                let columns = try await server.asSuperuser { tx in
                    try await tx.queryOne(
                        """
                        select string_agg(quote_ident(attname), ', ') from pg_attribute
                        where attrelid = \("app.\(table)")::regclass and attnum > 0 and attgenerated = ''
                        """,
                        as: (String).self
                    )
                }
                let row = try #require(foreign, "\(table) has no row of anybody else to look for")
                for (attempt, found) in try await sweep.everything(on: table, columns: columns, foreign: row)
                {
                    #expect(found == 0, "\(attempt) on \(table)")
                }
            }
            await sweep.pool.close()
        }
    }
}

private struct Sweep {
    let pool: PGPool
    let uid: UUID

    /// How many foreign rows each attempt reached; a refusal is none.
    func everything(
        on table: String,
        columns: String,
        foreign row: String
    ) async throws -> [(String, Int)] {
        let mine = "%\(uid.uuidString.lowercased())%"
        let isForeign: SQL = "not (to_jsonb(t)::text like \(mine))"
        let name: SQL = "app.\(identifier: table)"
        let column = columns.split(separator: ",").first.map(String.init) ?? columns
        return [
            ("select", try await reached("select 1 from \(name) t where \(isForeign)")),
            ("select for update", try await reached("select 1 from \(name) t where \(isForeign) for update")),
            (
                "insert",
                try await reached(
                    """
                    insert into \(name) (\(unsafeSQL: columns))
                    select \(unsafeSQL: columns) from jsonb_populate_record(null::\(name), \(row)::jsonb)
                    """
                )
            ),
            (
                "update",
                try await reached(
                    "update \(name) t set \(unsafeSQL: column) = \(unsafeSQL: column) where \(isForeign)"
                )
            ),
            ("delete", try await reached("delete from \(name) t where \(isForeign)")),
        ]
    }

    private func reached(_ sql: SQL) async throws -> Int {
        do {
            return try await pool.transaction(opening: "select app.bind(\(uid))") { tx in
                let count = try await tx.execute(sql)
                throw Undo(count: count)
            }
        } catch let undo as Undo {
            return undo.count
        } catch let error as PGError where error.sqlState?.rawValue == "42501" {
            return 0
        }
    }

    private struct Undo: Error {
        let count: Int
    }
}
