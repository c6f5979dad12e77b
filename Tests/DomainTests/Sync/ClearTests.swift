import Testing

@testable import Domain

struct `Clear data` {
    /// Someone with two devices that both practised on day 0 and hold 20 XP more
    /// than their sessions and 30 for a challenge of the day.
    private struct Household {
        var person = Practitioner.veteran
        var laptop = Editor("laptop")
        var desktop = Editor("desktop")
        let today = LocalDay(year: 2026, month: 3, day: 2)

        init() throws {
            for (editor, minute) in [(\Household.laptop, 0), (\.desktop, 30)] {
                self[keyPath: editor].practise(Sitting(at: .on(day: 0, 9, minute), cycles: 100))
                self[keyPath: editor].earn(20)
                self[keyPath: editor].complete(DailyTask("a", on: today, rewardXP: 30))
                person.sync(try self[keyPath: editor].export(at: .on(day: 0, 10)))
            }
        }

        mutating func clearLaptop(at instant: Instant = .on(day: 0, 12)) throws {
            laptop.clear()
            person.sync(try laptop.export(at: instant))
        }
    }

    @Test func `begins a new epoch with nothing in it`() throws {
        var home = try Household()
        #expect(home.person.totals.totalXP == 300)
        try home.clearLaptop()
        let ledger = home.person.ledger
        #expect(ledger.epoch == 2)
        #expect(ledger.epochStartedAt == .on(day: 0, 12))
        #expect(ledger.sessions.isEmpty)
        #expect(ledger.challenges.isEmpty)
        #expect(home.person.totals.totalXP == 0)
        #expect(ledger.eligibleAt != nil)
    }

    @Test func `sent again clears nothing more`() throws {
        var home = try Household()
        try home.clearLaptop()
        let export = try home.laptop.export(at: .on(day: 0, 12))
        home.laptop.practise(Sitting(at: .on(day: 0, 13)))
        home.person.sync(try home.laptop.export(at: .on(day: 0, 14)))
        let before = home.person.ledger
        home.person.sync(export)
        #expect(home.person.ledger.differences(from: before) == [])
    }

    @Test func `is not what a fresh install shows, nor its first export that comes late`() throws {
        var person = Practitioner.veteran
        var editor = Editor()
        let fresh = try editor.export(at: .on(day: 0, 8))
        person.sync(fresh)
        editor.practise(Sitting(at: .on(day: 0, 9)))
        person.sync([try editor.export(at: .on(day: 0, 10)), fresh])
        #expect(person.ledger.epoch == 1)
        #expect(person.totals.totalXP == 40)
    }

    @Test func `of a device that only held XP clears too`() throws {
        var person = Practitioner.veteran
        var editor = Editor()
        editor.earn(90)
        person.sync(try editor.export(at: .on(day: 0, 8)))
        editor.clear()
        person.sync(try editor.export(at: .on(day: 0, 9)))
        #expect(person.ledger.epoch == 2)
        #expect(person.totals.totalXP == 0)
    }

    @Test func `is not undone by an older export that comes late`() throws {
        var home = try Household()
        let late = [
            try home.laptop.export(at: .on(day: 0, 11)), try home.desktop.export(at: .on(day: 0, 11)),
        ]
        try home.clearLaptop()
        let cleared = home.person.ledger
        home.person.sync(late)
        #expect(home.person.ledger.differences(from: cleared) == [])
    }

    @Test func `is not undone by another device that still shows what was cleared`() throws {
        var home = try Household()
        try home.clearLaptop()
        let merge = home.person.sync(try home.desktop.export(at: .on(day: 0, 13)))
        #expect(merge.outcomes.map(\.outcome) == [.rejected])
        #expect(merge.outcomes.map(\.reason) == ["takenBeforeClear"])
        #expect(home.person.totals.totalXP == 0)
        #expect(home.person.ledger.challenges.isEmpty)
    }

    @Test func `is not undone by a device that had never synced before`() throws {
        var home = try Household()
        try home.clearLaptop()
        var tablet = Editor("tablet")
        tablet.practise(Sitting(at: .on(day: 0, 9)))
        tablet.earn(20)
        home.person.sync(try tablet.export(at: .on(day: 0, 13)))
        #expect(home.person.totals.totalXP == 0)
        tablet.practise(Sitting(at: .on(day: 0, 14), cycles: 15))
        tablet.earn(5)
        home.person.sync(try tablet.export(at: .on(day: 0, 15)))
        #expect(home.person.totals.totalXP == 20)
    }

    @Test func `leaves a device that shows cleared practice all that it earns since`() throws {
        var home = try Household()
        try home.clearLaptop()
        home.person.sync(try home.desktop.export(at: .on(day: 0, 13)))
        home.desktop.practise(Sitting(at: .on(day: 1, 9), cycles: 15))
        home.desktop.earn(5)
        home.desktop.tasks = []
        home.desktop.complete(DailyTask("b", on: home.today.advanced(by: 1), rewardXP: 40))
        home.person.sync(try home.desktop.export(at: .on(day: 1, 10)))
        #expect(home.person.totals.totalXP == 60)
        #expect(home.person.totals.legacyXP == 5)
        #expect(home.person.sound.map(\.cycles) == [15])
        #expect(home.person.ledger.challenges.keys.map(\.challengeID) == ["b"])
    }

    @Test func `counts what such a device earns beside a reward that its first export since already showed`()
        throws
    {
        var home = try Household()
        try home.clearLaptop()
        home.desktop.tasks = []
        home.desktop.complete(DailyTask("b", on: home.today.advanced(by: 1), rewardXP: 40))
        home.person.sync(try home.desktop.export(at: .on(day: 1, 10)))
        #expect(home.person.totals.totalXP == 40)
        home.desktop.earn(5)
        home.person.sync(try home.desktop.export(at: .on(day: 1, 11)))
        #expect(home.person.totals.totalXP == 45)
    }

    @Test func `leaves such a device the same, whichever of its exports arrives first`() throws {
        var home = try Household()
        try home.clearLaptop()
        let first = try home.desktop.export(at: .on(day: 0, 13))
        home.desktop.earn(5)
        home.person.sync([try home.desktop.export(at: .on(day: 1, 10)), first])
        #expect(home.person.totals.totalXP == 5)
    }

    @Test func `on the second device afterwards only stops the showing`() throws {
        var home = try Household()
        try home.clearLaptop()
        home.laptop.practise(Sitting(at: .on(day: 1, 9)))
        home.person.sync(try home.laptop.export(at: .on(day: 1, 10)))
        home.person.sync(try home.desktop.export(at: .on(day: 1, 11)))
        home.desktop.clear()
        home.person.sync(try home.desktop.export(at: .on(day: 1, 12)))
        #expect(home.person.ledger.epoch == 2)
        #expect(home.person.totals.totalXP == 40)
        #expect(home.person.ledger.devices["desktop"]?.carriedXP == nil)
        home.desktop.earn(8)
        home.person.sync(try home.desktop.export(at: .on(day: 1, 13)))
        #expect(home.person.totals.totalXP == 48)
    }

    @Test func `that comes late keeps what other devices practised since, and their challenges`() throws {
        var home = try Household()
        home.desktop.practise(Sitting(at: .on(day: 1, 9), cycles: 15))
        home.desktop.complete(DailyTask("b", on: home.today.advanced(by: 1), rewardXP: 40))
        home.person.sync(try home.desktop.export(at: .on(day: 1, 10)))
        try home.clearLaptop(at: .on(day: 0, 12))
        #expect(home.person.ledger.epoch == 2)
        #expect(home.person.sound.map(\.cycles) == [15])
        #expect(home.person.ledger.challenges.keys.map(\.challengeID) == ["b"])
        #expect(home.person.totals.totalXP == 55)
    }

    @Test func `by a device whose practice outlived a late clear clears that as well`() throws {
        var home = try Household()
        home.desktop.practise(Sitting(at: .on(day: 1, 9)))
        home.person.sync(try home.desktop.export(at: .on(day: 1, 10)))
        try home.clearLaptop(at: .on(day: 0, 12))
        home.desktop.clear()
        home.person.sync(try home.desktop.export(at: .on(day: 1, 11)))
        #expect(home.person.ledger.epoch == 3)
        #expect(home.person.totals.totalXP == 0)
    }

    @Test func `is seen even when the practice that followed it arrives before it`() throws {
        var home = try Household()
        home.laptop.clear()
        let clear = try home.laptop.export(at: .on(day: 0, 12))
        home.laptop.practise(Sitting(at: .on(day: 0, 13), cycles: 15))
        home.person.sync([try home.laptop.export(at: .on(day: 0, 14)), clear])
        #expect(home.person.ledger.epoch == 2)
        #expect(home.person.sound.map(\.cycles) == [15])
        #expect(home.person.ledger.devices["laptop"]?.lastTakenAt == .on(day: 0, 14))
    }

    @Test func `takes along what a wrong clock had put into the future`() throws {
        var person = Practitioner.veteran
        var editor = Editor()
        editor.practise(Sitting(at: .on(day: 300, 9)))
        person.sync(try editor.export(at: .on(day: 0, 10)), now: .on(day: 0, 10))
        #expect(person.ledger.verdicts.values.map(\.self) == [.inTheFuture])
        editor.clear()
        person.sync(try editor.export(at: .on(day: 0, 11)), now: .on(day: 0, 11))
        #expect(person.ledger.sessions.isEmpty)
    }
}
