/// Everything that a person's devices have reported in the current epoch.
///
/// Sessions are facts; totals are opinions. Every number that is shown is
/// derived from this, and two ledgers that hold the same facts are the same.
package struct Ledger: Hashable, Sendable {
    /// 1, and one more each time the person chose "clear data".
    package var epoch: Int
    package var epochStartedAt: Instant?
    /// When the export that first passed the gate was taken; never unset.
    package var eligibleAt: Instant?
    package var devices: [String: Device]
    package var sessions: [Session.Key: Session]
    package var challenges: [DailyChallenge.Key: DailyChallenge]
    /// Sessions that were cleared although their device's clock put their end
    /// after the clear: by their time alone they would come back.
    package var cleared: Set<Session.Key>

    package init(
        epoch: Int = 1,
        epochStartedAt: Instant? = nil,
        eligibleAt: Instant? = nil,
        devices: some Sequence<Device> = [],
        sessions: some Sequence<Session> = [],
        challenges: some Sequence<DailyChallenge> = [],
        cleared: some Sequence<Session.Key> = []
    ) {
        self.epoch = epoch
        self.epochStartedAt = epochStartedAt
        self.eligibleAt = eligibleAt
        self.devices = Dictionary(devices.map { ($0.id, $0) }) { first, _ in first }
        self.sessions = Dictionary(sessions.map { ($0.key, $0) }) { first, _ in first }
        self.challenges = Dictionary(challenges.map { ($0.key, $0) }) { first, _ in first }
        self.cleared = Set(cleared)
    }

    /// The verdict on every session, each device judged by itself.
    package var verdicts: [Session.Key: Verdict] {
        Dictionary(grouping: sessions.values, by: \.key.deviceID).values
            .reduce(into: [:]) { verdicts, sessions in
                verdicts.merge(Plausibility.verdicts(on: sessions)) { first, _ in first }
            }
    }
}

/// What a ledger adds up to.
package struct Totals: Hashable, Sendable {
    package let totalXP: Int
    /// XP that no sound session or challenge explains. Counts for the person and
    /// their level, never on a board.
    package let legacyXP: Int
    package let activeMilliseconds: Int64
    /// Sound sessions, in the order in which they ended.
    package let sessions: [Session]
    package let streaks: Streaks
    /// On every session of the ledger.
    package let verdicts: [Session.Key: Verdict]

    package init(of ledger: Ledger) {
        let verdicts = ledger.verdicts
        let possible = ledger.sessions.values.filter { verdicts[$0.key]?.isPossible == true }
        let sound = possible.filter { verdicts[$0.key] == .sound }
        let xpByDevice = possible.reduce(into: [:]) { $0[$1.key.deviceID, default: 0] += $1.xp }
        let rewardsByDevice = ledger.challenges.values
            .filter(\.isCompleted)
            .reduce(into: [:]) { $0[$1.key.deviceID, default: 0] += $1.rewardXP }
        let soundXP = sound.reduce(0) { $0 + $1.xp }
        let overlappingXP = possible.reduce(0) { $0 + $1.xp } - soundXP
        let legacyXP = ledger.devices.values.reduce(overlappingXP) { legacy, device in
            legacy
                + Self.legacyXP(
                    of: device,
                    in: ledger.epoch,
                    sessions: xpByDevice[device.id, default: 0],
                    rewards: rewardsByDevice[device.id, default: 0]
                )
        }

        self.verdicts = verdicts
        self.legacyXP = legacyXP
        self.totalXP = soundXP + rewardsByDevice.values.reduce(0, +) + legacyXP
        self.activeMilliseconds = sound.reduce(0) { $0 + $1.activeMilliseconds }
        self.sessions = sound.sorted { ($0.endedAt, $0.key.sessionID) < ($1.endedAt, $1.key.sessionID) }
        self.streaks = Streaks(days: sound.map(\.localDay))
    }

    /// What a device's total holds beyond its own sessions and rewards. At least
    /// as much as lifts the sum to what it claimed, so that a merge never lowers
    /// anybody; a device that carries cleared practice claims that too, so of it
    /// only the growth since counts.
    private static func legacyXP(of device: Device, in epoch: Int, sessions: Int, rewards: Int) -> Int {
        guard device.epoch == epoch else { return 0 }
        let unexplained =
            if let carried = device.carriedXP {
                device.heldXP - carried
            } else {
                max(device.heldXP, device.claimedXP - sessions)
            }
        return max(0, unexplained - rewards)
    }

    package var level: Level { Level(totalXP: totalXP) }
    package var totalMinutes: Int { Int(activeMilliseconds / 60_000) }
}
