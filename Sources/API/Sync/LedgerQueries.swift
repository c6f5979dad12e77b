import Domain
import Foundation
import PGClient
import Tenancy

/// A ledger as it is stored.
struct StoredLedger: Sendable {
    let ledger: Ledger
    let revision: Revision
}

extension TenantTransaction {
    func ledger() async throws -> StoredLedger {
        try await ledger(of: try await gameState(locking: ""))
    }

    /// The ledger, which nobody else changes until this transaction ends: the
    /// lock is taken first, so what is read afterwards is what stood then.
    func lockedLedger() async throws -> StoredLedger {
        try await ledger(of: try await gameState(locking: "for update"))
    }

    private func gameState(locking clause: SQL) async throws -> GameStateRow {
        guard
            let row = try await queryFirst(
                """
                select epoch, epoch_started_at, eligible_at, sync_version, last_modified, last_device_id
                from app.game_state
                where uid = \(principal.uid)
                \(clause)
                """,
                as: GameStateRow.self
            )
        else { throw Problem.unauthorized }
        return row
    }

    private func ledger(of row: GameStateRow) async throws -> StoredLedger {
        async let devices = query(
            """
            select device_id, name, time_zone, epoch, last_taken_at, claimed_xp, held_xp, carried_xp
            from app.device
            where uid = \(principal.uid)
            """,
            as: DeviceRow.self
        )
        async let sessions = query(
            """
            select device_id, session_id, started_at, ended_at, local_day, active_ms, cycles, goal_minutes,
              goal_bonus_xp, received_at
            from app.session
            where uid = \(principal.uid) and epoch = \(row.epoch)
            """,
            as: SessionRow.self
        )
        async let challenges = query(
            """
            select device_id, challenge_id, local_day, kind, target, reward_xp, completed, expired
            from app.daily_challenge
            where uid = \(principal.uid) and epoch = \(row.epoch)
            """,
            as: ChallengeRow.self
        )
        async let cleared = query(
            """
            select device_id, session_id, started_at
            from app.session
            where uid = \(principal.uid) and epoch < \(row.epoch) and ended_at > \(row.epochStartedAt)
            """,
            as: (String, String, Instant).self
        )
        let ledger = Ledger(
            epoch: row.epoch,
            epochStartedAt: row.epochStartedAt,
            eligibleAt: row.eligibleAt,
            devices: try await devices.map(\.device),
            sessions: try await sessions.map(\.session),
            challenges: try await challenges.map(\.challenge),
            cleared: try await cleared.map { Session.Key(deviceID: $0, sessionID: $1, startedAt: $2) }
        )
        return StoredLedger(ledger: ledger, revision: row.revision)
    }
}

private struct GameStateRow: PGRow {
    let epoch: Int
    let epochStartedAt, eligibleAt: Instant?
    let revision: Revision

    init(from row: inout PGRowReader) throws {
        epoch = try row.next()
        epochStartedAt = try row.next()
        eligibleAt = try row.next()
        revision = Revision(version: try row.next(), modifiedAt: try row.next(), deviceID: try row.next())
    }
}

private struct DeviceRow: PGRow {
    let device: Device

    init(from row: inout PGRowReader) throws {
        device = Device(
            id: try row.next(),
            name: try row.next(),
            zone: Zone(try row.next()) ?? .utc,
            epoch: try row.next(),
            lastTakenAt: try row.next(),
            claimedXP: try row.next(),
            heldXP: try row.next(),
            carriedXP: try row.next()
        )
    }
}

private struct SessionRow: PGRow {
    let session: Session

    init(from row: inout PGRowReader) throws {
        session = Session(
            key: Session.Key(deviceID: try row.next(), sessionID: try row.next(), startedAt: try row.next()),
            endedAt: try row.next(),
            localDay: try row.next(),
            activeMilliseconds: try row.next(),
            cycles: try row.next(),
            goalMinutes: try row.next(),
            goalBonusXP: try row.next(),
            receivedAt: try row.next()
        )
    }
}

private struct ChallengeRow: PGRow {
    let challenge: DailyChallenge

    init(from row: inout PGRowReader) throws {
        challenge = DailyChallenge(
            key: DailyChallenge.Key(deviceID: try row.next(), challengeID: try row.next()),
            localDay: try row.next(),
            kind: try row.next(),
            target: try row.next(),
            rewardXP: try row.next(),
            isCompleted: try row.next(),
            isExpired: try row.next()
        )
    }
}
