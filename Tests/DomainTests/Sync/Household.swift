import Foundation

@testable import Domain

/// A person's devices as good clients: each takes over what it is handed, sends
/// what isn't acknowledged yet, and knows nothing of the others but by answers.
struct SyncingDevice {
    struct Pending {
        var sessions: [ExtensionExport.SessionRecord] = []
        var claims: [ExtensionExport.ChallengeRecord] = []
        var state: [String: [String: JSONValue]] = [:]
        var unlocks: [String] = []
    }

    let id: String
    let zone: Zone
    /// What its clock shows beyond the real time, in milliseconds.
    var clockError: Int64 = 0
    var totalXP = 0
    var epoch: Int?
    var baseVersion = 0
    var since = 0
    var pending = Pending()
    /// Every session that it has, its own and others'.
    var known: Set<Session.Key> = []
    var state: GameState?
    private var batches = 0

    init(_ id: String, in zone: Zone) {
        self.id = id
        self.zone = zone
    }

    /// A batch and what the device held when it made it.
    mutating func batch(at now: Instant) -> (batch: SyncBatch, sentXP: Int) {
        batches += 1
        var state: [String: Item<SyncBatch.StateClaim>] = [
            "totalXP": .valid(.init(value: .integer(totalXP), modifiedAt: nil))
        ]
        let label = now.advanced(by: clockError)
        for (field, entries) in pending.state {
            state[field] = .valid(.init(value: .object(entries), modifiedAt: label))
        }
        if !pending.unlocks.isEmpty {
            state["unlockedPatterns"] = .valid(
                .init(value: .array(pending.unlocks.map { .string($0) }), modifiedAt: label)
            )
        }
        let batch = SyncBatch(
            batchID: .of(id, batches),
            device: DeviceDescription(id: Label(id), name: Label(id), timeZone: zone),
            epoch: epoch,
            baseVersion: baseVersion,
            since: since,
            sessions: Items(all: pending.sessions.map { .valid($0) }),
            challengeClaims: Items(all: pending.claims.map { .valid($0) }),
            state: state
        )
        return (batch, totalXP)
    }

    /// Over a network that loses nothing.
    mutating func sync(with household: inout Household, at now: Instant) {
        let sent = batch(at: now)
        take(household.sync(sent.batch, clock: now.advanced(by: clockError), now: now), to: sent)
    }

    /// Takes over an answer; older ones than it has are no news.
    mutating func take(_ answer: Household.Answer, to sent: (batch: SyncBatch, sentXP: Int)) {
        guard answer.version >= baseVersion, answer.epoch >= (epoch ?? 0), sent.batch.epoch == epoch else {
            return
        }
        if answer.epoch != epoch {
            known = []
        }
        totalXP = answer.state.totalXP + (totalXP - sent.sentXP)
        (epoch, baseVersion) = (answer.epoch, answer.version)
        since = answer.version
        state = answer.state
        let acknowledged = Set(sent.batch.sessions.valid.map(\.startedAt))
        pending.sessions.removeAll { acknowledged.contains($0.startedAt) }
        let claimed = Set(sent.batch.challengeClaims.valid.map(\.id.text))
        pending.claims.removeAll { claimed.contains($0.id.text) }
        for (field, entries) in pending.state {
            guard case .valid(let claim) = sent.batch.state[field], case .object(let written) = claim.value
            else {
                continue
            }
            pending.state[field] = entries.filter { written[$0.key] != $0.value }
        }
        pending.state = pending.state.filter { !$0.value.isEmpty }
        pending.unlocks = []
        known.formUnion(answer.sessions)
        known.formUnion(answer.accepted)
    }

    mutating func practise(_ record: ExtensionExport.SessionRecord) {
        pending.sessions.append(record)
        totalXP += record.cycles.value + (record.goalBonusXP?.value ?? 0)
    }

    mutating func complete(_ record: ExtensionExport.ChallengeRecord) {
        pending.claims.append(record)
        totalXP += record.rewardXP.value
    }

    /// "Clear data" on this device.
    mutating func clear() {
        (totalXP, pending, known) = (0, Pending(), [])
    }
}

/// The server as the store makes it: it keeps facts, hands a merge only what the
/// merge may touch, and answers the same batch the same.
struct Household {
    struct Answer {
        let version: Int
        let epoch: Int
        let state: GameState
        let sessions: Set<Session.Key>
        let accepted: Set<Session.Key>
    }

    var ledger = Ledger(eligibleAt: Instant(milliseconds: 0))
    var version = 0
    private var versions: [Session.Key: Int] = [:]
    private var hands: [Int: [String: (hand: Hand, at: Instant, epoch: Int)]] = [:]
    private var answers: [UUID: Answer] = [:]

    mutating func sync(_ batch: SyncBatch, clock: Instant?, now: Instant) -> Answer {
        if let answer = answers[batch.batchID] { return answer }
        let window = window(for: batch, clockOffset: clock.map { now.milliseconds - $0.milliseconds })
        let merge = Merge(
            batch,
            into: window,
            base: base(of: batch),
            syncVersion: version + 1,
            deviceClock: clock,
            now: now
        )
        take(merge, over: window)
        let device = batch.device.id.text
        hands[version, default: [:]][device] = hands[version]?[device] ?? (merge.hand, now, ledger.epoch)
        let answer = answer(to: batch, merge, now: now)
        answers[batch.batchID] = answer
        return answer
    }

    mutating func clear(by device: DeviceDescription, now: Instant) -> Int {
        let merge = Merge(clearingBy: device, in: ledger, now: now)
        take(merge, over: ledger)
        hands[version, default: [:]][device.id.text] = (merge.hand, now, ledger.epoch)
        return version
    }

    private func base(of batch: SyncBatch) -> Base? {
        if batch.baseVersion == 0 { return .nothing }
        guard let hand = hands[batch.baseVersion]?[batch.device.id.text], hand.epoch == ledger.epoch else {
            return nil
        }
        return Base(hand: hand.hand, at: hand.at, isOwn: true)
    }

    /// Days and devices whole, sessions only around those that come.
    private func window(for batch: SyncBatch, clockOffset: Int64?) -> Ledger {
        var window = ledger
        let starts = batch.sessions.valid.map(\.startedAt)
        let offset = clockOffset ?? ledger.devices[batch.device.id.text]?.clockOffset ?? 0
        let ids = Set(batch.sessions.valid.map(\.id.text))
        window.sessions = window.sessions.filter { key, session in
            guard let first = starts.min(), let last = starts.max() else { return false }
            let near =
                first.advanced(
                    by: offset - Ledger.window.before
                )...last.advanced(by: offset + Ledger.window.after)
            return near.contains(session.began)
                || key.deviceID == batch.device.id.text && ids.contains(key.sessionID)
        }
        window.judgements = window.judgements.filter { window.sessions[$0.key] != nil }
        return window
    }

    private mutating func take(_ merge: Merge, over window: Ledger) {
        guard merge.changesState else {
            ledger.devices = merge.ledger.devices
            return
        }
        version += 1
        let isNewEpoch = merge.ledger.epoch != ledger.epoch
        let after = merge.ledger
        for (key, judgement) in after.judgements where isNewEpoch || window.judgements[key] != judgement {
            versions[key] = version
        }
        var (sessions, judgements) = (ledger.sessions, ledger.judgements)
        if isNewEpoch { (sessions, judgements) = ([:], [:]) }
        sessions.merge(after.sessions) { _, new in new }
        judgements.merge(after.judgements) { _, new in new }
        ledger = after
        (ledger.sessions, ledger.judgements) = (sessions, judgements)
    }

    private func answer(to batch: SyncBatch, _ merge: Merge, now: Instant) -> Answer {
        let device = batch.device.id.text
        let since = batch.since ?? batch.baseVersion
        let others = ledger.sessions.keys.filter { $0.deviceID != device && versions[$0, default: 0] > since }
        let accepted = merge.outcomes.compactMap { outcome -> Session.Key? in
            guard outcome.list == .sessions, outcome.outcome != .rejected, let id = outcome.id,
                let startedAt = outcome.startedAt
            else { return nil }
            return Session.Key(deviceID: device, sessionID: id, startedAt: startedAt)
        }
        return Answer(
            version: version,
            epoch: ledger.epoch,
            state: GameState(
                ledger,
                totals: merge.totals,
                asOf: LocalDay(of: now, in: .utc),
                revision: Revision(version: version, modifiedAt: nil, deviceID: nil)
            ),
            sessions: Set(others),
            accepted: Set(accepted)
        )
    }
}
