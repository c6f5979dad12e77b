import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

/// What is kept of a person's syncs, and how much.
struct SyncBoundsTests {
    private let end = Date()

    private func session(_ minutesAgo: Double, cycles: Int = 50) -> [String: Any] {
        Practice.session(startedAt: end.addingTimeInterval(-minutesAgo * 60), cycles: cycles)
    }

    private func unlocking(_ pattern: String) -> [String: Any] {
        ["unlockedPatterns": ["value": [pattern]]]
    }

    @Test func `sessions that don't count have a bound too, and those that do still come in`() async throws {
        let clock = TestClock(end)
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            var (laptop, uid) = try await nobody.veteran(until: end)
            try await server.asSuperuser { tx in
                try await tx.execute(
                    """
                    insert into app.session (uid, device_id, session_id, started_at, ended_at, began_at, epoch, local_day,
                      time_zone, active_ms, cycles, goal_bonus_xp, verdict, counted_xp, counted_active_ms, received_at,
                      sync_version)
                    select \(UUID(uuidString: uid)), 'laptop', 'odd-' || n, now(), now(), now() - interval '1 year', 1,
                      current_date - 365, 'UTC', 0, 1, 0, 'tooManyCycles', 0, 0, now(), 1
                    from generate_series(1, \(Int32(SyncRoutes.mostSessions) - 30)) as n
                    """
                )
            }
            let answer = try await laptop.sync(
                [session(200, cycles: 9999), session(100)],
                state: unlocking("boxing")
            )
            #expect(answer.outcomes == ["sessions 0 rejected tooManySessions", "sessions 1 accepted"])
            #expect(answer.state["unlockedPatterns"] as? [String] == ["boxing"])

            // What was cleared is stored still, so there is no room for more. That keeps nobody from clearing, nor
            // from anything else.
            clock.advance(by: 3600)
            let device: [String: Any] = ["id": "laptop", "name": "laptop", "timeZone": "UTC"]
            let cleared = try await laptop.client.send(
                .post,
                "/v1/sync/reset",
                ["device": device, "epoch": 1]
            )
            #expect(cleared.json["epoch"] as? Int == 2)
            clock.advance(by: 3600)
            laptop = BatchDevice("laptop", of: laptop.client)
            let since = Practice.session(startedAt: clock.now.addingTimeInterval(-1800), cycles: 20)
            let later = try await laptop.sync([since], state: unlocking("chill"))
            #expect(later.outcomes == ["sessions 0 rejected tooManySessions"])
            #expect(later.state["unlockedPatterns"] as? [String] == ["boxing", "chill"])
        }
    }

    @Test
    func `a session that is one too many is refused, and whatever comes with it is taken up`() async throws {
        let server = try await TestServer(isAlone: true)
        try await server.run { nobody in
            var (laptop, uid) = try await nobody.veteran(until: end)
            let person = try #require(UUID(uuidString: uid))
            try await server.asSuperuser { tx in
                try await tx.execute(
                    """
                    insert into app.practice_day (uid, epoch, local_day, xp, active_ms, sessions, overlap_xp,
                      first_ended_at, last_ended_at, first_zone, last_zone)
                    values (\(person), 1, '2020-01-01', 0, 0, \(Int32(SyncRoutes.mostSessions) - 31), 0,
                      '2020-01-01 12:00Z', '2020-01-01 12:00Z', 'UTC', 'UTC')
                    """
                )
            }
            let answer = try await laptop.sync(
                [session(200), session(150)],
                claims: [Practice.challenge(on: end)],
                state: unlocking("boxing")
            )
            #expect(
                answer.outcomes == [
                    "sessions 0 accepted", "sessions 1 rejected tooManySessions",
                    "challengeClaims 0 accepted",
                ]
            )
            #expect(answer.state["totalSessions"] as? Int == SyncRoutes.mostSessions)
            #expect(answer.state["unlockedPatterns"] as? [String] == ["boxing"])
            #expect((answer.state["challengeHistory"] as? [Any])?.count == 1)

            // Of those that were forgotten only the sum is left, and it takes no room.
            try await server.asSuperuser { tx in
                try await tx.execute(
                    "update app.game_state set detail_from = '2020-01-02' where uid = \(person)"
                )
            }
            #expect(try await laptop.sync([session(100)]).outcomes == ["sessions 0 accepted"])
        }
    }

    @Test func `a person has a bound on challenges, those that were cleared included`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            var (laptop, uid) = try await nobody.veteran(until: end)
            try await server.asSuperuser { tx in
                try await tx.execute(
                    """
                    insert into app.daily_challenge (uid, device_id, epoch, challenge_id, local_day, kind, target,
                      reward_xp, completed, expired)
                    select \(UUID(uuidString: uid)), 'laptop', n % 2, 'challenge ' || n, '2020-01-01', 'minutes', 9, 0,
                      true, false
                    from generate_series(1, 19999) as n
                    """
                )
            }
            let last = try await laptop.sync(claims: [Practice.challenge(on: end)])
            #expect(last.outcomes == ["challengeClaims 0 accepted"])
            let unaware = laptop
            let yesterday = Practice.challenge(on: end.addingTimeInterval(-86_400))
            let refused = try await laptop.sync([session(200)], claims: [yesterday])
            #expect(refused.status == 422)
            #expect(refused.json["code"] as? String == "too_many_challenges")
            #expect(refused.json["field"] as? String == "challengeClaims")
            // Nothing of it was taken up, and without the challenge it is.
            laptop = unaware
            let sound = try await laptop.sync([session(200)], claims: [Practice.challenge(on: end)])
            #expect(sound.outcomes == ["sessions 0 accepted", "challengeClaims 0 duplicate"])
        }
    }

    @Test func `no day is kept of what was cleared, whichever way it was cleared`() async throws {
        let clock = TestClock(end)
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            let (laptop, uid) = try await nobody.veteran(until: end)
            func days() async throws -> [String] {
                let export = try await laptop.client.send(.get, "/v1/me/export")
                let list = try #require(export.json["tables"] as? [[String: [[String: Any]]]])
                let tables = list.reduce(into: [:]) { $0.merge($1) { first, _ in first } }
                return (tables["practice_day"] ?? []).map {
                    "epoch \($0["epoch"] ?? ""): \($0["sessions"] ?? "")"
                }
            }
            clock.advance(by: 60)
            let cleared = try await laptop.client.send(
                .post,
                "/v1/sync/reset",
                ["device": ["id": "laptop", "name": "laptop", "timeZone": "UTC"], "epoch": 1]
            )
            #expect(cleared.json["epoch"] as? Int == 2)
            #expect(try await days() == [])

            clock.advance(by: 900)
            var again = BatchDevice("laptop", of: laptop.client)
            let since = Practice.session(startedAt: clock.now.addingTimeInterval(-780), cycles: 20)
            #expect(try await again.sync([since]).outcomes == ["sessions 0 accepted"])
            #expect(try await days() == ["epoch 2: 1"])
            clock.advance(by: 60)
            let emptied = Practice.export(until: clock.now, sessions: [], totalXP: 0)
            _ = try await laptop.client.send(.put, "/v1/sync/export", emptied)
            let left = try await server.asSuperuser { tx in
                try await tx.queryOne(
                    "select count(*) from app.practice_day where uid = \(UUID(uuidString: uid))",
                    as: Int.self
                )
            }
            #expect(left == 0)
            #expect(try await laptop.client.send(.get, "/v1/sync/state").json["epoch"] as? Int == 3)
        }
    }

    @Test func `what was answered a month ago is forgotten, but for what each device had last`() async throws
    {
        let server = try await TestServer()
        try await server.run { nobody in
            var (laptop, uid) = try await nobody.veteran(until: end)
            var desktop = BatchDevice("desktop", of: laptop.client)
            try await desktop.sync()
            try await laptop.sync([session(90)])
            try await server.asSuperuser { tx in
                try await tx.execute(
                    """
                    update app.sync_batch set received_at = received_at - interval '40 days'
                    where uid = \(UUID(uuidString: uid))
                    """
                )
                try await tx.execute(
                    """
                    update app.game_state set last_modified = last_modified - interval '40 days'
                    where uid = \(UUID(uuidString: uid))
                    """
                )
            }
            try await laptop.sync([session(30)])
            let kept = try await server.asSuperuser { tx in
                try await tx.query(
                    """
                    select device_id || case when received_at < now() - interval '30 days' then ' old' else '' end
                    from app.sync_batch where uid = \(UUID(uuidString: uid)) order by 1
                    """,
                    as: String.self
                )
            }
            #expect(kept == ["desktop old", "laptop"])
            try await desktop.sync([session(200)])
            #expect(desktop.totalXP == laptop.totalXP + 55)
        }
    }
}
