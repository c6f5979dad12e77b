import Testing

@testable import Domain

struct `XP that no session explains` {
    private let day = LocalDay(year: 2026, month: 3, day: 2)

    private func practised(_ device: String = "laptop", cycles: Int = 100, micro: Int = 0) -> Editor {
        var editor = Editor(device)
        editor.practise(Sitting(at: .on(day: 0, 9), cycles: cycles))
        editor.earn(micro)
        return editor
    }

    @Test func `counts for the person and their level`() throws {
        var person = Practitioner.veteran
        person.sync(try practised(micro: 400).export(at: .on(day: 0, 10)))
        #expect(person.totals.totalXP == 500)
        #expect(person.totals.legacyXP == 400)
        #expect(person.totals.level.number == 5)
    }

    @Test func `of two devices adds up`() throws {
        var person = Practitioner.veteran
        person.sync(try practised("laptop", micro: 40).export(at: .on(day: 0, 10)))
        var desktop = Editor("desktop")
        desktop.practise(Sitting(at: .on(day: 0, 9, 30), cycles: 100))
        desktop.earn(2)
        person.sync(try desktop.export(at: .on(day: 0, 10)))
        #expect(person.totals.totalXP == 242)
        #expect(person.totals.legacyXP == 42)
    }

    @Test func `is not lowered by an older export that claims less`() throws {
        var person = Practitioner.veteran
        var editor = practised()
        let older = try editor.export(at: .on(day: 0, 10))
        editor.earn(40)
        person.sync([try editor.export(at: .on(day: 0, 11)), older])
        #expect(person.totals.totalXP == 140)
    }

    @Test func `is told from the reward of a challenge that explains it`() throws {
        var person = Practitioner.veteran
        var editor = practised(micro: 7)
        editor.complete(DailyTask("a", on: day, rewardXP: 30))
        person.sync(try editor.export(at: .on(day: 0, 10)))
        #expect(person.totals.totalXP == 137)
        #expect(person.totals.legacyXP == 7)
        // Tomorrow's list no longer shows it; it stays explained.
        editor.tasks = []
        person.sync(try editor.export(at: .on(day: 1, 10)))
        #expect(person.totals.totalXP == 137)
        #expect(person.totals.legacyXP == 7)
    }

    @Test func `covers what quarantine took out, so that nobody's total falls`() throws {
        var person = Practitioner.veteran
        var editor = practised()
        editor.practise(Sitting(at: .on(day: 1, 9), minutes: 1, cycles: 31))
        editor.practise(Sitting(at: .on(day: 0, 9, 5), cycles: 50))
        person.sync(try editor.export(at: .on(day: 1, 10)))
        #expect(person.sound.map(\.cycles) == [100])
        #expect(person.totals.totalXP == 181)
    }

    @Test func `doesn't make an impossible session count that nobody claimed`() throws {
        var person = Practitioner.veteran
        var editor = practised()
        editor.practise(Sitting(at: .on(day: 1, 9), cycles: 1_000_000))
        editor.totalXP = 100
        person.sync(try editor.export(at: .on(day: 1, 10)))
        #expect(person.totals.totalXP == 100)
    }

    @Test func `is the same whichever of two overlapping windows exported first`() throws {
        var (one, other) = (Editor(), Editor())
        one.practise(Sitting(at: .on(day: 0, 9), cycles: 24))
        other.practise(Sitting(at: .on(day: 0, 9, 5), cycles: 24))
        let exports = [try one.export(at: .on(day: 0, 9, 10)), try other.export(at: .on(day: 0, 9, 15))]
        var (forwards, backwards) = (Practitioner.veteran, Practitioner.veteran)
        forwards.sync(exports)
        backwards.sync(exports.reversed())
        #expect(backwards.ledger.differences(from: forwards.ledger) == [])
        #expect(forwards.totals.totalXP == 48)
        #expect(forwards.sound.count == 1)
    }

    @Test func `never falls when a window's session pushes out another's`() throws {
        var person = Practitioner.veteran
        var (one, other, third) = (Editor(), Editor(), Editor())
        one.practise(Sitting(at: .on(day: -1, 9), cycles: 50))
        other.practise(Sitting(at: .on(day: 0, 9, 5), cycles: 24))
        third.practise(Sitting(at: .on(day: 0, 9), cycles: 10))
        person.sync([try one.export(at: .on(day: 0, 8)), try other.export(at: .on(day: 0, 10))])
        #expect(person.totals.totalXP == 74)
        person.sync(try third.export(at: .on(day: 0, 11)))
        #expect(person.totals.totalXP == 84)
        #expect(person.sound.map(\.xp) == [50, 10])
    }
}
