import Foundation
import PGClient
import Testing

@testable import API

/// What is kept of a person's syncs, and how much.
struct SyncBoundsTests {
    private let end = Date()

    private func session(_ minutesAgo: Double, cycles: Int = 50) -> [String: Any] {
        Practice.session(startedAt: end.addingTimeInterval(-minutesAgo * 60), cycles: cycles)
    }

    @Test func `sessions that don't count have a bound too, and those that do still come in`() async throws {
        let server = try await TestServer()
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
            let refused = try await laptop.sync([session(200, cycles: 9999)])
            #expect(refused.status == 422)
            #expect(refused.json["code"] as? String == "too_many_sessions")
            #expect(refused.json["field"] as? String == "sessions")
            let sound = try await laptop.sync([session(100)])
            #expect(sound.outcomes == ["sessions 0 accepted"])
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
