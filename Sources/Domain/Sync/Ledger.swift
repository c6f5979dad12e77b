/// What a person's devices have reported in the current epoch, as far as it is needed.
///
/// Sessions are facts; totals are opinions. Every number that is shown is
/// derived from facts, and two ledgers that hold the same facts are the same.
/// Days and devices are whole; of the sessions, only those that a merge may
/// touch have to be here.
package struct Ledger: Hashable, Sendable {
    /// 1, and one more each time the person chose "clear data".
    package var epoch: Int
    package var epochStartedAt: Instant?
    /// When the export that first passed the gate was taken; never unset.
    package var eligibleAt: Instant?
    /// The largest total that a device showed in the epoch: nobody's falls below.
    package var floorXP: Int
    package var devices: [String: Device]
    package var days: [LocalDay: PracticeDay]
    package var sessions: [Session.Key: Session]
    package var judgements: [Session.Key: Judgement]
    package var challenges: [DailyChallenge.Key: DailyChallenge]
    /// Sessions that were cleared, of those that a merge may meet again: a wrong clock
    /// may put their end after the clear, and by their time alone they would come back.
    package var cleared: Set<Session.Key>
    /// Challenges that were cleared; of one name, the last. In an account that took over another one, no moment
    /// tells them from what the other had done by then.
    package private(set) var clearedChallenges: [DailyChallenge.Key: DailyChallenge] = [:]
    package var fields: [FieldKey: FieldEntry]
    /// Sessions of days before this one were forgotten; what they added up to is in their days and devices.
    package var detailFrom: LocalDay?
    /// The first day that can be paused: the one on which the person joined.
    package var pausesFrom: LocalDay?

    package init(
        epoch: Int = 1,
        epochStartedAt: Instant? = nil,
        eligibleAt: Instant? = nil,
        floorXP: Int = 0,
        devices: some Sequence<Device> = [],
        days: some Sequence<PracticeDay> = [],
        sessions: some Sequence<(Session, Judgement)> = [],
        challenges: some Sequence<DailyChallenge> = [],
        cleared: some Sequence<Session.Key> = [],
        clearedChallenges: some Sequence<DailyChallenge> = [],
        fields: some Sequence<(FieldKey, FieldEntry)> = [],
        detailFrom: LocalDay? = nil,
        pausesFrom: LocalDay? = nil
    ) {
        self.epoch = epoch
        self.epochStartedAt = epochStartedAt
        self.eligibleAt = eligibleAt
        self.floorXP = floorXP
        self.devices = Dictionary(devices.map { ($0.id, $0) }) { first, _ in first }
        self.days = Dictionary(days.map { ($0.day, $0) }) { first, _ in first }
        self.sessions = Dictionary(sessions.map { ($0.0.key, $0.0) }) { first, _ in first }
        self.judgements = Dictionary(sessions.map { ($0.0.key, $0.1) }) { first, _ in first }
        self.challenges = Dictionary(challenges.map { ($0.key, $0) }) { first, _ in first }
        self.cleared = Set(cleared)
        self.detailFrom = detailFrom
        self.pausesFrom = pausesFrom
        self.fields = Dictionary(fields.map { ($0.0, $0.1) }) { first, _ in first }
        rememberCleared(clearedChallenges)
    }

    mutating func rememberCleared(_ challenges: some Sequence<DailyChallenge>) {
        clearedChallenges.merge(challenges.map { ($0.key, $0) }) { $0.localDay < $1.localDay ? $1 : $0 }
    }

    /// Whether it was cleared, and is not here all the same: one of another day may have its name, and what one
    /// account had cleared may be in another that it became one with.
    func hasCleared(_ challenge: DailyChallenge) -> Bool {
        guard let cleared = clearedChallenges[challenge.key] else { return false }
        return challenge.localDay <= cleared.localDay
            && challenges[challenge.key].map { cleared.localDay < $0.localDay } ?? true
    }

    package var streaks: Streaks {
        Streaks(days: days.values.lazy.map(\.streakDay), pausesFrom: pausesFrom)
    }

    /// Today as a streak counts it, in the zone where the person is now: not before the last day they practised, which
    /// in the west may not have begun yet.
    package func streakToday(at instant: Instant, in zone: Zone, startingAt start: DayStart) -> LocalDay {
        let last = days.values.max { $0.day < $1.day }
        return last?.today(at: instant, in: zone, startingAt: start)
            ?? LocalDay(of: instant, in: zone, startingAt: start)
    }

    package var verdicts: [Session.Key: Verdict] { judgements.mapValues(\.verdict) }
}

/// What a ledger adds up to.
package struct Totals: Hashable, Sendable {
    package let totalXP: Int
    /// XP that no sound session or challenge explains. Counts for the person and
    /// their level, never on a board.
    package let legacyXP: Int
    package let activeMilliseconds: Int64
    package let sessions: Int
    package let streaks: Streaks

    package init(of ledger: Ledger) {
        let days = ledger.days.values
        let devices = ledger.devices.values
        let countedXP = days.reduce(0) { $0 + $1.xp }
        let rewardXP = devices.reduce(0) { $0 + $1.rewardXP }
        // What each device brought and claims, without what two did at once.
        let broughtXP = devices.reduce(0) { $0 + $1.sessionXP + $1.rewardXP + $1.legacyXP(in: ledger.epoch) }
        let overlapXP = days.reduce(0) { $0 + $1.overlapXP }

        totalXP = max(broughtXP - overlapXP, ledger.floorXP)
        legacyXP = totalXP - countedXP - rewardXP
        activeMilliseconds = days.reduce(0) { $0 + $1.activeMilliseconds }
        sessions = days.reduce(0) { $0 + $1.sessions }
        streaks = ledger.streaks
    }

    package var level: Level { Level(totalXP: totalXP) }
    package var totalMinutes: Int { Int(activeMilliseconds / 60_000) }
}
