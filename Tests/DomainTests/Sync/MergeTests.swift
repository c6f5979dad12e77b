import Foundation
import Testing

@testable import Domain

struct `A merge` {
    private let sitting = Sitting(at: .on(day: 0, 9))

    @Test func `takes a session up once, and calls it a duplicate from then on`() throws {
        var person = Practitioner.veteran
        var editor = Editor()
        editor.practise(sitting)
        let first = person.sync(try editor.export(at: .on(day: 0, 10)))
        let ledger = person.ledger
        let second = person.sync(try editor.export(at: .on(day: 0, 10)))
        #expect(
            first.outcomes == [
                ItemOutcome(index: 0, id: sitting.id, startedAt: sitting.startedAt, outcome: .accepted)
            ]
        )
        #expect(second.outcomes.map(\.outcome) == [.duplicate])
        #expect(person.ledger.differences(from: ledger) == [])
    }

    @Test func `keeps the moment, the zone and the day in which a session first arrived`() throws {
        var person = Practitioner.veteran
        var editor = Editor(in: "Pacific/Auckland")
        editor.practise(sitting)
        person.sync(try editor.export(at: .on(day: 0, 10)), now: .on(day: 0, 10, 1))
        editor.zone = "America/Los_Angeles"
        person.sync(try editor.export(at: .on(day: 3, 10)), now: .on(day: 3, 10, 1))
        let session = try #require(person.sound.first)
        #expect(session.receivedAt == .on(day: 0, 10, 1))
        #expect("\(session.localDay)" == "2026-03-02")
        #expect(person.ledger.devices["laptop"]?.zone.identifier == "America/Los_Angeles")
    }

    @Test func `tells each session apart: one bad item never blocks the rest`() throws {
        var person = Practitioner.veteran
        var editor = Editor()
        var (impossible, backwards) = (Sitting(at: .on(day: 1, 9)), Sitting(at: .on(day: 2, 9)))
        impossible.cycles = 9000
        backwards.endedAt = backwards.startedAt + -1
        let overlapping = Sitting(at: .on(day: 0, 9, 5))
        for item in [sitting, impossible, backwards, overlapping, sitting] { editor.practise(item) }
        let merge = person.sync(try editor.export(at: .on(day: 3, 0)))
        #expect(merge.outcomes.map(\.index) == [0, 1, 2, 3, 4])
        #expect(
            merge.outcomes.map(\.outcome) == [.accepted, .quarantined, .rejected, .quarantined, .duplicate]
        )
        #expect(
            merge.outcomes.map(\.reason) == [nil, "tooManyCycles", "endsBeforeItStarts", "overlaps", nil]
        )
        #expect(merge.outcomes.map(\.field) == [nil, nil, "endedAt", nil, nil])
        #expect(person.sound.map(\.key.sessionID) == [sitting.id])
        #expect(person.ledger.sessions.count == 3)
    }

    @Test(arguments: [
        (
            #""startedAt":"2026-03-02T09:00:00.000Z""#, #""startedAt":"soon""#, "startedAt",
            "must be an RFC 3339 date and time between the years 2000 and 2100"
        ),
        (#""cycles":40"#, #""cycles":-1"#, "cycles", "must be a number from 0 to 2147483647"),
        (#""cycles":40"#, #""cycles":"40""#, "cycles", "is of the wrong type"),
        (#""cycles":40"#, #""cycles":null"#, "cycles", "must not be null"),
        (#""activeMs":600000"#, #""other":1"#, "activeMs", "is missing"),
        (#""id":"sess-1772442000000""#, #""id":"""#, "id", "must have 1 to 64 characters"),
    ])
    func `names the field of a session that can't be read`(
        _ good: String,
        _ bad: String,
        _ field: String,
        _ why: String
    )
        throws
    {
        var person = Practitioner.veteran
        var editor = Editor()
        editor.practise(sitting)
        let text = String(decoding: try editor.json(at: .on(day: 0, 20)), as: UTF8.self)
        #expect(text.contains(good))
        let broken = text.replacing(good, with: bad)
        let list = #""sessions":["#
        let second = String(
            decoding: try JSONEncoder().encode(Sitting(at: .on(day: 0, 12))),
            as: UTF8.self
        )
        let both = broken.replacing(list, with: list + second + ",")
        let merge = person.sync(try JSONDecoder().decode(ExportSubmission.self, from: Data(both.utf8)))
        #expect(merge.outcomes.map(\.outcome) == [.accepted, .rejected])
        #expect(
            merge.outcomes.last
                == ItemOutcome(
                    index: 1,
                    outcome: .rejected,
                    reason: "invalidField",
                    field: field,
                    detail: why
                )
        )
    }

    @Test func `refuses another story about a session it knows`() throws {
        for change: (inout Sitting) -> Void in [
            { $0.cycles += 1 }, { $0.activeMs -= 1 }, { $0.endedAt = $0.endedAt + 1 }, { $0.goalMinutes = 5 },
            { $0.goalBonusXP = 1 },
        ] {
            var person = Practitioner.veteran
            var (editor, liar) = (Editor(), Editor())
            editor.practise(sitting)
            person.sync(try editor.export(at: .on(day: 0, 10)))
            var other = sitting
            change(&other)
            liar.practise(other)
            let merge = person.sync(try liar.export(at: .on(day: 0, 11)))
            #expect(merge.outcomes.map(\.outcome) == [.rejected])
            #expect(merge.outcomes.map(\.reason) == ["differsFromStored"])
            #expect(person.sound.map(\.cycles) == [40])
        }
    }

    @Test func `takes a session of the same name on another device, or at another time, for another`() throws
    {
        var person = Practitioner.veteran
        var (laptop, desktop) = (Editor("laptop"), Editor("desktop"))
        var later = Sitting(at: .on(day: 1, 9))
        later.id = sitting.id
        laptop.practise(sitting)
        laptop.practise(later)
        desktop.practise(sitting)
        person.sync([try laptop.export(at: .on(day: 1, 10)), try desktop.export(at: .on(day: 1, 10))])
        #expect(person.sound.count == 3)
    }

    @Test func `holds that an export from the future was taken now`() throws {
        var person = Practitioner.veteran
        var editor = Editor()
        editor.practise(sitting)
        let now = Instant.on(day: 0, 12)
        let merge = person.sync(try editor.export(at: .on(day: 500, 0)), now: now)
        #expect(merge.asOf == now)
        #expect(person.ledger.devices["laptop"]?.lastTakenAt == now)
        #expect(merge.eligibility.currentState.currentStreak == 1)
        // So the clear that follows isn't older than it.
        editor.clear()
        person.sync(try editor.export(at: .on(day: 0, 13)), now: .on(day: 0, 13))
        #expect(person.ledger.epoch == 2)
    }

    @Test func `judges streaks at the newest export, whichever arrives last`() throws {
        var person = Practitioner.veteran
        var (laptop, desktop) = (Editor("laptop"), Editor("desktop"))
        laptop.practise(sitting)
        let late = try laptop.export(at: .on(day: 0, 10))
        desktop.practise(Sitting(at: .on(day: 5, 9)))
        person.sync(try desktop.export(at: .on(day: 5, 10)))
        #expect(person.sync(late).asOf == .on(day: 5, 10))
    }

    @Test func `remembers when the gate was first passed, and never moves it`() throws {
        var person = Practitioner()
        var editor = Editor()
        for day in 0...12 {
            editor.practise(Sitting(at: .on(day: day, 9)))
            editor.practise(Sitting(at: .on(day: day, 18)))
            person.sync(try editor.export(at: .on(day: day, 20)))
            #expect(person.ledger.eligibleAt == (day < 12 ? nil : .on(day: 12, 20)))
        }
        person.sync(try editor.export(at: .on(day: 40, 0)))
        #expect(person.ledger.eligibleAt == .on(day: 12, 20))
        #expect(person.sound.count == 26)
    }
}
