import Testing

@testable import Domain

struct `A receipt` {
    /// A practised week on the laptop, of which the desktop knows nothing.
    private func practised() throws -> (Practitioner, Editor) {
        var person = Practitioner.veteran
        var laptop = Editor()
        for day in 0..<3 {
            laptop.practise(Sitting(at: .on(day: day, 9), minutes: 10, cycles: 60))
        }
        laptop.earn(20)
        laptop.claimedStreak = 41
        person.sync(try laptop.export(at: .on(day: 2, 10)))
        return (person, laptop)
    }

    private func entry(
        _ field: String,
        _ client: Int,
        _ server: Int,
        _ result: Int,
        _ rule: ReceiptEntry.Rule
    ) -> ReceiptEntry {
        ReceiptEntry(
            field,
            client: .integer(client),
            server: .integer(server),
            result: .integer(result),
            rule: rule
        )
    }

    @Test func `tells for each field what came, what was there, what became of it and why`() throws {
        var (person, _) = try practised()
        var desktop = Editor("desktop")
        let today = LocalDay(year: 2026, month: 3, day: 5)
        desktop.practise(Sitting(at: .on(day: 3, 9), minutes: 15, cycles: 30))
        desktop.complete(DailyTask("a", on: today, rewardXP: 12))
        desktop.claimedStreak = 9
        let merge = person.sync(try desktop.export(at: .on(day: 3, 10)))
        #expect(
            merge.receipt == [
                entry("totalXP", 42, 200, 242, .sessionsAndRewardsAndLegacy),
                entry("currentLevel", 1, 3, 3, .derivedFromXP),
                entry("currentStreak", 9, 3, 4, .derivedFromLocalDays),
                entry("longestStreak", 9, 3, 4, .derivedFromLocalDays),
                entry("totalSessions", 1, 3, 4, .derivedFromSessions),
                entry("totalMinutes", 15, 30, 45, .derivedFromSessions),
                entry("challengeHistory", 1, 0, 1, .union),
            ]
        )
        #expect(merge.totals.legacyXP == 20)
    }

    @Test func `of a clear shows every field fall to nothing, and by whose hand`() throws {
        var (person, laptop) = try practised()
        laptop.clear()
        let merge = person.sync(try laptop.export(at: .on(day: 4, 10)))
        #expect(merge.receipt.map(\.rule) == Array(repeating: .clearedByDevice, count: 7))
        #expect(merge.receipt.map(\.server) == [200, 3, 0, 3, 3, 30, 0].map(JSONValue.integer))
        #expect(merge.receipt.map(\.result) == [0, 1, 0, 0, 0, 0, 0].map(JSONValue.integer))
    }

    @Test func `of an export from before the clear shows that nothing of it counted`() throws {
        var (person, laptop) = try practised()
        let old = try laptop.export(at: .on(day: 2, 11))
        laptop.clear()
        person.sync(try laptop.export(at: .on(day: 4, 10)))
        let merge = person.sync(old)
        #expect(merge.receipt.map(\.rule) == Array(repeating: .takenBeforeClear, count: 7))
        #expect(merge.receipt.map(\.result) == [0, 1, 0, 0, 0, 0, 0].map(JSONValue.integer))
        #expect(merge.outcomes.map(\.outcome) == Array(repeating: .rejected, count: 3))
        #expect(Set(merge.outcomes.map(\.reason)) == ["takenBeforeClear"])
    }
}
