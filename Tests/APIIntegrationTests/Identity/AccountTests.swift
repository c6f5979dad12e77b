import Domain
import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

/// The end of an account, and all of it to take along.
struct AccountTests {
    private static let confirmation = ["confirm": "delete my account"]

    @Test func `an account ends at once with everything of it, and the answer says how much that was`()
        async throws
    {
        let clock = TestClock(Practice.noon)
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (ada, uid) = try await nobody.practitioner("Ada", at: clock.now)
            let (ben, benID) = try await nobody.practitioner("Ben", at: clock.now)
            let company = try await server.company("Acme", owner: benID)
            let address = "ada@\(company.domain)"
            try await server.recordEmail(of: uid, address)
            try #require(try await ada.join(company.id).status == 200)
            _ = try await ada.send(.put, "/v1/friends/\(benID)")
            _ = try await ben.send(.put, "/v1/friends/\(uid)")
            let program = try await ada.program(["sync:read"], at: clock.now)
            _ = try await ada.send(.post, "/v1/me/emails", ["address": "home@\(company.domain)"])
            _ = try await nobody.send(.post, "/v1/auth/password/forgotten", ["address": address])
            #expect(try await ben.board("friends").contains("Ada"))

            let answer = try await ada.send(.delete, "/v1/me", Self.confirmation)
            #expect(answer.status == 200)
            let deleted = try #require(answer.json["deleted"] as? [String: Int])
            for (what, count) in [
                "sessions": 30, "days": 10, "devices": 1, "friendships": 1, "memberships": 1, "emails": 1,
                "messages": 1, "tokens": 1, "signIns": 1,
            ] {
                #expect(deleted[what] == count, "\(what)")
            }

            // Nothing acts as that person any more.
            #expect(try await ada.send(.get, "/v1/me").status == 401)
            #expect(try await program.send(.get, "/v1/sync/state").status == 401)
            #expect(try await server.mentions(of: uid, address) == [])
            // Whoever was beside them has a place of their own.
            #expect(try await ben.board("friends") == "1 Ben")
            #expect(try await ben.board("company?organization=\(company.id)") == "1 Ben")
            let record = try await ben.send(.get, "/v1/organizations/\(company.id)/audit").json
            let events = try #require(record["events"] as? [[String: Any]])
            #expect(events.contains { $0["action"] as? String == "member.left" })
            // The address is free again.
            let (eve, eveID) = try await nobody.newcomer()
            try await server.recordEmail(of: eveID, address)
            #expect(try await eve.send(.get, "/v1/me").status == 200)
        }
    }

    @Test func `who has a password gives it, and who has none says what they want`() async throws {
        let server = try await TestServer(passwordCost: .init(kibibytes: 64, passes: 1))
        try await server.run { nobody in
            let (ada, _) = try await nobody.newcomer()
            for body in [[:], ["confirm": "yes"], ["password": "a quiet lake at dawn"]] {
                let answer = try await ada.send(.delete, "/v1/me", body)
                #expect(answer.status == 422)
                #expect(answer.json["field"] as? String == "confirm")
            }
            #expect(try await ada.send(.delete, "/v1/me").status == 400)
            _ = try await ada.send(.put, "/v1/me/password", ["password": "a quiet lake at dawn"])
            for body in [Self.confirmation, ["password": "a loud lake at dusk"]] {
                let answer = try await ada.send(.delete, "/v1/me", body)
                #expect(answer.status == 422)
                #expect(answer.json["field"] as? String == "password")
            }
            #expect(try await ada.send(.get, "/v1/me").status == 200)
            let right = try await ada.send(.delete, "/v1/me", ["password": "a quiet lake at dawn"])
            #expect(right.status == 200)
            #expect(try await ada.send(.delete, "/v1/me", Self.confirmation).status == 401)
        }
    }

    @Test func `the last owner hands the company over first, unless nobody else is in it`() async throws {
        let clock = TestClock(Practice.noon)
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (owner, uid) = try await nobody.practitioner("Owner", at: clock.now)
            let shared = try await server.company("Shared", owner: uid)
            let alone = try await server.company("Alone", owner: uid)
            let (employee, employeeID) = try await server.employee("Eve", of: shared, nobody, at: clock.now)
            let refused = try await owner.send(.delete, "/v1/me", Self.confirmation)
            #expect(refused.status == 409)
            #expect(refused.json["code"] as? String == "last_owner")
            // Nothing of it was done.
            #expect(try await owner.send(.get, "/v1/organizations/\(alone.id)").status == 200)
            #expect(try await owner.send(.get, "/v1/sync/state").json["totalSessions"] as? Int == 30)

            _ = try await owner.send(
                .put,
                "/v1/organizations/\(shared.id)/ownership",
                ["uid": employeeID]
            )
            _ = try await employee.send(.post, "/v1/organizations/\(shared.id)/ownership/accept")
            #expect(try await owner.send(.delete, "/v1/me", Self.confirmation).status == 200)
            #expect(try await employee.send(.get, "/v1/organizations/\(shared.id)").status == 200)
            // What nobody answers for is closed, and goes as any company does.
            let due = try await server.asSuperuser { tx in
                try await tx.query(
                    """
                    select o.name from app.organization o join app.organization_deletion d using (organization_id)
                    where organization_id = any (\([alone.id, shared.id].compactMap(UUID.init(uuidString:))))
                      and o.deletion_due_at > \(clock.now)
                    """,
                    as: String.self
                )
            }
            #expect(due == ["Alone"])
        }
    }

    @Test func `boards, counts and history say the same when somebody has gone`() async throws {
        let season = Season(try #require(Week("2031-W20")))
        let clock = TestClock(season.endsAt.date.addingTimeInterval(-30 * 3600))
        let server = try await TestServer(clock: clock, keepsTokens: true, isAlone: true)
        try await server.run { nobody in
            var people: [Client] = []
            for (name, cycles) in [("Ada", 60), ("Ben", 50), ("Cara", 40)] {
                people.append(try await nobody.practitioner(name, at: clock.now, cycles: cycles).client)
            }
            let week = "global/seasons/\(season.week)"
            #expect(try await people[2].board(week) == "1 Ada, 2 Ben, 3 Cara")
            #expect(try await people[1].send(.delete, "/v1/me", Self.confirmation).status == 200)
            #expect(try await people[2].board(week) == "1 Ada, 2 Cara")
            while clock.now < season.finalAt.date { clock.advance(by: 86_400) }
            try await server.finalise(season)
            #expect(try await people[2].board(week) == "1 Ada, 2 Cara")
            #expect(try await people[0].send(.delete, "/v1/me", Self.confirmation).status == 200)
            #expect(try await people[2].board(week) == "2 Cara")
            #expect(try await server.boardDifferences() == [])
        }
    }

    @Test func `an export has every row of a person that the server may read, and no secret`() async throws {
        let clock = TestClock(Practice.noon)
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (ada, uid) = try await nobody.practitioner("Ada", at: clock.now)
            let (_, benID) = try await nobody.practitioner("Ben", at: clock.now)
            _ = try await ada.send(.put, "/v1/friends/\(benID)")
            _ = try await ada.send(.put, "/v1/me/password", ["password": "a quiet lake at dawn"])
            let answer = try await ada.send(.get, "/v1/me/export")
            #expect(answer.status == 200)
            #expect(answer.json["uid"] as? String == uid)
            let list = try #require(answer.json["tables"] as? [[String: [[String: Any]]]])
            let tables = list.reduce(into: [:]) { $0.merge($1) { first, _ in first } }
            #expect(tables["session"]?.count == 30)
            #expect(tables["practice_day"]?.count == 10)
            #expect(tables["user"]?.first?["display_name"] as? String == "Ada")
            #expect((answer.json["friends"] as? [Any])?.count == 1)
            #expect(tables.values.joined().allSatisfy { $0["uid"] as? String == uid })
            let secrets = ["hash", "phc", "digest", "seed", "current_hash", "previous_hash"]
            #expect(tables.values.joined().allSatisfy { row in secrets.allSatisfy { row[$0] == nil } })
            // A program may not take everything along.
            let program = try await ada.program(["profile:read", "sync:read"], at: clock.now)
            #expect(try await program.send(.get, "/v1/me/export").status == 403)
            #expect(try await program.send(.delete, "/v1/me", Self.confirmation).status == 403)
        }
    }

    @Test func `every table with a person in it is exported, or left out for a reason`() async throws {
        let server = try await TestServer()
        let tables = try await server.asSuperuser { tx in
            try await tx.query(
                """
                select c.relname::text from pg_class c
                where c.relnamespace = 'app'::regnamespace and c.relkind = 'r' and exists (
                  select from pg_attribute a where a.attrelid = c.oid and a.attname = 'uid' and not a.attisdropped)
                """,
                as: String.self
            )
        }
        await server.server.pool.close()
        let leftOut: Set<String> = [
            // What others see, made of what is in the export.
            "standing", "global_standing", "global_total", "global_season_rank", "company_standing",
            "company_season_rank", "pseudonym",
            // In the list of friends, as far as the other says.
            "friendship",
            // A company's to say.
            "team_member",
            // Of an hour, and of mail that is on its way.
            "friend_code_attempt", "mail_budget", "device_approval", "outbox",
        ]
        #expect(Set(tables).subtracting(leftOut) == Set(AccountExport.tables.map(\.name)))
        #expect(leftOut.isSubset(of: Set(tables)))
    }
}

extension TestServer {
    /// Every place in which a person or an address of theirs is still found, in whatever column; but for the record of
    /// a company, which says who left.
    fileprivate func mentions(of uid: String, _ address: String) async throws -> [String] {
        try await asSuperuser { tx in
            let tables = try await tx.query(
                """
                select c.relname::text from pg_class c
                where c.relnamespace = 'app'::regnamespace and c.relkind = 'r' and c.relname <> 'organization_event'
                order by 1
                """,
                as: String.self
            )
            var found: [String] = []
            for table in tables {
                let rows = try await tx.queryOne(
                    """
                    select count(*) from app.\(identifier: table) as t
                    where t::text ilike '%' || \(uid) || '%' or t::text ilike '%' || \(address) || '%'
                    """,
                    as: Int.self
                )
                if rows > 0 { found.append("\(table) \(rows)") }
            }
            return found
        }
    }
}
