import Domain
import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

/// `breathmaster boards verify`, which counts every board again: nothing that is wrong escapes it,
/// and nothing that is right is called wrong.
struct BoardAuditTests {
    /// One value that isn't what it is made of, and what is said of it.
    struct Corruption: Sendable {
        let name: String
        let table: String
        let sql: SQL
        let said: String

        static let all = [
            Corruption(
                name: "practice that no session explains",
                table: "practice_day",
                sql: "update app.practice_day set xp = xp + 7 where local_day = '2045-05-21'",
                said: "user ADA, practice on 2045-05-21: the day is"
            ),
            Corruption(
                name: "a standing that the practice doesn't explain",
                table: "standing",
                sql: "update app.standing set weekly_xp = 777 where period = '2045-W20'",
                said: "user ADA, standing 2045-W20: weekly_xp is 777, expected 945"
            ),
            Corruption(
                name: "a standing of all time",
                table: "standing",
                sql: "update app.standing set total_sessions = 31 where period = 'all-time'",
                said: "user ADA, standing all-time: total_sessions is 31, expected 30"
            ),
            Corruption(
                name: "a standing that is missing",
                table: "standing",
                sql: "delete from app.standing where period = '2045-W20'",
                said: "user ADA, standing 2045-W20: the row is absent, expected one"
            ),
            Corruption(
                name: "a standing of a closed week",
                table: "standing",
                sql: "update app.standing set weekly_streak = 6 where period = '2045-W19'",
                said: "user ADA, standing 2045-W19: weekly_streak is 6, expected 3"
            ),
            Corruption(
                name: "a row that friends see against the person's will",
                table: "standing",
                sql: "update app.standing set with_friends = false where period = '2045-W20'",
                said: "user ADA, shown to friends, 2045-W20: with_friends is false, expected true"
            ),
            Corruption(
                name: "a row of the global board",
                table: "global_standing",
                sql: "update app.global_standing set weekly_xp = 1000 where period = '2045-W20'",
                said: "user ADA, global board 2045-W20: weekly_xp is 1000, expected 945"
            ),
            Corruption(
                name: "a name on the global board",
                table: "global_standing",
                sql: "update app.global_standing set display_name = 'Adam' where period = '2045-W20'",
                said: "user ADA, global board 2045-W20: display_name is Adam, expected Ada"
            ),
            Corruption(
                name: "somebody who isn't on the global board",
                table: "global_standing",
                sql: "delete from app.global_standing where period = '2045-W20'",
                said: "user ADA, global board 2045-W20: the row is absent, expected one"
            ),
            Corruption(
                name: "totals",
                table: "global_total",
                sql: "update app.global_total set total_xp = 1",
                said: "user ADA, global totals: total_xp is 1, expected 1350"
            ),
            Corruption(
                name: "a company's board",
                table: "company_standing",
                sql: "update app.company_standing set weekly_minutes = 1 where period = '2045-W20'",
                said: "user ADA, board of company ACME, 2045-W20: weekly_minutes is 1, expected 210"
            ),
            Corruption(
                name: "a count by value",
                table: "global_tally",
                sql: """
                    update app.global_tally set people = people + 1
                    where period = '2045-W20' and metric = 'weekly_xp' and level = 0 and bucket = 945
                    """,
                said: "counts of the global board 2045-W20 by weekly_xp: people with 945 is 2, expected 1"
            ),
            Corruption(
                name: "a count by bucket",
                table: "global_tally",
                sql: """
                    delete from app.global_tally
                    where period = '2045-W20' and metric = 'weekly_xp' and level = 1 and bucket = 945 / 128
                    """,
                said:
                    "counts of the global board 2045-W20 by weekly_xp: people from 896 to 1023 is 0, expected 1"
            ),
            Corruption(
                name: "a change that is still to be counted",
                table: "global_tally_change",
                sql: """
                    insert into app.global_tally_change (period, metric, value, people)
                    values ('2045-W20', 'weekly_streak', 5, 1)
                    """,
                said: "counts of the global board 2045-W20 by weekly_streak: people with 5 is 1, expected 0"
            ),
            Corruption(
                name: "a value in history",
                table: "global_season_rank",
                sql:
                    "update app.global_season_rank set value = 406 where metric = 'weekly_xp' and display_name = 'Ada'",
                said: "user ADA, global history 2045-W19 by weekly_xp: value is 406, expected 405"
            ),
            Corruption(
                name: "a rank in history",
                table: "global_season_rank",
                sql: "update app.global_season_rank set rank = 2 where metric = 'weekly_xp' and rank = 1",
                said: "history 2045-W19 by weekly_xp: the rank at place 1 is 2, expected 1"
            ),
            Corruption(
                name: "a digest",
                table: "global_season",
                sql: "update app.global_season set digest = sha256('') where metric = 'weekly_streak'",
                said: "history 2045-W19 by weekly_streak: the digest is e3b0c44298fc"
            ),
            Corruption(
                name: "how many there were",
                table: "global_season",
                sql: "update app.global_season set people = 1 where metric = 'weekly_xp'",
                said: "history 2045-W19 by weekly_xp: the number of people is 1, expected at least 2"
            ),
            Corruption(
                name: "a place in a company's history",
                table: "company_season_rank",
                sql: "update app.company_season_rank set shown = false where metric = 'weekly_minutes'",
                said:
                    "user ADA, history of company ACME, 2045-W19 by weekly_minutes: shown is false, expected true"
            ),
            Corruption(
                name: "a company's digest",
                table: "company_season",
                sql: "update app.company_season set digest = '' where metric = 'weekly_consistency'",
                said: "company ACME, history 2045-W19 by weekly_consistency: the digest is , expected"
            ),
        ]
    }

    @Test func `whatever is wrong is found and named, and nothing else is`() async throws {
        let clock = TestClock(try Date("2045-05-21T12:00:00Z", strategy: .iso8601))
        let server = try await TestServer(clock: clock, keepsTokens: true, isAlone: true)
        try await server.run { nobody in
            let ada = try await nobody.practitioner("Ada", at: clock.now)
            _ = try await nobody.practitioner("Ben", at: clock.now, cycles: 20)
            let acme = try await server.company("Acme", owner: ada.uid)
            try await ada.client.change([
                "privacy": ["showDetailedStats": true],
                "leaderboards": ["global": ["statsSharing": "detailed"], "company": ["enabled": false]],
            ])
            try await ada.client.change(["leaderboards": ["company": ["enabled": true]]])
            clock.advance(by: 600)
            try await server.finalise(Season(try #require(Week("2045-W19"))))
            try await server.asSuperuser { _ = try await $0.execute("select app.fold_global_tally(1000)") }
            #expect(try await server.boardDifferences() == [])

            for corruption in Corruption.all {
                let sound = try await server.corrupted(by: corruption)
                let said = corruption.said.replacing("ADA", with: ada.uid).replacing("ACME", with: acme.id)
                let differences = try await server.boardDifferences()
                #expect(
                    differences.contains { $0.hasPrefix(said) },
                    "\(corruption.name): \(differences.joined(separator: "\n"))"
                )
                try await server.restore(corruption.table, to: sound)
            }
            #expect(try await server.boardDifferences() == [])
        }
    }

    @Test func `what goes on meanwhile is nothing wrong`() async throws {
        let clock = TestClock(try Date("2044-05-22T12:00:00Z", strategy: .iso8601))
        let server = try await TestServer(clock: clock, keepsTokens: true, isAlone: true)
        try await server.run { nobody in
            var people: [Client] = []
            for number in 0..<4 {
                people.append(try await nobody.practitioner("P\(number)", at: clock.now).client)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for person in people {
                    group.addTask {
                        var phone = BatchDevice("phone", of: person)
                        for number in 1...15 {
                            let start = clock.now.addingTimeInterval(Double(-3 * 86_400 + number * 1200))
                            try await phone.sync([Practice.session(startedAt: start, cycles: 20 + number)])
                            try await person.change([
                                "leaderboards": ["global": ["anonymizedDisplay": number.isMultiple(of: 2)]]
                            ])
                        }
                    }
                }
                group.addTask {
                    for _ in 0..<8 {
                        #expect(try await server.boardDifferences() == [])
                        try await server.asSuperuser {
                            _ = try await $0.execute("select app.fold_global_tally(20)")
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func `the command prints what differs, and fails only then`() async throws {
        let clock = TestClock(try Date("2048-05-24T12:00:00Z", strategy: .iso8601))
        let server = try await TestServer(clock: clock, isAlone: true)
        try await server.run { nobody in
            let (_, uid) = try await nobody.practitioner("Ada", at: clock.now)
            let sound = try await breathmaster("boards", "verify", on: server.superuser)
            #expect(sound.status == 0)
            #expect(sound.output == "1 people, 2 weeks, 0 differences\n")
            try await server.asSuperuser {
                _ = try await $0.execute(
                    "update app.standing set weekly_minutes = 1 where period = '2048-W21'"
                )
            }
            let wrong = try await breathmaster("boards", "verify", on: server.superuser)
            #expect(wrong.status == 1)
            #expect(
                wrong.output.contains("user \(uid), standing 2048-W21: weekly_minutes is 1, expected 210\n")
            )
        }
    }

    @Test func `what came in after a week was closed, a clear and a pardon are nothing wrong`() async throws {
        let clock = TestClock(try Date("2046-05-20T12:00:00Z", strategy: .iso8601))
        let server = try await TestServer(clock: clock, keepsTokens: true, isAlone: true)
        try await server.run { nobody in
            let (ada, uid) = try await nobody.practitioner("Ada", at: clock.now)
            clock.advance(by: 600)
            try await server.finalise(Season(try #require(Week("2046-W19"))))
            clock.advance(by: 600)
            var phone = BatchDevice("phone", of: ada)
            try await phone.sync([
                Practice.session(startedAt: clock.now.addingTimeInterval(-8 * 86_400), cycles: 60)
            ])
            // Joined after the week was closed, and brought practice of it.
            _ = try await nobody.practitioner("Ben", at: clock.now)
            #expect(try await server.boardDifferences() == [])

            var laptop = BatchDevice("laptop", of: ada)
            let impossible = Practice.session(startedAt: clock.now.addingTimeInterval(-900), cycles: 3010)
            try await laptop.sync([impossible])
            try await server.decide(appealOf: impossible, by: ada, uid: uid, accepted: true)
            #expect(try await server.boardDifferences() == [])

            let cleared = try await ada.send(
                .post,
                "/v1/sync/reset",
                ["device": ["id": "laptop", "name": "laptop", "timeZone": "UTC"], "epoch": 1]
            )
            #expect(cleared.status == 200)
            #expect(try await server.boardDifferences() == [])
            try await server.asSuperuser {
                _ = try await $0.execute("delete from app.user where uid = \(UUID(uuidString: uid))")
            }
            #expect(try await server.boardDifferences() == [])
        }
    }
}

extension TestServer {
    /// What the table was before, as JSON.
    fileprivate func corrupted(by corruption: BoardAuditTests.Corruption) async throws -> [String] {
        try await asSuperuser { tx in
            let rows = try await tx.query(
                "select to_jsonb(t)::text from app.\(identifier: corruption.table) t",
                as: (String).self
            )
            // Nothing that would keep others in line with it.
            try await tx.execute("set local session_replication_role = replica")
            let count = try await tx.execute(corruption.sql)
            try #require(count > 0, "\(corruption.name)")
            return rows
        }
    }

    fileprivate func restore(_ table: String, to rows: [String]) async throws {
        try await asSuperuser { tx in
            try await tx.execute("set local session_replication_role = replica")
            try await tx.execute("delete from app.\(identifier: table)")
            try await tx.execute(
                """
                insert into app.\(identifier: table)
                select r.* from unnest(\(rows)::text[]) as given (row)
                  cross join lateral jsonb_populate_record(null::app.\(identifier: table), given.row::jsonb) as r
                """
            )
        }
    }
}
