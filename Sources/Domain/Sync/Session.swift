/// One sitting of practice, as a device recorded it: a fact, never changed.
package struct Session: Hashable, Sendable {
    /// What makes two records the same sitting.
    package struct Key: Hashable, Sendable {
        package let deviceID: String
        package let sessionID: String
        /// As the device's clock labelled it.
        package let startedAt: Instant

        package init(deviceID: String, sessionID: String, startedAt: Instant) {
            self.deviceID = deviceID
            self.sessionID = sessionID
            self.startedAt = startedAt
        }
    }

    package let key: Key
    /// As the device's clock labelled it.
    package let endedAt: Instant
    /// Milliseconds by which the device's clock was behind ours when the session first arrived.
    package let clockOffset: Int64
    /// The day in which it ended, where it was practised.
    package let localDay: LocalDay
    package let zone: Zone
    package let activeMilliseconds: Int64
    package let cycles: Int
    package let goalMinutes: Int?
    package let goalBonusXP: Int
    package let receivedAt: Instant
    /// An operator looked at it after an appeal, and lets it count.
    package var isPardoned: Bool

    package init(
        key: Key,
        endedAt: Instant,
        clockOffset: Int64 = 0,
        localDay: LocalDay,
        zone: Zone = .utc,
        activeMilliseconds: Int64,
        cycles: Int,
        goalMinutes: Int?,
        goalBonusXP: Int,
        receivedAt: Instant,
        isPardoned: Bool = false
    ) {
        self.key = key
        self.endedAt = endedAt
        self.clockOffset = clockOffset
        self.localDay = localDay
        self.zone = zone
        self.activeMilliseconds = activeMilliseconds
        self.cycles = cycles
        self.goalMinutes = goalMinutes
        self.goalBonusXP = goalBonusXP
        self.receivedAt = receivedAt
        self.isPardoned = isPardoned
    }

    /// When it really began and ended, by our clock.
    package var began: Instant { key.startedAt.advanced(by: clockOffset) }
    package var ended: Instant { endedAt.advanced(by: clockOffset) }
    var wallClock: Int64 { endedAt.milliseconds - key.startedAt.milliseconds }

    /// One a cycle, and what the goal earned.
    package var xp: Int {
        cycles + goalBonusXP
    }

    /// Whether two records of one sitting say the same. When they first arrived
    /// and in which zone is ours to remember, not theirs to repeat.
    func agrees(with other: Session) -> Bool {
        key == other.key && endedAt == other.endedAt && activeMilliseconds == other.activeMilliseconds
            && cycles == other.cycles && goalMinutes == other.goalMinutes && goalBonusXP == other.goalBonusXP
    }
}

/// What a session counts for, beside all the others of its person.
package struct Judgement: Hashable, Sendable {
    package let verdict: Verdict
    /// What remains of its XP where another device counts for the same minutes.
    package let xp: Int
    /// Likewise, of its activity.
    package let activeMilliseconds: Int64

    package init(verdict: Verdict, xp: Int, activeMilliseconds: Int64) {
        self.verdict = verdict
        self.xp = xp
        self.activeMilliseconds = activeMilliseconds
    }
}
