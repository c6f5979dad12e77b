/// What a person pays for. Everybody is `free` until there are plans.
package enum Tier: String, Hashable, Sendable, CaseIterable, Encodable {
    case free
    case premium
    case lifetime
}

/// A thing that the product can do, by the product brief's name for it.
package enum Feature: String, Hashable, Sendable, Encodable {
    case breathingPatterns = "breathing-patterns"
    case customAnimations = "custom-animations"
    case stretchPresets = "stretch-presets"
    case dailyChallenges = "daily-challenges"
    case progressTracking = "progress-tracking"
    case settingsSync = "settings-sync"

    case globalLeaderboards = "global-leaderboards"
    case crossDeviceSync = "cross-device-sync"
    case communityChallenges = "community-challenges"
    case advancedAnalytics = "advanced-analytics"
    case emailReminders = "email-reminders"
    case premiumPresets = "premium-presets"

    case prioritySupport = "priority-support"

    /// Those that work regardless of sync.
    package static let localOnly: [Feature] = [
        .breathingPatterns, .customAnimations, .stretchPresets, .dailyChallenges, .progressTracking,
        .settingsSync,
    ]

    /// Those that cloud sync unlocks.
    package static let cloudSync: [Feature] = [
        .globalLeaderboards, .crossDeviceSync, .communityChallenges, .advancedAnalytics, .emailReminders,
        .premiumPresets,
    ]
}

/// What somebody has, and what they could have (product brief,
/// `getFeatureAvailability`): an answer for a page, never a check of a right.
package struct FeatureMatrix: Hashable, Sendable, Encodable {
    package let available: [Feature]
    /// What enabling cloud sync would add.
    package let unlockable: [Feature]
    package let requiresUpgrade: [Feature]

    /// The brief's lists, word for word, until sync is enabled: then what it
    /// unlocks is no longer unlockable but there.
    package init(tier: Tier, isSyncEnabled: Bool) {
        let unlocked = tier == .free ? Array(Feature.cloudSync.prefix(3)) : Feature.cloudSync
        available = Feature.localOnly + (isSyncEnabled ? unlocked : [])
        unlockable = isSyncEnabled ? [] : unlocked
        requiresUpgrade = tier == .free ? [.premiumPresets, .prioritySupport] : []
    }
}

/// What somebody has of what a plan is about (product brief, `UserProfile`): for a page, never a check of a right.
package struct ProfileFeatures: Hashable, Sendable, Encodable {
    package let crossDeviceSync: Bool
    package let advancedAnalytics: Bool
    package let customChallenges: Bool
    package let prioritySupport: Bool
    package let earlyAccess: Bool

    package init(tier: Tier, isSyncEnabled: Bool) {
        let matrix = FeatureMatrix(tier: tier, isSyncEnabled: isSyncEnabled)
        crossDeviceSync = matrix.available.contains(.crossDeviceSync)
        advancedAnalytics = matrix.available.contains(.advancedAnalytics)
        customChallenges = matrix.available.contains(.communityChallenges)
        prioritySupport = !matrix.requiresUpgrade.contains(.prioritySupport)
        // Of the lifetime offer.
        earlyAccess = tier == .lifetime
    }
}
