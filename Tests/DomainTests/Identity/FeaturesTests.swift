import Domain
import Testing

struct `Features` {
    private static let local = [
        "breathing-patterns", "custom-animations", "stretch-presets", "daily-challenges", "progress-tracking",
        "settings-sync",
    ]
    private static let firstThree = ["global-leaderboards", "cross-device-sync", "community-challenges"]
    private static let cloud = firstThree + ["advanced-analytics", "email-reminders", "premium-presets"]
    private static let upgrades = ["premium-presets", "priority-support"]

    @Test(arguments: [
        (Tier.free, local, firstThree, upgrades),
        (.premium, local, cloud, []),
        (.lifetime, local, cloud, []),
    ])
    func `before sync is enabled are the brief's own`(
        _ tier: Tier,
        _ available: [String],
        _ unlockable: [String],
        _ upgrades: [String]
    ) {
        let matrix = FeatureMatrix(tier: tier, isSyncEnabled: false)
        #expect(matrix.available.map(\.rawValue) == available)
        #expect(matrix.unlockable.map(\.rawValue) == unlockable)
        #expect(matrix.requiresUpgrade.map(\.rawValue) == upgrades)
    }

    @Test(arguments: [
        (Tier.free, local + firstThree, upgrades),
        (.premium, local + cloud, []),
        (.lifetime, local + cloud, []),
    ])
    func `that sync unlocks are there once it is enabled`(
        _ tier: Tier,
        _ available: [String],
        _ upgrades: [String]
    ) {
        let matrix = FeatureMatrix(tier: tier, isSyncEnabled: true)
        #expect(matrix.available.map(\.rawValue) == available)
        #expect(matrix.unlockable.isEmpty)
        #expect(matrix.requiresUpgrade.map(\.rawValue) == upgrades)
    }

    @Test(arguments: Tier.allCases, [false, true])
    func `are each in one place`(_ tier: Tier, _ isSyncEnabled: Bool) {
        let matrix = FeatureMatrix(tier: tier, isSyncEnabled: isSyncEnabled)
        let all = matrix.available + matrix.unlockable + matrix.requiresUpgrade
        #expect(Set(all).count == all.count)
    }
}
