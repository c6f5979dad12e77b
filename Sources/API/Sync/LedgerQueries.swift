import Domain
import Foundation
import PGClient
import Tenancy

/// A ledger as it is stored, and what else a merge has to know.
struct StoredLedger: Sendable {
    let ledger: Ledger
    let revision: Revision
    let dayStart: DayStart
    let frequency: SyncFrequency
    /// Devices known to sync by the sign-in that asks, and not revoked.
    let devicesOfThisSignIn: Set<String>
    /// Devices that the person has ended, and that no sign-in has brought back.
    let revokedDevices: Set<String>
}

/// Which sessions of a ledger are read.
enum LedgerSessions: Sendable {
    case all
    /// With every one that was cleared.
    case ofAllEpochs
    /// Those that a batch brings again, and those around what it brings.
    case around(SyncBatch, clockOffset: Int64?)
}

/// Which challenges of a ledger are read.
private enum LedgerChallenges {
    /// With those that were cleared.
    case all
    /// What the state shows.
    case shown
    /// Beside what the state shows, those that a batch names, cleared or not.
    case around(SyncBatch)
}

extension TenantTransaction {
    /// What the person's state is made of: everything but the sessions themselves, and of challenges what it shows.
    func ledger() async throws -> StoredLedger {
        let (states, devices, days, challenges, entries) = try await query(
            gameState(locking: ""),
            devices,
            days,
            self.challenges(.shown),
            entries
        )
        return try stored(states, devices, days, [], challenges, entries)
    }

    /// All of it, to be looked at; locked, where it is to be changed.
    func wholeLedger(_ which: LedgerSessions = .all, isLocked: Bool = false) async throws -> StoredLedger {
        let (states, devices, days, sessions, challenges, entries) = try await query(
            gameState(locking: isLocked ? "for update of g" : ""),
            devices,
            days,
            self.sessions(which),
            self.challenges(.all),
            entries
        )
        return try stored(states, devices, days, sessions, challenges, entries)
    }

    /// All of it. Nobody else changes it until this transaction ends: the lock is
    /// taken first, so what is read afterwards is what stood then.
    func lockedLedger(handedAs baseVersion: Int, to deviceID: String) async throws -> (
        StoredLedger, [BatchRow]
    ) {
        let (states, batches, devices, days, sessions, challenges, entries) = try await query(
            gameState(locking: "for update of g"),
            self.batches(replaying: nil, baseVersion: baseVersion, of: deviceID),
            devices,
            days,
            self.sessions(.all),
            self.challenges(.all),
            entries
        )
        return (try stored(states, devices, days, sessions, challenges, entries), batches)
    }

    /// What a batch may touch, locked likewise, and what it has to be answered with; in one message.
    func lockedLedger(for batch: SyncBatch, clockOffset: Int64?) async throws -> BatchReading {
        let (states, batches, devices, days, sessions, others, challenges, entries) = try await query(
            gameState(locking: "for update of g"),
            self.batches(replaying: batch.batchID, baseVersion: batch.baseVersion, of: batch.device.id.text),
            devices,
            days,
            self.sessions(.around(batch, clockOffset: clockOffset)),
            othersSessions(since: batch.since ?? batch.baseVersion, than: batch.device.id.text),
            self.challenges(.around(batch)),
            entries
        )
        return BatchReading(
            stored: try stored(states, devices, days, sessions, challenges, entries),
            batches: batches,
            othersSessions: others
        )
    }

    private func stored(
        _ states: [GameStateRow],
        _ devices: [DeviceRow],
        _ days: [PracticeDayRow],
        _ sessions: [SessionRow],
        _ challenges: [ChallengeRow],
        _ entries: [StateEntryRow]
    ) throws -> StoredLedger {
        guard let state = states.first else { throw Problem.unauthorized }
        let ledger = Ledger(
            epoch: state.epoch,
            epochStartedAt: state.epochStartedAt,
            eligibleAt: state.eligibleAt,
            floorXP: state.floorXP,
            devices: devices.map(\.device),
            days: days.map(\.day),
            sessions: sessions.lazy.filter { $0.epoch == state.epoch }.map { ($0.session, $0.judgement) },
            challenges: challenges.lazy.filter { $0.epoch == state.epoch }.map(\.challenge),
            cleared: sessions.lazy.filter { $0.epoch < state.epoch }.map(\.session.key),
            clearedChallenges: challenges.lazy.filter { $0.epoch < state.epoch }.map(\.challenge),
            fields: entries.map { ($0.key, $0.entry) },
            detailFrom: state.detailFrom,
            pausesFrom: state.joinedOn
        )
        return StoredLedger(
            ledger: ledger,
            revision: state.revision,
            dayStart: state.dayStart,
            frequency: state.frequency,
            devicesOfThisSignIn: Set(devices.lazy.filter(\.isOfThisSignIn).map(\.device.id)),
            revokedDevices: Set(devices.lazy.filter(\.isRevoked).map(\.device.id))
        )
    }
}

// MARK: - Queries

extension TenantTransaction {
    private func gameState(locking clause: SQL) -> PGQuery<GameStateRow> {
        PGQuery(
            """
            select g.epoch, g.epoch_started_at, g.eligible_at, g.floor_xp, g.sync_version, g.last_modified, g.last_device_id,
              (u.created_at at time zone 'UTC')::date, u.day_starts_at, u.preferred_sync_frequency,
              g.detail_from
            from app.game_state g
              join app.user u on u.uid = g.uid
            where g.uid = \(principal.uid)
            \(clause)
            """
        )
    }

    private var currentEpoch: SQL {
        "(select epoch from app.game_state where uid = \(principal.uid))"
    }

    private var devices: PGQuery<DeviceRow> {
        PGQuery(
            """
            select device_id, name, time_zone, epoch, last_taken_at, clock_offset_ms, session_xp, reward_xp, claimed_xp,
              held_xp, carried_xp, family is not distinct from \(principal.signIn) and revoked_at is null,
              revoked_at is not null
            from app.device
            where uid = \(principal.uid)
            """
        )
    }

    private var days: PGQuery<PracticeDayRow> {
        PGQuery(
            """
            select local_day, xp, active_ms, sessions, overlap_xp, first_ended_at, last_ended_at, first_zone, last_zone,
              follows_travel
            from app.practice_day
            where uid = \(principal.uid) and epoch = \(currentEpoch)
            """
        )
    }

    /// A replayed batch by its id, and the one whose answer handed out `baseVersion` in this epoch. Where two
    /// accounts became one there may be two: of these the one that handed out more, so that nothing counts twice.
    /// Another device's answer doesn't know what this one had earned by then: its own last one before does.
    private func batches(replaying id: UUID?, baseVersion: Int, of deviceID: String) -> PGQuery<BatchRow> {
        PGQuery(
            """
            select true, device_id, digest, answer, handed_xp, earned_xp, received_at
            from app.sync_batch
            where uid = \(principal.uid) and batch_id = \(id)
            union all
            (select false, device_id, digest, null, handed_xp,
              case when device_id = \(deviceID) then earned_xp else coalesce((
                select own.earned_xp from app.sync_batch own
                where own.uid = \(principal.uid) and own.device_id = \(deviceID) and own.epoch = \(currentEpoch)
                  and own.sync_version <= \(baseVersion)
                order by own.sync_version desc, own.received_at desc limit 1
              ), 0) end, received_at
            from app.sync_batch
            where uid = \(principal.uid) and sync_version = \(baseVersion) and epoch = \(currentEpoch)
            order by (device_id = \(deviceID)) desc, handed_xp desc, received_at
            limit 1)
            """
        )
    }

    /// With those that were cleared though they ended after the clear, by their devices' clocks.
    private func sessions(_ selection: LedgerSessions) -> PGQuery<SessionRow> {
        let columns: SQL = """
            select device_id, session_id, started_at, epoch, ended_at, clock_offset_ms, local_day, time_zone, active_ms,
              cycles, goal_minutes, goal_bonus_xp, received_at, pardoned, verdict, counted_xp, counted_active_ms
            from app.session
            where uid = \(principal.uid)
            """
        let cleared: SQL = """
            \(columns) and epoch < \(currentEpoch) and began_at + (ended_at - started_at)
              > (select coalesce(epoch_started_at, '-infinity') from app.game_state where uid = \(principal.uid))
            """
        switch selection {
        case .ofAllEpochs:
            return PGQuery(columns)
        case .all:
            return PGQuery("\(columns) and epoch = \(currentEpoch) union all \(cleared)")
        case .around(let batch, let clockOffset):
            let starts = batch.sessions.valid.map(\.startedAt)
            guard let first = starts.min(), let last = starts.max() else {
                return PGQuery("\(columns) and false")
            }
            let offset: SQL = """
                (interval '1 ms' * coalesce(\(clockOffset), (select clock_offset_ms from app.device
                  where uid = \(principal.uid) and device_id = \(batch.device.id.text)), 0))
                """
            return PGQuery(
                """
                \(columns) and epoch = \(currentEpoch) and began_at between
                  \(first.advanced(by: -Ledger.window.before))::timestamptz + \(offset)
                  and \(last.advanced(by: Ledger.window.after))::timestamptz + \(offset)
                union all
                \(columns) and device_id = \(batch.device.id.text)
                  and session_id = any (\(batch.sessions.valid.map(\.id.text)))
                union all
                \(cleared)
                """
            )
        }
    }

    /// What other devices brought, or had judged anew, after the sync that this one has seen.
    private func othersSessions(since version: Int, than deviceID: String) -> PGQuery<StoredSession> {
        PGQuery(
            """
            \(StoredSession.columns)
            where uid = \(principal.uid) and sync_version > \(version) and device_id <> \(deviceID)
              and epoch = \(currentEpoch)
            order by sync_version, device_id, session_id, started_at
            limit \(SyncBatch.mostItems + 1)
            """
        )
    }

    private func challenges(_ selection: LedgerChallenges) -> PGQuery<ChallengeRow> {
        let columns: SQL = """
            select device_id, challenge_id, epoch, local_day, kind, target, reward_xp, completed, expired
            from app.daily_challenge
            where uid = \(principal.uid)
            """
        let shown: SQL = "epoch = \(currentEpoch) and local_day > current_date - 33"
        switch selection {
        case .all:
            return PGQuery(columns)
        case .shown:
            return PGQuery("\(columns) and \(shown)")
        case .around(let batch):
            return PGQuery("\(columns) and (\(shown) or challenge_id = any (\(batch.challengeIDs)))")
        }
    }

    private var entries: PGQuery<StateEntryRow> {
        PGQuery(
            """
            select field, key, value, written_at, labelled_at, device_id, sync_version
            from app.state_entry
            where uid = \(principal.uid)
            """
        )
    }
}

extension SyncBatch {
    fileprivate var challengeIDs: [String] {
        challengeClaims.valid.map(\.id.text) + shownChallengeIDs
    }
}
