import Domain
import Foundation
import PGClient
import Tenancy

extension TenantTransaction {
    /// Stores what a merge changed: the facts, what they add up to, and the
    /// standings. A merge that changed nothing writes nothing.
    func store(
        _ merge: Merge,
        over before: StoredLedger,
        from submission: ExportSubmission,
        at now: Instant
    ) async throws -> Revision {
        guard merge.ledger != before.ledger else { return before.revision }
        try await upsert(merge.ledger.devices.values.filter { before.ledger.devices[$0.id] != $0 })

        let facts = FactChanges(of: merge, over: before.ledger)
        try await upsert(facts.sessions, verdicts: merge.totals.verdicts, epoch: merge.ledger.epoch)
        try await upsert(facts.challenges, epoch: merge.ledger.epoch)

        let revision =
            merge.totals == merge.totalsBefore && merge.ledger.epoch == before.ledger.epoch
                && facts.challenges.isEmpty
            ? before.revision
            : Revision(
                version: before.revision.version + 1,
                modifiedAt: now,
                deviceID: submission.device.id.text
            )
        try await update(merge, revision: revision)
        try await publish(Standing.all(of: merge.totals))
        return revision
    }

    private func upsert(_ devices: [Device]) async throws {
        for device in devices {
            try await execute(
                """
                insert into app.device (uid, device_id, name, time_zone, epoch, last_taken_at, claimed_xp, held_xp, carried_xp)
                values (\(principal.uid), \(device.id), \(device.name), \(device.zone.identifier), \(Int32(device.epoch)),
                  \(device.lastTakenAt), \(device.claimedXP), \(device.heldXP), \(device.carriedXP))
                on conflict (uid, device_id) do update
                  set (name, time_zone, epoch, last_taken_at, claimed_xp, held_xp, carried_xp)
                    = (excluded.name, excluded.time_zone, excluded.epoch, excluded.last_taken_at, excluded.claimed_xp,
                      excluded.held_xp, excluded.carried_xp)
                """
            )
        }
    }

    private func upsert(_ sessions: [Session], verdicts: [Session.Key: Verdict], epoch: Int) async throws {
        guard !sessions.isEmpty else { return }
        try await execute(
            """
            insert into app.session (uid, device_id, session_id, started_at, ended_at, epoch, local_day, active_ms, cycles,
              goal_minutes, goal_bonus_xp, verdict, received_at)
            select \(principal.uid), device_id, session_id, started_at, ended_at, \(Int32(epoch)), local_day, active_ms,
              cycles, nullif(goal_minutes, 0), goal_bonus_xp, verdict, received_at
            from unnest(
              \(sessions.map(\.key.deviceID)),
              \(sessions.map(\.key.sessionID)),
              \(sessions.map(\.key.startedAt)),
              \(sessions.map(\.endedAt)),
              \(sessions.map(\.localDay)),
              \(sessions.map(\.activeMilliseconds)),
              \(sessions.map { Int32($0.cycles) }),
              \(sessions.map { Int32($0.goalMinutes ?? 0) }),
              \(sessions.map { Int32($0.goalBonusXP) }),
              \(sessions.map { (verdicts[$0.key] ?? .sound).rawValue }),
              \(sessions.map(\.receivedAt))
            ) as s (device_id, session_id, started_at, ended_at, local_day, active_ms, cycles, goal_minutes,
              goal_bonus_xp, verdict, received_at)
            on conflict (uid, device_id, session_id, started_at) do update
              set (verdict, epoch) = (excluded.verdict, excluded.epoch)
            """
        )
    }

    private func upsert(_ challenges: [DailyChallenge], epoch: Int) async throws {
        guard !challenges.isEmpty else { return }
        try await execute(
            """
            insert into app.daily_challenge (uid, device_id, epoch, challenge_id, local_day, kind, target, reward_xp,
              completed, expired)
            select \(principal.uid), device_id, \(Int32(epoch)), challenge_id, local_day, kind, target, reward_xp,
              completed, expired
            from unnest(
              \(challenges.map(\.key.deviceID)),
              \(challenges.map(\.key.challengeID)),
              \(challenges.map(\.localDay)),
              \(challenges.map(\.kind)),
              \(challenges.map { Int32($0.target) }),
              \(challenges.map { Int32($0.rewardXP) }),
              \(challenges.map(\.isCompleted)),
              \(challenges.map(\.isExpired))
            ) as c (device_id, challenge_id, local_day, kind, target, reward_xp, completed, expired)
            on conflict (uid, device_id, epoch, challenge_id) do update
              set (local_day, kind, target, reward_xp, completed, expired)
                = (excluded.local_day, excluded.kind, excluded.target, excluded.reward_xp, excluded.completed, excluded.expired)
            """
        )
    }

    private func update(_ merge: Merge, revision: Revision) async throws {
        let (ledger, totals) = (merge.ledger, merge.totals)
        try await execute(
            """
            update app.game_state set
              epoch = \(Int32(ledger.epoch)),
              epoch_started_at = \(ledger.epochStartedAt),
              eligible_at = \(ledger.eligibleAt),
              sync_version = \(revision.version),
              last_modified = \(revision.modifiedAt),
              last_device_id = \(revision.deviceID),
              total_xp = \(totals.totalXP),
              legacy_xp = \(totals.legacyXP),
              total_sessions = \(Int32(totals.sessions.count)),
              active_ms = \(totals.activeMilliseconds),
              streak_days = \(Int32(totals.streaks.newest?.length ?? 0)),
              streak_ends_on = \(totals.streaks.newest?.lastDay),
              longest_streak = \(Int32(totals.streaks.longest))
            where uid = \(principal.uid)
            """
        )
    }

    private func publish(_ standings: [Standing]) async throws {
        try await execute(
            """
            select app.publish_standings(
              \(standings.map { "\($0.period)" }),
              \(standings.map { $0.weekly.map { Int32(clamping: $0.xp) } }),
              \(standings.map { $0.weekly.map { Int32($0.streak) } }),
              \(standings.map { $0.weekly.map { Int32(clamping: $0.minutes) } }),
              \(standings.map { $0.weekly.map { Int32($0.practisedDays) } }),
              \(standings.map { $0.totalSessions.map { Int32($0) } }),
              \(standings.map(\.lastSessionAt)),
              \(standings.map(\.lastDayAt)),
              \(standings.map(\.streakAt))
            )
            """
        )
    }
}

/// The facts that a merge leaves to be written.
private struct FactChanges {
    let sessions: [Session]
    let challenges: [DailyChallenge]

    init(of merge: Merge, over before: Ledger) {
        let after = merge.ledger
        let (oldVerdicts, newVerdicts) = (merge.totalsBefore.verdicts, merge.totals.verdicts)
        let moved = before.epoch != after.epoch
        sessions = after.sessions.values.filter {
            moved || before.sessions[$0.key] == nil || oldVerdicts[$0.key] != newVerdicts[$0.key]
        }
        challenges = after.challenges.values.filter { moved || before.challenges[$0.key] != $0 }
    }
}
