/// The product brief's `SyncableGameState`: what all devices of a person agree on.
package struct GameState: Hashable, Sendable, Encodable {
    package struct ChallengeCompletion: Hashable, Sendable, Encodable {
        package let id: String
        package let type: String
        package let date: LocalDay
        package let target: Int
        package let rewardXP: Int
        package let deviceId: String
    }

    package struct ActiveChallenge: Hashable, Sendable, Encodable {
        package let id: String
        package let type: String
        package let date: LocalDay
        package let target: Int
        package let rewardXP: Int
        package let deviceId: String
    }

    package struct Aggregate: Hashable, Sendable, Encodable {
        package let period: String
        package let xp: Int
        package let minutes: Int
        package let sessions: Int
        package let practisedDays: Int
    }

    package let totalXP: Int
    package let currentLevel: Int
    package let currentStreak: Int
    package let longestStreak: Int
    /// The missed days that pauses hold the current streak together on.
    package let pausedDays: [LocalDay]
    /// How many days of this month can still be paused.
    package let pausesLeft: Int
    package let totalSessions: Int
    package let totalMinutes: Int
    /// Milliseconds of practice, which `totalMinutes` rounds down.
    package let totalActiveMs: Int64
    package let legacyXP: Int
    /// Completed in the last 30 days.
    package let challengeHistory: [ChallengeCompletion]
    package let activeChallenges: [ActiveChallenge]
    package let unlockedAchievements: [String]
    package let unlockedPatterns: [String]
    package let unlockedPresetsLibrary: [String]
    /// Entries by name, as the devices wrote them.
    package let preferredPatterns: [String: JSONValue]
    package let customPresets: [JSONValue]
    package let reminderSettings: [String: JSONValue]
    package let preferenceBackups: [String: JSONValue]
    package let weeklyStats: [Aggregate]
    package let monthlyTrends: [Aggregate]
    package let epoch: Int
    package let lastModified: Instant?
    package let deviceId: String?
    package let syncVersion: Int

    /// - Parameters:
    ///   - asOf: the day on which challenges are active.
    ///   - streakAsOf: the day on which the streak is judged, if travel makes that another.
    ///   - revision: what the store knows of the last change.
    package init(
        _ ledger: Ledger,
        totals: Totals,
        asOf: LocalDay,
        streakAsOf: LocalDay? = nil,
        revision: Revision
    ) {
        let challenges = ledger.challenges.values.sorted {
            ($0.localDay, $0.key.deviceID, $0.key.challengeID) < (
                $1.localDay, $1.key.deviceID, $1.key.challengeID
            )
        }
        totalXP = totals.totalXP
        currentLevel = totals.level.number
        currentStreak = totals.streaks.current(on: streakAsOf ?? asOf)
        longestStreak = totals.streaks.longest
        pausedDays = totals.streaks.pausesSpent(on: streakAsOf ?? asOf)
        pausesLeft = totals.streaks.pausesLeft(on: asOf)
        totalSessions = totals.sessions
        totalMinutes = totals.totalMinutes
        totalActiveMs = totals.activeMilliseconds
        legacyXP = totals.legacyXP
        challengeHistory =
            challenges
            // Also one of tomorrow, where a device is ahead of this day, and of no later one.
            .filter {
                $0.isCompleted && asOf.advanced(by: -30) < $0.localDay && $0.localDay <= asOf.advanced(by: 1)
            }
            .map {
                ChallengeCompletion(
                    id: $0.key.challengeID,
                    type: $0.kind,
                    date: $0.localDay,
                    target: $0.target,
                    rewardXP: $0.rewardXP,
                    deviceId: $0.key.deviceID
                )
            }
        activeChallenges =
            challenges
            .filter { !$0.isCompleted && !$0.isExpired && $0.localDay == asOf }
            .map {
                ActiveChallenge(
                    id: $0.key.challengeID,
                    type: $0.kind,
                    date: $0.localDay,
                    target: $0.target,
                    rewardXP: $0.rewardXP,
                    deviceId: $0.key.deviceID
                )
            }
        unlockedAchievements = ledger.names(in: "unlockedAchievements")
        unlockedPatterns = ledger.names(in: "unlockedPatterns")
        unlockedPresetsLibrary = ledger.names(in: "unlockedPresetsLibrary")
        preferredPatterns = ledger.entries(of: "preferredPatterns")
        customPresets = ledger.entries(of: "customPresets").sorted { $0.key < $1.key }.map(\.value)
        reminderSettings = ledger.entries(of: "reminderSettings")
        preferenceBackups = ledger.entries(of: "preferenceBackups")
        weeklyStats = Self.aggregates(of: ledger.days.values, by: Week.init(of:))
        monthlyTrends = Self.aggregates(of: ledger.days.values, by: Month.init(of:))
        epoch = ledger.epoch
        lastModified = revision.modifiedAt
        deviceId = revision.deviceID
        syncVersion = revision.version
    }

    private static func aggregates<Period: Hashable & CustomStringConvertible>(
        of days: some Sequence<PracticeDay>,
        by period: (LocalDay) -> Period
    ) -> [Aggregate] {
        Dictionary(grouping: days) { period($0.day) }
            .map { period, days in
                Aggregate(
                    period: period.description,
                    xp: days.reduce(0) { $0 + $1.xp },
                    minutes: Int(days.reduce(0) { $0 + $1.activeMilliseconds } / 60_000),
                    sessions: days.reduce(0) { $0 + $1.sessions },
                    practisedDays: days.count
                )
            }
            .sorted { $0.period < $1.period }
    }

    /// Of the civil calendar, such as "2026-03".
    private struct Month: Hashable, CustomStringConvertible {
        let year, month: Int

        init(of day: LocalDay) {
            (year, month, _) = day.civil
        }

        var description: String { "\(year)-\(month.twoDigits)" }
    }
}

extension Ledger {
    /// What a stored field holds; what was removed is not there.
    fileprivate func entries(of field: String) -> [String: JSONValue] {
        fields.reduce(into: [:]) { entries, entry in
            if entry.key.field == field, let value = entry.value.value { entries[entry.key.key] = value }
        }
    }

    fileprivate func names(in field: String) -> [String] {
        entries(of: field).keys.sorted()
    }

    /// A stored field as a client reads it.
    func value(of field: StateField) -> JSONValue {
        switch field.rule {
        case .union: .array(names(in: field.name).map { .string($0) })
        case .keyed: .array(entries(of: field.name).sorted { $0.key < $1.key }.map(\.value))
        default: .object(entries(of: field.name))
        }
    }
}

/// Which change of a person's state this is, and who made it.
package struct Revision: Hashable, Sendable {
    package let version: Int
    package let modifiedAt: Instant?
    package let deviceID: String?

    package init(version: Int, modifiedAt: Instant?, deviceID: String?) {
        self.version = version
        self.modifiedAt = modifiedAt
        self.deviceID = deviceID
    }
}
