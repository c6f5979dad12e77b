import Testing

@testable import Domain

struct `A daily challenge` {
    private let day = LocalDay(year: 2026, month: 3, day: 2)

    private func challenge(reward: Int, completed: Bool = false, expired: Bool = false) -> DailyChallenge {
        DailyChallenge(
            key: DailyChallenge.Key(deviceID: "laptop", challengeID: "a"),
            localDay: day,
            kind: "cycles",
            target: 10,
            rewardXP: reward,
            isCompleted: completed,
            isExpired: expired
        )
    }

    @Test func `joins its sightings in any order and grouping, and twice is once`() {
        let sightings = [true, false].flatMap { completed in
            [true, false].flatMap { expired in
                [10, 20].map { challenge(reward: $0, completed: completed, expired: expired) }
            }
        }
        for a in sightings {
            #expect(a.joined(with: a) == a)
            for b in sightings {
                #expect(a.joined(with: b) == b.joined(with: a))
                for c in sightings {
                    #expect(a.joined(with: b).joined(with: c) == a.joined(with: b.joined(with: c)))
                }
            }
        }
    }

    @Test func `once completed is completed, on the terms that it was completed on`() {
        let joined = challenge(reward: 10, completed: true).joined(with: challenge(reward: 20, expired: true))
        #expect(joined == challenge(reward: 10, completed: true, expired: true))
    }

    @Test func `completed on two devices is rewarded on both, as both have claimed it`() throws {
        var person = Practitioner.veteran
        for device in ["laptop", "desktop"] {
            var editor = Editor(device)
            editor.complete(DailyTask("a", on: day, rewardXP: 30))
            person.sync(try editor.export(at: .on(day: 0, 10)))
        }
        #expect(person.ledger.challenges.count == 2)
        #expect(person.totals.totalXP == 60)
        #expect(person.totals.legacyXP == 0)
    }

    @Test func `that pays more than any can, or has no date, is passed over`() throws {
        var person = Practitioner.veteran
        var editor = Editor()
        var undated = DailyTask("c", on: day, rewardXP: 5)
        undated.date = "someday"
        editor.tasks = [
            DailyTask("a", on: day, rewardXP: 1000, completed: true),
            DailyTask("b", on: day, rewardXP: 1001, completed: true), undated,
        ]
        person.sync(try editor.export(at: .on(day: 0, 10)))
        #expect(person.ledger.challenges.keys.map(\.challengeID) == ["a"])
        #expect(person.totals.totalXP == 1000)
    }

    @Test func `is read from the export that passed the gate, and from later ones`() throws {
        var person = Practitioner(ledger: Ledger(eligibleAt: .on(day: 0, 12)))
        for (hour, id) in [(11, "before"), (12, "with"), (13, "after")] {
            var editor = Editor()
            editor.complete(DailyTask(id, on: day, rewardXP: 30))
            person.sync(try editor.export(at: .on(day: 0, hour)))
        }
        #expect(Set(person.ledger.challenges.keys.map(\.challengeID)) == ["with", "after"])
    }
}
