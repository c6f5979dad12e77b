import Domain
import Foundation
import PGClient
import Tenancy

/// An appeal as its person and the operator read it.
struct Appeal: PGRow, Encodable {
    let deviceId: String
    let sessionId: String
    let startedAt: Instant
    /// Why the session was in quarantine.
    let verdict: String
    let reason: String
    let appealedAt: Instant
    /// `open`, `accepted` or `declined`.
    let status: String
    let decidedAt: Instant?
    let note: String?

    init(from row: inout PGRowReader) throws {
        deviceId = try row.next()
        sessionId = try row.next()
        startedAt = try row.next()
        verdict = try row.next()
        reason = try row.next()
        appealedAt = try row.next()
        status = try row.next()
        decidedAt = try row.next()
        note = try row.next()
    }
}

extension TenantTransaction {
    func verdict(on key: Session.Key) async throws -> Verdict? {
        try await query(
            """
            select verdict
            from app.session
            where uid = \(principal.uid) and device_id = \(key.deviceID) and session_id = \(key.sessionID)
              and started_at = \(key.startedAt)
              and epoch = (select epoch from app.game_state where uid = \(principal.uid))
            """,
            as: (String).self
        ).first.flatMap(Verdict.init(rawValue:))
    }

    /// Asking again changes nothing.
    func appeal(_ key: Session.Key, verdict: Verdict, reason: String) async throws {
        try await execute(
            """
            insert into app.session_appeal (uid, device_id, session_id, started_at, verdict, reason)
            values (\(principal.uid), \(key.deviceID), \(key.sessionID), \(key.startedAt), \(verdict.rawValue), \(reason))
            on conflict do nothing
            """
        )
    }

    /// - Parameter sessionID: nil is all of them.
    func appeals(for sessionID: String?) async throws -> [Appeal] {
        try await query(
            """
            select a.device_id, a.session_id, a.started_at, a.verdict, a.reason, a.appealed_at,
              case when d.accepted then 'accepted' when not d.accepted then 'declined' else 'open' end,
              d.decided_at, d.note
            from app.session_appeal a
              left join app.appeal_decision d using (uid, device_id, session_id, started_at)
            where a.uid = \(principal.uid) and (\(sessionID == nil) or a.session_id = \(sessionID))
            order by a.appealed_at, a.device_id, a.session_id
            """
        )
    }

    /// An operator's decision, and what follows from it for the person's totals and boards.
    /// - Throws: ``Failure`` where the session can't count any more; nothing is decided then.
    func decide(_ key: Session.Key, accepted: Bool, by name: String, note: String?, at now: Instant)
        async throws
    {
        try await execute(
            """
            insert into app.appeal_decision (uid, device_id, session_id, started_at, accepted, decided_by, note)
            values (\(principal.uid), \(key.deviceID), \(key.sessionID), \(key.startedAt), \(accepted), \(name), \(note))
            """
        )
        guard accepted else { return }
        let (before, _) = try await lockedLedger(handedAs: 0, to: key.deviceID)
        guard before.ledger.sessions[key] != nil else {
            throw Failure(description: "the person has cleared that session, so it can't count any more")
        }
        guard let merge = Merge(pardoning: key, in: before.ledger, dayStart: before.dayStart, now: now) else {
            throw Failure(
                description: "the sessions around that one were forgotten, so it can't count any more"
            )
        }
        try await execute(
            """
            update app.session set pardoned = true
            where uid = \(principal.uid) and device_id = \(key.deviceID) and session_id = \(key.sessionID)
              and started_at = \(key.startedAt)
            """
        )
        let revision = Revision(
            version: before.revision.version + 1,
            modifiedAt: now,
            deviceID: before.revision.deviceID
        )
        try store(merge, over: before, as: revision, nil)
    }
}
