import Domain
import Foundation
import PGClient
import Tenancy

/// What is remembered of something that a device sent.
struct BatchRecord: Sendable {
    let batchID: UUID
    let deviceID: String
    /// SHA-256 of what was sent.
    let digest: [UInt8]
    /// Nil where there is nothing to be answered the same again.
    let answer: [UInt8]?
    let receivedAt: Instant
}

extension BatchRecord {
    /// Of what isn't answered the same again, but hands out a total.
    init(handingTo deviceID: String, at now: Instant) {
        self.init(
            batchID: UUID(),
            deviceID: deviceID,
            digest: Array(repeating: 0, count: 32),
            answer: nil,
            receivedAt: now
        )
    }
}

extension TenantTransaction {
    /// Stores what a merge changed: the facts, what they add up to, the standings,
    /// and what is handed to a device, if one asked. All of it goes out with the commit.
    func store(_ merge: Merge, over before: StoredLedger, as revision: Revision, _ batch: BatchRecord?) throws
    {
        let after = merge.ledger
        for device in after.devices.values {
            if before.ledger.devices[device.id] != device { try upsert(device) }
        }
        // Also where the same was written again, which is no news, but later than something that is still to come.
        try upsert(after.fields.filter { before.ledger.fields[$0.key] != $0.value })
        if merge.changesState {
            let changes = LedgerChanges(of: merge, over: before.ledger)
            try upsert(changes.sessions, of: after, syncVersion: revision.version)
            if changes.bringsMoreThanDaysTell { try refuseMoreSessions() }
            try upsert(changes.challenges, epoch: after.epoch)
            try upsert(changes.days, in: after.epoch)
            try remove(changes.lostDays, in: after.epoch)
            if after.epoch != before.ledger.epoch { try removeDays(before: after.epoch) }
            try update(merge, revision: revision)
            if let periods = changes.periods {
                try publish(periods.standings, changed: periods.names, at: revision.modifiedAt)
            }
        }
        if let batch {
            try remember(batch, merge, revision: revision)
            if before.revision.isOfAnEarlierDay(than: batch.receivedAt) { try forgetOldBatches() }
            if !before.devicesOfThisSignIn.contains(batch.deviceID) { try noteDevice(batch.deviceID) }
        }
    }

    /// What another account had cleared is of an epoch before the first, so that it is known when a device brings it
    /// again.
    func storeClearedChallenges(of merge: Merge, over before: StoredLedger) throws {
        let known = before.ledger.clearedChallenges
        try upsert(merge.ledger.clearedChallenges.values.filter { known[$0.key] != $0 }, epoch: 0)
    }

    private func upsert(_ device: Device) throws {
        try executeWithCommit(
            """
            insert into app.device (uid, device_id, name, time_zone, epoch, last_taken_at, clock_offset_ms, session_xp,
              reward_xp, claimed_xp, held_xp, carried_xp)
            values (\(principal.uid), \(device.id), \(device.name), \(device.zone.identifier), \(Int32(device.epoch)),
              \(device.lastTakenAt), \(device.clockOffset), \(device.sessionXP), \(device.rewardXP),
              \(device.claimedXP), \(device.heldXP), \(device.carriedXP))
            on conflict (uid, device_id) do update
              set (name, time_zone, epoch, last_taken_at, clock_offset_ms, session_xp, reward_xp, claimed_xp, held_xp,
                  carried_xp)
                = (excluded.name, excluded.time_zone, excluded.epoch, excluded.last_taken_at, excluded.clock_offset_ms,
                  excluded.session_xp, excluded.reward_xp, excluded.claimed_xp, excluded.held_xp, excluded.carried_xp)
            """
        )
    }

    private func upsert(_ sessions: [Session], of ledger: Ledger, syncVersion: Int) throws {
        guard !sessions.isEmpty else { return }
        let judgements = sessions.map { ledger.judgements[$0.key] }
        try executeWithCommit(
            """
            insert into app.session (uid, device_id, session_id, started_at, ended_at, clock_offset_ms, began_at, epoch,
              local_day, time_zone, active_ms, cycles, goal_minutes, goal_bonus_xp, verdict, counted_xp,
              counted_active_ms, received_at, sync_version)
            select \(principal.uid), device_id, session_id, started_at, ended_at, clock_offset_ms, began_at,
              \(Int32(ledger.epoch)), local_day, time_zone, active_ms, cycles, nullif(goal_minutes, 0), goal_bonus_xp,
              verdict, counted_xp, counted_active_ms, received_at, \(syncVersion)
            from unnest(
              \(sessions.map(\.key.deviceID))::text[],
              \(sessions.map(\.key.sessionID))::text[],
              \(sessions.map(\.key.startedAt))::timestamptz[],
              \(sessions.map(\.endedAt))::timestamptz[],
              \(sessions.map(\.clockOffset))::bigint[],
              \(sessions.map(\.began))::timestamptz[],
              \(sessions.map(\.localDay))::date[],
              \(sessions.map(\.zone.identifier))::text[],
              \(sessions.map(\.activeMilliseconds))::bigint[],
              \(sessions.map { Int32($0.cycles) })::int[],
              \(sessions.map { Int32($0.goalMinutes ?? 0) })::int[],
              \(sessions.map { Int32($0.goalBonusXP) })::int[],
              \(judgements.map { ($0?.verdict ?? .sound).rawValue })::text[],
              \(judgements.map { Int32(clamping: $0?.xp ?? 0) })::int[],
              \(judgements.map { $0?.activeMilliseconds ?? 0 })::bigint[],
              \(sessions.map(\.receivedAt))::timestamptz[]
            ) as s (device_id, session_id, started_at, ended_at, clock_offset_ms, began_at, local_day, time_zone, active_ms,
              cycles, goal_minutes, goal_bonus_xp, verdict, counted_xp, counted_active_ms, received_at)
            on conflict (uid, device_id, session_id, started_at) do update
              set (verdict, counted_xp, counted_active_ms, epoch, sync_version)
                = (excluded.verdict, excluded.counted_xp, excluded.counted_active_ms, excluded.epoch,
                  excluded.sync_version)
            """
        )
    }

    private func upsert(_ challenges: [DailyChallenge], epoch: Int) throws {
        guard !challenges.isEmpty else { return }
        try executeWithCommit(
            """
            insert into app.daily_challenge (uid, device_id, epoch, challenge_id, local_day, kind, target, reward_xp,
              completed, expired)
            select \(principal.uid), device_id, \(Int32(epoch)), challenge_id, local_day, kind, target, reward_xp,
              completed, expired
            from unnest(
              \(challenges.map(\.key.deviceID))::text[],
              \(challenges.map(\.key.challengeID))::text[],
              \(challenges.map(\.localDay))::date[],
              \(challenges.map(\.kind))::text[],
              \(challenges.map { Int32($0.target) })::int[],
              \(challenges.map { Int32($0.rewardXP) })::int[],
              \(challenges.map(\.isCompleted))::boolean[],
              \(challenges.map(\.isExpired))::boolean[]
            ) as c (device_id, challenge_id, local_day, kind, target, reward_xp, completed, expired)
            on conflict (uid, device_id, epoch, challenge_id) do update
              set (local_day, kind, target, reward_xp, completed, expired)
                = (excluded.local_day, excluded.kind, excluded.target, excluded.reward_xp, excluded.completed, excluded.expired)
            """
        )
    }

    private func upsert(_ days: [PracticeDay], in epoch: Int) throws {
        guard !days.isEmpty else { return }
        try executeWithCommit(
            """
            insert into app.practice_day (uid, epoch, local_day, xp, active_ms, sessions, overlap_xp, first_ended_at,
              last_ended_at, first_zone, last_zone, follows_travel)
            select \(principal.uid), \(Int32(epoch)), d.*
            from unnest(
              \(days.map(\.day))::date[],
              \(days.map { Int32(clamping: $0.xp) })::int[],
              \(days.map(\.activeMilliseconds))::bigint[],
              \(days.map { Int32($0.sessions) })::int[],
              \(days.map { Int32(clamping: $0.overlapXP) })::int[],
              \(days.map(\.firstEndedAt))::timestamptz[],
              \(days.map(\.lastEndedAt))::timestamptz[],
              \(days.map(\.firstZone.identifier))::text[],
              \(days.map(\.lastZone.identifier))::text[],
              \(days.map(\.followsTravel))::boolean[]
            ) as d
            on conflict (uid, epoch, local_day) do update
              set (xp, active_ms, sessions, overlap_xp, first_ended_at, last_ended_at, first_zone, last_zone,
                  follows_travel)
                = (excluded.xp, excluded.active_ms, excluded.sessions, excluded.overlap_xp, excluded.first_ended_at,
                  excluded.last_ended_at, excluded.first_zone, excluded.last_zone, excluded.follows_travel)
            """
        )
    }

    private func remove(_ days: [LocalDay], in epoch: Int) throws {
        guard !days.isEmpty else { return }
        try executeWithCommit(
            """
            delete from app.practice_day
            where uid = \(principal.uid) and epoch = \(Int32(epoch)) and local_day = any (\(days))
            """
        )
    }

    /// Nothing is made of days that were cleared.
    private func removeDays(before epoch: Int) throws {
        try executeWithCommit(
            "delete from app.practice_day where uid = \(principal.uid) and epoch < \(Int32(epoch))"
        )
    }

    private func upsert(_ entries: [FieldKey: FieldEntry]) throws {
        guard !entries.isEmpty else { return }
        let values = try entries.map { try $0.value.value.map { PGJSON(try JSONOutput.bytes(of: $0)) } }
        try executeWithCommit(
            """
            insert into app.state_entry (uid, field, key, value, written_at, labelled_at, device_id, sync_version)
            select \(principal.uid), e.*
            from unnest(
              \(entries.map(\.key.field))::text[],
              \(entries.map(\.key.key))::text[],
              \(values)::jsonb[],
              \(entries.map(\.value.stamp.writtenAt))::timestamptz[],
              \(entries.map(\.value.stamp.label))::timestamptz[],
              \(entries.map(\.value.stamp.deviceID))::text[],
              \(entries.map(\.value.syncVersion))::bigint[]
            ) as e
            on conflict (uid, field, key) do update
              set (value, written_at, labelled_at, device_id, sync_version)
                = (excluded.value, excluded.written_at, excluded.labelled_at, excluded.device_id, excluded.sync_version)
            """
        )
    }

    private func update(_ merge: Merge, revision: Revision) throws {
        let (ledger, totals) = (merge.ledger, merge.totals)
        try executeWithCommit(
            """
            update app.game_state set
              epoch = \(Int32(ledger.epoch)),
              epoch_started_at = \(ledger.epochStartedAt),
              eligible_at = \(ledger.eligibleAt),
              floor_xp = \(ledger.floorXP),
              sync_version = \(revision.version),
              last_modified = \(revision.modifiedAt),
              last_device_id = \(revision.deviceID),
              total_xp = \(totals.totalXP),
              legacy_xp = \(totals.legacyXP),
              total_sessions = \(Int32(totals.sessions)),
              active_ms = \(totals.activeMilliseconds),
              streak_days = \(Int32(totals.streaks.newest?.length ?? 0)),
              streak_ends_on = \(totals.streaks.newest?.lastDay),
              longest_streak = \(Int32(totals.streaks.longest))
            where uid = \(principal.uid)
            """
        )
    }

    private func publish(_ standings: [Standing], changed: [String]?, at instant: Instant?) throws {
        let ended = standings.map(\.period).filter { period in
            guard let season = period.season, let instant else { return false }
            return season.endsAt <= instant
        }
        try executeWithCommit(
            """
            select app.publish_standings(
              \(changed),
              \(ended.map(\.description)),
              \(standings.map { "\($0.period)" }),
              \(standings.map { $0.weekly.map { Int32(clamping: $0.xp) } }),
              \(standings.map { $0.weekly.map { Int32($0.streak) } }),
              \(standings.map { $0.weekly.map { Int32(clamping: $0.minutes) } }),
              \(standings.map { $0.weekly.map { Int32($0.practisedDays) } }),
              \(standings.map { $0.allTime.map { Int32(clamping: $0.xp) } }),
              \(standings.map { $0.allTime.map { Int32($0.longestStreak) } }),
              \(standings.map { $0.allTime.map { Int32($0.sessions) } }),
              \(standings.map(\.lastSessionAt)),
              \(standings.map(\.lastDayAt)),
              \(standings.map(\.streakAt))
            )
            """
        )
    }

    /// An export that is sent again hands out the same again: once is enough.
    private func remember(_ batch: BatchRecord, _ merge: Merge, revision: Revision) throws {
        try executeWithCommit(
            """
            insert into app.sync_batch (uid, batch_id, device_id, digest, epoch, sync_version, handed_xp, earned_xp, answer,
              received_at)
            select \(principal.uid), \(batch.batchID), \(batch.deviceID), \(batch.digest),
              \(Int32(merge.ledger.epoch)), \(revision.version), \(merge.hand.totalXP), \(merge.hand.earnedXP),
              \(batch.answer), \(batch.receivedAt)
            where \(batch.answer != nil) or not exists (
              select from app.sync_batch
              where uid = \(principal.uid) and device_id = \(batch.deviceID) and sync_version = \(revision.version))
            """
        )
    }
}

extension TenantTransaction {
    /// What a device was handed last stays, however late it comes back with that.
    private func forgetOldBatches() throws {
        try executeWithCommit(
            """
            delete from app.sync_batch b
            where b.uid = \(principal.uid) and b.received_at < now() - interval '30 days'
              and exists (
                select from app.sync_batch newer
                where newer.uid = b.uid and newer.device_id = b.device_id and newer.received_at > b.received_at)
            """
        )
    }

    private func refuseMoreSessions() throws {
        try executeWithCommit("select app.refuse_more_sessions(\(Int32(SyncRoutes.mostSessions)))")
    }
}

extension Revision {
    fileprivate func isOfAnEarlierDay(than instant: Instant) -> Bool {
        guard let modifiedAt else { return false }
        return LocalDay(of: modifiedAt, in: .utc) < LocalDay(of: instant, in: .utc)
    }
}

/// What a merge leaves to be written.
private struct LedgerChanges {
    let sessions: [Session]
    let challenges: [DailyChallenge]
    let days: [PracticeDay]
    let lostDays: [LocalDay]
    /// Sessions that count for nothing, or any beside those that were cleared: of neither the days tell how many
    /// there are.
    let bringsMoreThanDaysTell: Bool
    /// The standings that are new and the periods that they are of, where nil is all there are.
    let periods: (standings: [Standing], names: [String]?)?

    init(of merge: Merge, over before: Ledger) {
        let after = merge.ledger
        let moved = before.epoch != after.epoch
        sessions = after.sessions.values.filter {
            moved || before.sessions[$0.key] == nil || before.judgements[$0.key] != after.judgements[$0.key]
        }
        bringsMoreThanDaysTell = sessions.contains {
            before.sessions[$0.key] == nil
                && (after.epoch > 1 || after.judgements[$0.key]?.verdict != .sound)
        }
        challenges = after.challenges.values.filter { moved || before.challenges[$0.key] != $0 }
        days = after.days.values.filter { moved || before.days[$0.day] != $0 }
        lostDays = moved ? [] : before.days.keys.filter { after.days[$0] == nil }
        if moved {
            periods = (Standing.all(of: after), nil)
        } else if !days.isEmpty || !lostDays.isEmpty {
            let weeks = Set((days.map(\.day) + lostDays).map(Week.init(of:)))
            periods = (Standing.of(after, in: weeks), weeks.map(\.description) + [Period.allTime.description])
        } else {
            periods = nil
        }
    }
}
