/// When a field is worth a sync of its own (product brief, `SyncStrategy`).
package enum SyncTier: String, Hashable, Sendable, Codable, CaseIterable {
    case immediate
    case hourly
    case daily
    /// Never leaves the device. What comes all the same is not stored.
    case localOnly
}

/// How two devices' values of a field become one.
package enum MergeRule: Hashable, Sendable {
    /// Derived from sessions, challenges and claims, and never taken as it is.
    case ledger
    /// Challenges, each known by its device and name: completed once is completed.
    case challenges
    /// Everything that any device ever had.
    case union
    /// Entry by entry, by name; an entry that was removed stays removed.
    case keyed
    /// Key by key, the last one who wrote.
    case lastWriter
    /// Assigned here.
    case assigned
    case notStored
}

/// A field of the product brief's `SyncableGameState` and `SyncStrategy`: when it
/// syncs, and how it merges.
package struct StateField: Hashable, Sendable {
    package let name: String
    package let tier: SyncTier
    package let rule: MergeRule

    package static let all: [StateField] = [
        // Core progression.
        StateField("totalXP", .immediate, .ledger),
        StateField("currentLevel", .immediate, .ledger),
        StateField("currentStreak", .immediate, .ledger),
        StateField("longestStreak", .immediate, .ledger),
        StateField("totalSessions", .immediate, .ledger),
        StateField("totalMinutes", .immediate, .ledger),
        // Challenges.
        StateField("challengeHistory", .hourly, .challenges),
        StateField("activeChallenges", .immediate, .challenges),
        // Unlocks.
        StateField("unlockedAchievements", .immediate, .union),
        StateField("unlockedPatterns", .immediate, .union),
        StateField("unlockedPresetsLibrary", .immediate, .union),
        // Preferences.
        StateField("preferredPatterns", .daily, .lastWriter),
        StateField("customPresets", .hourly, .keyed),
        StateField("reminderSettings", .daily, .lastWriter),
        StateField("preferenceBackups", .daily, .lastWriter),
        // Aggregates.
        StateField("weeklyStats", .hourly, .ledger),
        StateField("monthlyTrends", .daily, .ledger),
        StateField("analyticsData", .daily, .ledger),
        // Metadata.
        StateField("lastModified", .immediate, .assigned),
        StateField("deviceId", .immediate, .assigned),
        StateField("syncVersion", .immediate, .assigned),
        // What stays on the device.
        StateField("deviceSpecificSettings", .localOnly, .notStored),
        StateField("workspaceConfigurations", .localOnly, .notStored),
        StateField("temporaryUIState", .localOnly, .notStored),
        StateField("debugLogs", .localOnly, .notStored),
    ]

    package static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    private init(_ name: String, _ tier: SyncTier, _ rule: MergeRule) {
        self.name = name
        self.tier = tier
        self.rule = rule
    }
}
