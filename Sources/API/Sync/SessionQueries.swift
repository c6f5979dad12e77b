import Domain
import Foundation
import PGClient
import Tenancy

/// A session as its person reads it.
struct StoredSession: PGRow, Encodable {
    let deviceId: String
    let id: String
    let startedAt: Instant
    let endedAt: Instant
    let timeZone: String
    let localDay: LocalDay
    let activeMs: Int64
    let cycles: Int
    let goalMinutes: Int?
    let goalBonusXP: Int
    /// `sound`, or why it is in quarantine.
    let verdict: String
    /// What it counts for.
    let countedXP: Int
    let syncVersion: Int

    static let columns: SQL = """
        select device_id, session_id, started_at, ended_at, time_zone, local_day, active_ms, cycles, goal_minutes,
          goal_bonus_xp, verdict, counted_xp, sync_version
        from app.session
        """

    init(from row: inout PGRowReader) throws {
        deviceId = try row.next()
        id = try row.next()
        startedAt = try row.next()
        endedAt = try row.next()
        timeZone = try row.next()
        localDay = try row.next()
        activeMs = try row.next()
        cycles = try row.next()
        goalMinutes = try row.next()
        goalBonusXP = try row.next()
        verdict = try row.next()
        countedXP = try row.next()
        syncVersion = try row.next()
    }
}
