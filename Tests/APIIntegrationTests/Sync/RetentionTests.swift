import Domain
import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

/// What is forgotten after the days that a person wants it kept, and what stays. Each in a database of its own: the
/// job goes through everybody.
struct RetentionTests {
    /// A Wednesday at noon, which is no test's own season.
    private static let start = Date(timeIntervalSince1970: 1_772_625_600)

    /// Ten days of practice by a laptop, and a tablet that practised at the same time on some of them.
    private static func history(of client: Client, until end: Date) async throws -> (
        export: [String: Any], batch: [String: Any], tablet: BatchDevice
    ) {
        let export = Practice.export(until: end, challenges: [Practice.challenge(on: end)])
        _ = try await client.send(.put, "/v1/sync/export", export)
        var tablet = BatchDevice("tablet", of: client)
        let sessions = (0..<5).map { day in
            Practice.session(
                startedAt: end.addingTimeInterval(Double(-day * 86_400 - 5200)),
                cycles: 60 + day,
                minutes: 15
            )
        }
        // One that can't be.
        let impossible = Practice.session(startedAt: end.addingTimeInterval(-9000), cycles: 3010)
        let batch = tablet.body(sessions + [impossible])
        let answer = try await client.send(.post, "/v1/sync", batch)
        try #require(answer.status == 200)
        tablet.take(answer)
        return (export, batch, tablet)
    }

    @Test func `totals, streaks, boards and history are what they were when the detail of them is gone`()
        async throws
    {
        let clock = TestClock(Self.start)
        let server = try await TestServer(clock: clock, keepsTokens: true, isAlone: true)
        try await server.run { nobody in
            let (ada, uid) = try await nobody.practitioner("Ada", at: clock.now)
            let (_, other) = try await nobody.practitioner("Ben", at: clock.now, cycles: 30)
            _ = try await server.company("Acme", owner: uid)
            let history = try await Self.history(of: ada, until: clock.now)
            let season = Season(Week(of: LocalDay(of: Instant(clock.now), in: .utc)))
            clock.advance(by: 20 * 86_400)
            try await server.finalise(season)
            // What comes when the week is final counts on its day, and the week's standing stays.
            var phone = BatchDevice("phone", of: ada)
            let late = Practice.session(startedAt: Self.start.addingTimeInterval(-20_000), cycles: 50)
            try #require(try await phone.sync([late]).outcomes == ["sessions 0 accepted"])
            clock.advance(by: 340 * 86_400)
            // Practice that isn't old.
            var laptop = history.tablet
            try await laptop.sync([
                Practice.session(startedAt: clock.now.addingTimeInterval(-7200), cycles: 33)
            ])
            #expect(try await server.boardDifferences() == [])

            clock.advance(by: 20 * 86_400)
            let before = try await server.remembered(of: uid)
            let state = try await ada.send(.get, "/v1/sync/state").json
            let day = "/v1/sync/days/\(LocalDay(of: Instant(Self.start), in: .utc))"
            let explanation = try await ada.send(.get, day).json
            let board = try await ada.board("global/seasons/\(season.week)")
            try await server.retention.forget()

            #expect(try await server.count("session", of: uid) == 1)
            #expect(try await server.count("session", of: other) == 0)
            #expect(try await server.remembered(of: uid) == before)
            let after = try await ada.send(.get, "/v1/sync/state").json
            #expect(NSDictionary(dictionary: after) == NSDictionary(dictionary: state))
            let explained = try await ada.send(.get, day).json
            #expect(NSDictionary(dictionary: explained) == NSDictionary(dictionary: explanation))
            #expect(try await ada.board("global/seasons/\(season.week)") == board)
            #expect(try await server.boardDifferences() == [])
            // Again there is nothing to do.
            try await server.retention.forget()
            #expect(try await server.remembered(of: uid) == before)
        }
    }

    @Test func `a device that sends all its old sessions again changes nothing`() async throws {
        let clock = TestClock(Self.start)
        let server = try await TestServer(clock: clock, keepsTokens: true, isAlone: true)
        try await server.run { nobody in
            let (ada, uid) = try await nobody.newcomer()
            let history = try await Self.history(of: ada, until: clock.now)
            clock.advance(by: 370 * 86_400)
            try await server.retention.forget()
            try #require(try await server.count("session", of: uid) == 0)
            let before = try await server.remembered(of: uid)
            let state = try await ada.send(.get, "/v1/sync/state").json

            let exported = try await ada.send(.put, "/v1/sync/export", history.export)
            #expect(exported.status == 200)
            let outcomes = try #require(exported.json["sessions"] as? [[String: Any]])
            #expect(outcomes.count == 30)
            #expect(outcomes.allSatisfy { $0["reason"] as? String == "tooOld" })

            // The same batch, whose answer was forgotten and never came, and its sessions in another one, by this
            // device and by a new one.
            let repeated = try await ada.send(.post, "/v1/sync", history.batch)
            #expect(repeated.status == 200)
            #expect(repeated.outcomes.count == 6)
            #expect(repeated.state["totalXP"] as? Int == state["totalXP"] as? Int)
            var changed = history.batch
            changed["since"] = 1
            #expect(
                try await ada.send(.post, "/v1/sync", changed).json["code"] as? String == "batch_id_taken"
            )
            let sessions = try #require(history.batch["sessions"] as? [[String: Any]])
            for device in ["tablet", "phone"] {
                let again = BatchDevice(device, of: ada).body(sessions)
                let answer = try await ada.send(.post, "/v1/sync", again)
                #expect(answer.status == 200)
                #expect(answer.outcomes == (0..<6).map { "sessions \($0) rejected tooOld" })
            }
            let after = try await ada.send(.get, "/v1/sync/state").json
            for field in [
                "totalXP", "level", "totalSessions", "totalMinutes", "currentStreak", "longestStreak",
            ] {
                #expect("\(after[field] ?? "")" == "\(state[field] ?? "")", "\(field)")
            }
            let rows = try await server.remembered(of: uid)
            #expect(rows["practice_day"] == before["practice_day"])
            #expect(rows["standing"] == before["standing"])
            #expect(try await server.count("session", of: uid) == 0)
            #expect(try await server.boardDifferences() == [])
        }
    }

    @Test func `each person's detail is kept for as long as they say, and what they practise goes on`()
        async throws
    {
        let clock = TestClock(Self.start)
        let server = try await TestServer(clock: clock, keepsTokens: true, isAlone: true)
        try await server.run { nobody in
            let (short, shortID) = try await nobody.practitioner("Short", at: clock.now)
            let (_, longID) = try await nobody.practitioner("Long", at: clock.now)
            _ = try await short.send(.patch, "/v1/me", ["privacy": ["dataRetention": 30]])
            clock.advance(by: 26 * 86_400)
            try await server.retention.forget()
            // Of ten days the five last are of the last thirty.
            #expect(try await server.count("session", of: shortID) == 15)
            #expect(try await server.count("session", of: longID) == 30)
            let listed = try await short.send(.get, "/v1/sync/sessions").json["sessions"] as? [Any]
            #expect(listed?.count == 15)

            // Beside what is gone nothing is taken; from seven days on it is.
            var phone = BatchDevice("phone", of: short)
            func practise(daysAgo days: Double) async throws -> [String] {
                let start = clock.now.addingTimeInterval(-days * 86_400 - 3600)
                return try await phone.sync([Practice.session(startedAt: start, cycles: 20)]).outcomes
            }
            #expect(try await practise(daysAgo: 24) == ["sessions 0 rejected tooOld"])
            #expect(try await practise(daysAgo: 23) == ["sessions 0 accepted"])
            #expect(try await practise(daysAgo: 0) == ["sessions 0 accepted"])
            #expect(try await short.send(.get, "/v1/sync/state").json["totalSessions"] as? Int == 32)
            #expect(try await server.boardDifferences() == [])
            // Longer from now on: what was forgotten doesn't come back.
            _ = try await short.send(.patch, "/v1/me", ["privacy": ["dataRetention": 3650]])
            #expect(try await practise(daysAgo: 27) == ["sessions 0 rejected tooOld"])
        }
    }

    @Test func `a clear clears what was forgotten too, and what is practised afterwards begins anew`()
        async throws
    {
        let clock = TestClock(Self.start)
        let server = try await TestServer(clock: clock, keepsTokens: true, isAlone: true)
        try await server.run { nobody in
            let (ada, _) = try await nobody.newcomer()
            _ = try await Self.history(of: ada, until: clock.now)
            clock.advance(by: 370 * 86_400)
            try await server.retention.forget()
            let device: [String: Any] = ["id": "laptop", "name": "laptop", "timeZone": "UTC"]
            let cleared = try await ada.send(.post, "/v1/sync/reset", ["device": device, "epoch": 1])
            #expect(cleared.json["totalXP"] as? Int == 0)
            var laptop = BatchDevice("laptop", of: ada)
            clock.advance(by: 7200)
            let session = Practice.session(startedAt: clock.now.addingTimeInterval(-3600), cycles: 20)
            try await laptop.sync([session])
            #expect(try await ada.send(.get, "/v1/sync/state").json["totalSessions"] as? Int == 1)
            #expect(try await server.boardDifferences() == [])
        }
    }

    @Test func `the record of an account goes back 400 days, and a sync in that moment is waited for`()
        async throws
    {
        let clock = TestClock(Self.start)
        let server = try await TestServer(clock: clock, keepsTokens: true, isAlone: true)
        try await server.run { nobody in
            let (ada, uid) = try await nobody.practitioner("Ada", at: clock.now)
            func actions() async throws -> [String] {
                let record = try await ada.send(.get, "/v1/me/audit-events").json
                return (record["events"] as? [[String: Any]] ?? []).compactMap { $0["action"] as? String }
                    .sorted()
            }
            clock.advance(by: 399 * 86_400)
            _ = try await ada.program(["sync:read"], at: clock.now)
            try await server.asSuperuser { tx in
                // As somebody's sync holds it.
                try await tx.execute("select from app.game_state for update")
                try await server.retention.forget()
                let kept = try await tx.queryOne("select count(*) from app.session", as: Int.self)
                #expect(kept == 30)
            }
            #expect(try await actions() == ["account.created", "privacy.changed", "token.created"])
            clock.advance(by: 2 * 86_400)
            try await server.retention.forget()
            #expect(try await actions() == ["token.created"])
            #expect(try await server.count("session", of: uid) == 0)
        }
    }
}

extension TestServer {
    fileprivate var retention: Retention { Retention(pool: server.pool, now: server.now) }

    fileprivate func count(_ table: String, of uid: String) async throws -> Int {
        let person = try #require(UUID(uuidString: uid))
        return try await asSuperuser { tx in
            try await tx.queryOne(
                "select count(*) from app.\(identifier: table) where uid = \(person)",
                as: Int.self
            )
        }
    }

    /// Every row that has to outlast the sessions, byte for byte, by table.
    fileprivate func remembered(of uid: String) async throws -> [String: String] {
        let person = try #require(UUID(uuidString: uid))
        return try await asSuperuser { tx in
            var rows: [String: String] = [:]
            for table in [
                "game_state", "device", "practice_day", "daily_challenge", "standing", "global_standing",
                "global_total", "global_season_rank", "company_standing", "company_season_rank",
                "state_entry",
            ] {
                rows[table] = try await tx.queryOne(
                    """
                    select coalesce(string_agg((to_jsonb(t) - 'detail_from')::text, ' ' order by t::text), '')
                    from app.\(identifier: table) as t where uid = \(person)
                    """,
                    as: String.self
                )
            }
            return rows
        }
    }
}
