import Testing

@testable import Domain

struct `The fields of the state` {
    /// The product brief's `SyncStrategy`.
    private static let strategy: [SyncTier: Set<String>] = [
        .immediate: [
            "totalXP", "currentLevel", "currentStreak", "unlockedAchievements", "activeChallenges",
        ],
        .hourly: ["challengeHistory", "weeklyStats", "customPresets"],
        .daily: ["monthlyTrends", "analyticsData", "preferenceBackups"],
        .localOnly: [
            "deviceSpecificSettings", "workspaceConfigurations", "temporaryUIState", "debugLogs",
        ],
    ]

    /// Those of its `SyncableGameState` that the strategy doesn't name: what changes with practice comes with it, and
    /// preferences are "occasionally synced".
    private static let others: [SyncTier: Set<String>] = [
        .immediate: [
            "longestStreak", "totalSessions", "totalMinutes", "unlockedPatterns", "unlockedPresetsLibrary",
            "lastModified", "deviceId", "syncVersion",
        ],
        .daily: ["preferredPatterns", "reminderSettings"],
    ]

    @Test func `sync when the brief says so, field by field`() {
        for (tier, names) in Self.strategy {
            for name in names { #expect(StateField.byName[name]?.tier == tier, "\(name)") }
        }
        for tier in SyncTier.allCases {
            let expected = (Self.strategy[tier] ?? []).union(Self.others[tier] ?? [])
            #expect(Set(StateField.all.filter { $0.tier == tier }.map(\.name)) == expected, "\(tier)")
        }
    }

    @Test func `are stored unless they stay on the device`() {
        for field in StateField.all {
            #expect((field.rule == .notStored) == (field.tier == .localOnly), "\(field.name)")
        }
    }
}
