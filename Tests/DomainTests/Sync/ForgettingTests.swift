import Foundation
import Testing

@testable import Domain

/// Two ledgers of one history: one remembers everything, the other forgets the sessions of days that are
/// long over. Whatever comes in afterwards, they add up to the same.
struct `A ledger that forgets` {
    private static let zones = [Zone.auckland, .losAngeles, .kolkata]

    /// What three devices practised: some of it at once, late in the evening, or impossible.
    private static func sittings(seed: UInt64, days: Int) -> [(day: Int, batch: SyncBatch)] {
        var generator = SplitMix64(seed: seed)
        return (0..<days).flatMap { day in
            (0..<Int.random(in: 0...4, using: &generator)).map { number in
                let device = Int.random(in: 0..<3, using: &generator)
                let minutes = Int.random(in: 1...90, using: &generator)
                let start = Instant.on(day: day, 0).advanced(
                    by: Int64.random(in: 0..<86_400_000, using: &generator)
                )
                let record = ExtensionExport.SessionRecord(
                    id: Label("sess-\(day)-\(number)"),
                    startedAt: start,
                    endedAt: start + minutes * 60_000,
                    activeMs: Milliseconds(Int64(minutes) * 60_000),
                    cycles: Count(minutes * Int.random(in: 1...32, using: &generator)),
                    goalMinutes: nil,
                    goalBonusXP: nil,
                    timeZone: nil
                )
                return (day, .of("device-\(device)", in: zones[device], [record]))
            }
        }
    }

    private static func merge(_ batch: SyncBatch, into ledger: Ledger, on day: Int) -> Merge {
        Merge(batch, into: ledger, base: nil, syncVersion: 1, now: .on(day: day + 1, 12))
    }

    private static func day(_ number: Int) -> LocalDay { LocalDay(of: .on(day: number, 12), in: .utc) }

    @Test func `adds up to what it would without, whatever comes late, twice or at once`() {
        for seed in 1...200 {
            var generator = SplitMix64(seed: UInt64(seed))
            // A tenth comes as late as anything that is taken: who is far in the west has the day before.
            let arrivals = Self.sittings(seed: UInt64(seed), days: 40).map { day, batch in
                (day: day + (Int.random(in: 0..<10, using: &generator) == 0 ? 5 : 0), batch)
            }
            var (whole, forgetful) = (Ledger(), Ledger())
            for (day, batch) in arrivals.sorted(by: { $0.day < $1.day }) {
                forgetful.forget(before: Self.day(day - 13))
                whole = Self.merge(batch, into: whole, on: day).ledger
                let merge = Self.merge(batch, into: forgetful, on: day)
                forgetful = merge.ledger
                #expect(merge.outcomes.allSatisfy { $0.reason != "tooOld" }, "seed \(seed), day \(day)")
                #expect(forgetful.days == whole.days, "seed \(seed), day \(day)")
                #expect(forgetful.devices == whole.devices, "seed \(seed), day \(day)")
                guard forgetful.days == whole.days else { return }
            }
            #expect(forgetful.sessions.count < whole.sessions.count)
            #expect(Totals(of: forgetful) == Totals(of: whole))
            #expect(Standing.all(of: forgetful) == Standing.all(of: whole))
            #expect(forgetful.recounted().days == forgetful.days, "seed \(seed): counted again")
        }
    }

    @Test func `takes nothing of what it forgot, when a device sends everything again`() {
        let sittings = Self.sittings(seed: 7, days: 40)
        var ledger = Ledger()
        for (day, batch) in sittings { ledger = Self.merge(batch, into: ledger, on: day).ledger }
        ledger.forget(before: Self.day(30))
        let before = ledger
        var outcomes: [String: Int] = [:]
        for (_, batch) in sittings {
            let merge = Self.merge(batch, into: ledger, on: 40)
            for outcome in merge.outcomes {
                outcomes[outcome.reason == "tooOld" ? "tooOld" : "known", default: 0] += 1
                #expect(outcome.outcome != .accepted)
            }
            #expect(!merge.changesState)
            ledger = merge.ledger
        }
        #expect(ledger.days == before.days)
        #expect(Totals(of: ledger) == Totals(of: before))
        #expect(outcomes.keys.sorted() == ["known", "tooOld"])
    }

    @Test func `is not cleared by a device that did so before what it remembers`() throws {
        var ledger = Ledger()
        func practise(_ device: String, on day: Int) {
            let record = ExtensionExport.SessionRecord(
                id: Label("sess-\(day)"),
                startedAt: .on(day: day, 9),
                endedAt: .on(day: day, 10),
                activeMs: Milliseconds(3_600_000),
                cycles: Count(100),
                goalMinutes: nil,
                goalBonusXP: nil,
                timeZone: nil
            )
            ledger = Self.merge(SyncBatch.of(device, in: .utc, [record]), into: ledger, on: day).ledger
        }
        practise("desktop", on: 3)
        for day in 10..<40 { practise("laptop", on: day) }
        ledger.forget(before: Self.day(30))
        var desktop = Editor("desktop")
        desktop.clear()
        let late = Merge(try desktop.export(at: .on(day: 5, 10)), into: ledger, now: .on(day: 41, 0))
        #expect(late.ledger.days == ledger.days)
        let known = Merge(try desktop.export(at: .on(day: 35, 12)), into: ledger, now: .on(day: 41, 0))
        #expect(known.ledger.days.keys.sorted() == (36..<40).map(Self.day))
    }

    @Test func `keeps what it is asked for of a session beside those that are gone`() throws {
        let start = Instant.on(day: 10, 23, 50)
        func record(_ name: String, _ start: Instant) -> ExtensionExport.SessionRecord {
            ExtensionExport.SessionRecord(
                id: Label(name),
                startedAt: start,
                endedAt: start + 20 * 60_000,
                activeMs: Milliseconds(20 * 60_000),
                cycles: Count(100),
                goalMinutes: nil,
                goalBonusXP: nil,
                timeZone: nil
            )
        }
        var ledger = Ledger()
        // The second is of the next day, and counts for what the first leaves of it.
        let first = SyncBatch.of("laptop", in: .utc, [record("one", start.advanced(by: -11 * 60_000))])
        let second = SyncBatch.of("desktop", in: .utc, [record("two", start)])
        for batch in [first, second] { ledger = Self.merge(batch, into: ledger, on: 11).ledger }
        let day = try #require(ledger.days[Self.day(11)])
        #expect(day.xp < 100)
        ledger.forget(before: Self.day(11))
        #expect(ledger.sessions.count == 1)
        #expect(ledger.recounted().days == ledger.days)
        let third = SyncBatch.of("tablet", in: .utc, [record("three", start)])
        let merge = Self.merge(third, into: ledger, on: 11)
        #expect(merge.outcomes.map(\.reason) == ["tooOld"])
        #expect(merge.ledger.days == ledger.days)
    }
}

extension Ledger {
    /// As the job does it in the database.
    mutating func forget(before day: LocalDay) {
        for session in sessions.values where session.localDay < day {
            (sessions[session.key], judgements[session.key]) = (nil, nil)
        }
        detailFrom = max(detailFrom ?? day, day)
    }
}
