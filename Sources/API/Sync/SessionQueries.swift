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

    /// As it is about to be stored.
    init(_ session: Session, _ judgement: Judgement, syncVersion: Int) {
        deviceId = session.key.deviceID
        id = session.key.sessionID
        startedAt = session.key.startedAt
        endedAt = session.endedAt
        timeZone = session.zone.identifier
        localDay = session.localDay
        activeMs = session.activeMilliseconds
        cycles = session.cycles
        goalMinutes = session.goalMinutes
        goalBonusXP = session.goalBonusXP
        verdict = judgement.verdict.rawValue
        countedXP = judgement.xp
        self.syncVersion = syncVersion
    }

    var key: Session.Key { Session.Key(deviceID: deviceId, sessionID: id, startedAt: startedAt) }
}

extension TenantTransaction {
    /// One more than a page takes, if there are more.
    func ownSessions(_ selection: SessionSelection) async throws -> [StoredSession] {
        let cursor = selection.cursor
        return try await query(
            """
            \(StoredSession.columns)
            where uid = \(principal.uid) and sync_version > \(selection.since)
              and epoch = (select epoch from app.game_state where uid = \(principal.uid))
              and local_day between coalesce(\(selection.from), '-infinity') and coalesce(\(selection.to), 'infinity')
              and (\(cursor == nil) or (sync_version, device_id, session_id, started_at)
                > (\(cursor?.syncVersion), \(cursor?.deviceID), \(cursor?.sessionID), \(cursor?.startedAt)))
            order by sync_version, device_id, session_id, started_at
            limit \(selection.limit + 1)
            """
        )
    }

    /// As it was answered; nil if there was no such batch.
    func answer(to batchID: UUID) async throws -> [UInt8]? {
        try await queryFirst(
            "select answer from app.sync_batch where uid = \(principal.uid) and batch_id = \(batchID) and answer is not null",
            as: AnswerRow.self
        )?.answer
    }
}

private struct AnswerRow: PGRow {
    let answer: [UInt8]

    init(from row: inout PGRowReader) throws {
        answer = try row.next()
    }
}
