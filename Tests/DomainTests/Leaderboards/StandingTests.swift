import Testing

@testable import Domain

struct `Standings` {
    private func session(day: Int, _ hour: Int, minutes: Int = 10, cycles: Int = 40, bonus: Int = 0)
        -> Session
    {
        let start = Instant.on(day: day, hour)
        let end = start + minutes * 60_000
        return Session(
            key: Session.Key(deviceID: "laptop", sessionID: "\(day)-\(hour)", startedAt: start),
            endedAt: end,
            localDay: LocalDay(of: end, in: .utc),
            activeMilliseconds: Int64(minutes) * 60_000,
            cycles: cycles,
            goalMinutes: bonus > 0 ? 40 : nil,
            goalBonusXP: bonus,
            receivedAt: end
        )
    }

    private func standings(_ sessions: [Session]) -> [Standing] {
        Standing.all(of: .of(sessions))
    }

    private let firstWeek = Week(of: LocalDay(year: 2026, month: 3, day: 2))
    private let secondWeek = Week(of: LocalDay(year: 2026, month: 3, day: 9))

    @Test func `someone who never practised stands nowhere`() {
        #expect(standings([]) == [])
    }

    @Test func `there is one for each week with practice, oldest first, and one for all time`() {
        let practice = [session(day: 20, 9), session(day: 0, 9), session(day: 8, 9), session(day: 6, 9)]
        let periods = standings(practice).map(\.period.description)
        #expect(periods == ["2026-W10", "2026-W11", "2026-W12", "all-time"])
    }

    @Test func `a week counts XP, whole minutes, practised days and the longest run inside it`() throws {
        let week = try #require(
            standings([
                session(day: 0, 9), session(day: 0, 12, minutes: 25, cycles: 60, bonus: 13),
                session(day: 2, 9), session(day: 3, 9), session(day: 4, 9), session(day: 6, 9),
            ]).first
        )
        #expect(week.period == .week(firstWeek))
        #expect(week.weekly == Standing.Weekly(xp: 273, streak: 3, minutes: 75, practisedDays: 5))
        #expect(week.allTime == nil)
    }

    @Test func `minutes are summed before they are rounded down`() throws {
        var halves = [session(day: 0, 9), session(day: 0, 11)]
        halves = halves.map { half in
            Session(
                key: half.key,
                endedAt: half.endedAt,
                localDay: half.localDay,
                activeMilliseconds: 90_000,
                cycles: 0,
                goalMinutes: nil,
                goalBonusXP: 0,
                receivedAt: half.receivedAt
            )
        }
        #expect(standings(halves).first?.weekly?.minutes == 3)
    }

    @Test func `everyone starts each Monday alike: a run doesn't reach over from last week`() {
        let practice = (4...9).map { session(day: $0, 9) }
        #expect(standings(practice).map { $0.weekly?.streak } == [3, 3, nil])
    }

    @Test func `travel breaks no run, and a day that was missed at home does`() throws {
        let west = try #require(Zone("America/Los_Angeles"))
        let east = try #require(Zone("Pacific/Auckland"))
        let monday = LocalDay(year: 2026, month: 6, day: 8)
        let sunday = east.instant(on: monday.advanced(by: 6), 8, 0)
        func week(beginningIn zone: Zone) -> Standing? {
            let before = (0...1).map {
                Practice(endedAt: zone.instant(on: monday.advanced(by: $0), 20, 0), zone: zone)
            }
            let after = (3...6).map {
                Practice(endedAt: east.instant(on: monday.advanced(by: $0), 8, 0), zone: east)
            }
            return Standing.all(of: Ledger(days: (before + after).days())).first
        }
        #expect(week(beginningIn: west)?.weekly?.streak == 6)
        #expect(week(beginningIn: west)?.streakAt == sunday)
        #expect(week(beginningIn: east)?.weekly?.streak == 4)
    }

    @Test func `all time counts sessions and nothing weekly`() {
        let all = standings([session(day: 0, 9), session(day: 0, 12), session(day: 30, 9)]).last
        #expect(all?.period == .allTime)
        #expect(all?.allTime?.sessions == 3)
        #expect(all?.weekly == nil)
    }

    @Test func `each value knows when it was reached`() throws {
        // A run of three, broken, then a shorter one; the last day practised twice.
        let week = try #require(
            standings([
                session(day: 0, 9), session(day: 1, 9), session(day: 2, 9), session(day: 2, 18),
                session(day: 4, 9), session(day: 5, 9), session(day: 5, 20),
            ]).first
        )
        #expect(week.lastSessionAt == .on(day: 5, 20, 10))
        #expect(week.lastDayAt == .on(day: 5, 9, 10))
        #expect(week.streakAt == .on(day: 2, 9, 10))
    }

    @Test func `a run as long as the record doesn't take its date`() {
        let week = standings([0, 1, 3, 4].map { session(day: $0, 9) }).first
        #expect(week?.weekly?.streak == 2)
        #expect(week?.streakAt == .on(day: 1, 9, 10))
    }

    @Test func `quarantined sessions, legacy XP and rewards stand nowhere`() {
        let sound = session(day: 0, 9)
        let impossible = session(day: 0, 12, cycles: 100_000)
        var ledger = Ledger.of(
            [sound, impossible],
            by: [
                Device(
                    id: "laptop",
                    name: "laptop",
                    zone: .utc,
                    epoch: 1,
                    lastTakenAt: .on(day: 1, 0),
                    claimedXP: 9000,
                    heldXP: 8960
                )
            ]
        )
        ledger.devices["laptop"]?.rewardXP = 500
        let totals = Totals(of: ledger)
        #expect(totals.totalXP == 9000)
        #expect(Standing.all(of: ledger) == standings([sound]))
    }

    @Test func `a week is the one in which the session ended, where it was practised`() throws {
        let auckland = try #require(Zone("Pacific/Auckland"))
        var practitioner = Practitioner.veteran
        var editor = Editor(in: auckland.identifier)
        // Sunday noon in UTC is Monday, 01:00, in Auckland.
        editor.practise(Sitting(at: .on(day: 6, 11, 55), minutes: 10))
        practitioner.sync(try editor.export(at: .on(day: 6, 13)))
        #expect(Standing.all(of: practitioner.ledger).first?.period == .week(secondWeek))
    }
}
