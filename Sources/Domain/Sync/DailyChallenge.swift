/// A challenge that the extension set on one device for one day.
///
/// A record only grows: completed once is completed for good, so two sightings
/// of the same challenge join in any order.
package struct DailyChallenge: Hashable, Sendable {
    package struct Key: Hashable, Sendable {
        package let deviceID: String
        package let challengeID: String

        package init(deviceID: String, challengeID: String) {
            self.deviceID = deviceID
            self.challengeID = challengeID
        }
    }

    package let key: Key
    package let localDay: LocalDay
    package let kind: String
    package let target: Int
    package let rewardXP: Int
    package let isCompleted: Bool
    package let isExpired: Bool

    package init(
        key: Key,
        localDay: LocalDay,
        kind: String,
        target: Int,
        rewardXP: Int,
        isCompleted: Bool,
        isExpired: Bool
    ) {
        self.key = key
        self.localDay = localDay
        self.kind = kind
        self.target = target
        self.rewardXP = rewardXP
        self.isCompleted = isCompleted
        self.isExpired = isExpired
    }

    /// Everything that happened by either sighting. Two windows of one editor
    /// set different terms under one name: the completed ones stand, then those
    /// that pay more.
    func joined(with other: DailyChallenge) -> DailyChallenge {
        let terms = precedence < other.precedence ? other : self
        return DailyChallenge(
            key: key,
            localDay: terms.localDay,
            kind: terms.kind,
            target: terms.target,
            rewardXP: terms.rewardXP,
            isCompleted: isCompleted || other.isCompleted,
            isExpired: isExpired || other.isExpired
        )
    }

    private var precedence: (Int, Int, Int, LocalDay, String) {
        (isCompleted ? 1 : 0, rewardXP, target, localDay, kind)
    }
}
