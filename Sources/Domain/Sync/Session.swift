/// One sitting of practice, as a device recorded it: a fact, never changed.
package struct Session: Hashable, Sendable {
    /// What makes two records the same sitting.
    package struct Key: Hashable, Sendable {
        package let deviceID: String
        package let sessionID: String
        package let startedAt: Instant

        package init(deviceID: String, sessionID: String, startedAt: Instant) {
            self.deviceID = deviceID
            self.sessionID = sessionID
            self.startedAt = startedAt
        }
    }

    package let key: Key
    package let endedAt: Instant
    package let localDay: LocalDay
    package let activeMilliseconds: Int64
    package let cycles: Int
    package let goalMinutes: Int?
    package let goalBonusXP: Int
    package let receivedAt: Instant

    package init(
        key: Key,
        endedAt: Instant,
        localDay: LocalDay,
        activeMilliseconds: Int64,
        cycles: Int,
        goalMinutes: Int?,
        goalBonusXP: Int,
        receivedAt: Instant
    ) {
        self.key = key
        self.endedAt = endedAt
        self.localDay = localDay
        self.activeMilliseconds = activeMilliseconds
        self.cycles = cycles
        self.goalMinutes = goalMinutes
        self.goalBonusXP = goalBonusXP
        self.receivedAt = receivedAt
    }

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
