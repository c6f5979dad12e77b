import Domain
import Testing

struct `Replay of the extension's recordings` {
    @Test(arguments: ["ana-restart", "dan-dst-gaps", "chie-two-devices"])
    func `a replayed recording adds up to what an independent program counted`(_ name: String) throws {
        let recording = try Recording(name)
        var person = Practitioner()
        for event in recording.events {
            person.sync(event.submission, now: event.at)
        }
        let totals = person.totals
        let expected = recording.expectation
        #expect(totals.totalXP == expected.sumDevicesXP)
        #expect(person.sound.count == expected.sessionsUnion)
        #expect(totals.activeMilliseconds == expected.activeMsUnion)
        #expect(person.sound.reduce(0) { $0 + $1.cycles } == expected.cyclesUnion)
        #expect(person.sound.reduce(0) { $0 + $1.goalBonusXP } == expected.goalBonusXPUnion)
        #expect(totals.streaks.longest == expected.trueLongestStreakByLocalEndDay)
        #expect(Set(person.sound.map(\.localDay)).count == expected.activeLocalDays)
        #expect(person.ledger.verdicts.values.allSatisfy { $0 == .sound })
    }

    /// The number of the event that first passes, and the streak it passes with.
    @Test(arguments: [("ana-restart", 39, 14), ("dan-dst-gaps", 42, 3)])
    func `the gate opens at the one event that meets all four requirements`(
        _ name: String,
        _ number: Int,
        _ streak: Int
    ) throws {
        let recording = try Recording(name)
        var person = Practitioner()
        let merges = recording.events.map { person.sync($0.submission, now: $0.at) }
        #expect(merges.map(\.eligibility.eligible).firstIndex(of: true) == number - 1)
        #expect(merges[number - 1].eligibility.currentState.currentStreak == streak)
        #expect(person.ledger.eligibleAt == recording.events[number - 1].at)
    }

    @Test func `nothing is kept before the gate, and everything since the first session after it`() throws {
        let recording = try Recording("dan-dst-gaps")
        var person = Practitioner()
        for event in recording.events.prefix(41) {
            let merge = person.sync(event.submission, now: event.at)
            #expect(merge.eligibility.nextRequirement != nil)
        }
        #expect(person.ledger.differences(from: Ledger()) == [])
        person.sync(recording.events[41].submission, now: recording.events[41].at)
        #expect(person.sound.count == recording.events[41].export.meditation.sessions?.all.count)
    }

    @Test func `once passed, the gate stays open through a lost streak`() throws {
        let recording = try Recording("dan-dst-gaps")
        var person = Practitioner()
        var passed = false
        for event in recording.events {
            let eligibility = person.sync(event.submission, now: event.at).eligibility
            #expect(eligibility.eligible || !passed)
            passed = eligibility.eligible
        }
        #expect(person.totals.streaks.current(on: LocalDay(year: 2025, month: 10, day: 9)) == 0)
    }

    /// Odd seeds lose half of the exports on the way and keep each device's own
    /// order; even ones shuffle them all.
    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `two devices that never meet keep all 9023 XP, however their exports interleave`(_ seed: UInt64)
        throws
    {
        let recording = try Recording("chie-two-devices")
        var generator = SplitMix64(seed: seed)
        var person = Practitioner()
        if seed.isMultiple(of: 2) {
            person.sync(recording.submissions.shuffled(using: &generator))
        } else {
            var queues = Dictionary(grouping: recording.submissions, by: \.device.id.text)
                .mapValues { queue in ArraySlice(queue.filter { _ in generator.chance(50) }) }
            while let device = queues.keys.sorted().randomElement(using: &generator) {
                if let next = queues[device]?.popFirst() {
                    person.sync(next)
                } else {
                    queues[device] = nil
                }
            }
        }
        // What came before the gate was not kept; both devices sync once more.
        person.sync(recording.latestSubmissions)
        #expect(person.totals.totalXP == recording.expectation.sumDevicesXP)
        #expect(person.sound.count == recording.expectation.sessionsUnion)
        #expect(person.totals.activeMilliseconds == recording.expectation.activeMsUnion)
        #expect(person.totals.streaks.longest == recording.expectation.trueLongestStreakByLocalEndDay)
    }

    @Test(arguments: ["ana-restart", "chie-two-devices", "dan-dst-gaps", "finn-micro-clear"])
    func `a file sent twice ends in the same ledger`(_ name: String) throws {
        let recording = try Recording(name)
        var person = Practitioner()
        person.sync(recording.submissions)
        let once = person.ledger
        person.sync(recording.submissions)
        #expect(person.ledger.differences(from: once) == [])
    }

    @Test(arguments: ["ana-restart", "finn-micro-clear"])
    func `each export sent twice in a row ends in the same ledger`(_ name: String) throws {
        let recording = try Recording(name)
        var once = Practitioner()
        var twice = Practitioner()
        once.sync(recording.submissions)
        twice.sync(recording.submissions.flatMap { [$0, $0] })
        #expect(twice.ledger.differences(from: once.ledger) == [])
    }

    @Test func `clear data ends an epoch of 3735 XP, and older exports bring none of it back`() throws {
        let recording = try Recording("finn-micro-clear")
        let clear = try #require(recording.events.firstIndex { $0.event == .clearData })
        var person = Practitioner()
        for event in recording.events[..<clear] {
            person.sync(event.submission, now: event.at)
        }
        #expect(person.totals.totalXP == 3735)
        #expect(person.sound.count == 29)
        #expect(person.totals.streaks.longest == recording.expectation.trueLongestStreakByLocalEndDay)

        for event in recording.events[clear...] {
            person.sync(event.submission, now: event.at)
        }
        let after = person.ledger
        #expect(person.totals.totalXP == recording.expectation.sumDevicesXP)
        #expect(person.sound.count == 1)
        #expect(after.epoch == 2)
        #expect(after.epochStartedAt == recording.events[clear].at)

        person.sync(recording.submissions[..<clear].reversed())
        #expect(person.ledger.differences(from: after) == [])
    }

    @Test func `a clear that arrives after the practice that followed it still clears`() throws {
        let recording = try Recording("finn-micro-clear")
        var submissions = recording.submissions
        submissions.swapAt(submissions.count - 2, submissions.count - 1)
        var person = Practitioner()
        person.sync(submissions)
        #expect(person.ledger.epoch == 2)
        #expect(person.totals.totalXP == recording.expectation.sumDevicesXP)
    }

    @Test func `a claimed streak of 41 reaches the receipt and no standing`() throws {
        let recording = try Recording("ana-restart")
        var person = Practitioner()
        let merges = recording.events.map { person.sync($0.submission, now: $0.at) }
        let entry = try #require(merges.last?.receipt.first { $0.field == "longestStreak" })
        #expect((entry.client, entry.result) == (.integer(41), .integer(21)))
        let standings = Standing.all(of: person.ledger)
        #expect(standings.compactMap(\.weekly?.streak) == [7, 7, 7])
        #expect(
            standings.compactMap(\.weekly?.xp).reduce(0, +) == person.sound.reduce(0) { $0 + $1.xp }
        )
    }
}

extension Recording {
    /// The last export of each device.
    var latestSubmissions: [ExportSubmission] {
        Dictionary(submissions.map { ($0.device.id.text, $0) }) { _, last in last }.values
            .sorted { $0.takenAt < $1.takenAt }
    }
}
