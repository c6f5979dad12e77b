import Foundation
import Testing

@testable import Domain

struct `The game state` {
    private let today = LocalDay(year: 2026, month: 4, day: 2)
    private let revision = Revision(version: 7, modifiedAt: .on(day: 31, 10), deviceID: "laptop")

    private func state(_ change: (inout Editor) -> Void) throws -> GameState {
        var person = Practitioner.veteran
        var editor = Editor()
        change(&editor)
        person.sync(try editor.export(at: .on(day: 31, 10)))
        return GameState(person.ledger, totals: person.totals, asOf: today, revision: revision)
    }

    @Test func `of someone without practice is at level 1 and in epoch 1`() throws {
        let state = try state { _ in }
        #expect((state.totalXP, state.currentLevel, state.epoch) == (0, 1, 1))
        #expect(state.weeklyStats == [])
        #expect((state.syncVersion, state.deviceId, state.lastModified) == (7, "laptop", .on(day: 31, 10)))
    }

    @Test func `sums up weeks and months by the day in which a session ended`() throws {
        let state = try state { editor in
            // 31 March, and a session over midnight into 1 April.
            editor.practise(Sitting(at: .on(day: 29, 9), minutes: 20, cycles: 50))
            editor.practise(Sitting(at: .on(day: 29, 23, 50), minutes: 20, cycles: 30))
            editor.practise(Sitting(at: .on(day: 30, 9), minutes: 5, cycles: 7))
            editor.practise(Sitting(at: .on(day: 6, 9), minutes: 1, cycles: 9))
        }
        #expect(
            state.weeklyStats == [
                GameState.Aggregate(period: "2026-W10", xp: 9, minutes: 1, sessions: 1, practisedDays: 1),
                GameState.Aggregate(period: "2026-W14", xp: 87, minutes: 45, sessions: 3, practisedDays: 2),
            ]
        )
        #expect(
            state.monthlyTrends == [
                GameState.Aggregate(period: "2026-03", xp: 59, minutes: 21, sessions: 2, practisedDays: 2),
                GameState.Aggregate(period: "2026-04", xp: 37, minutes: 25, sessions: 2, practisedDays: 1),
            ]
        )
        #expect((state.currentStreak, state.longestStreak) == (2, 2))
        #expect((state.totalSessions, state.totalMinutes, state.totalActiveMs) == (4, 46, 2_760_000))
    }

    @Test func `shows the challenges of today that are open, and those completed in the last 30 days`() throws
    {
        let state = try state { editor in
            editor.tasks = [
                DailyTask("open", on: today, rewardXP: 1),
                DailyTask("expired", on: today, rewardXP: 2, expired: true),
                DailyTask("yesterday", on: today.advanced(by: -1), rewardXP: 3),
                DailyTask("done", on: today, rewardXP: 4, completed: true),
                DailyTask("29 days ago", on: today.advanced(by: -29), rewardXP: 5, completed: true),
                DailyTask("30 days ago", on: today.advanced(by: -30), rewardXP: 6, completed: true),
            ]
        }
        #expect(state.activeChallenges.map(\.id) == ["open"])
        #expect(state.challengeHistory.map(\.id) == ["29 days ago", "done"])
        #expect(state.totalXP == 15)
    }

    @Test func `is written with the names that clients know`() throws {
        let json = try JSONEncoder().encode(try state { $0.practise(Sitting(at: .on(day: 30, 9))) })
        let object = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
        #expect(
            Set(object.keys) == [
                "totalXP", "currentLevel", "currentStreak", "longestStreak", "totalSessions", "totalMinutes",
                "totalActiveMs", "legacyXP", "challengeHistory", "activeChallenges", "weeklyStats",
                "monthlyTrends", "unlockedAchievements", "unlockedPatterns", "unlockedPresetsLibrary",
                "preferredPatterns", "customPresets", "reminderSettings", "preferenceBackups", "pausedDays",
                "pausesLeft", "epoch", "lastModified", "deviceId", "syncVersion",
            ]
        )
        #expect(object["lastModified"] as? String == "2026-04-02T10:00:00.000Z")
    }
}
