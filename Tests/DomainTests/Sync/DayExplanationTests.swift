import Foundation
import Testing

@testable import Domain

struct `A day is explained` {
    private let kolkata: Zone
    private let days: [PracticeDay]
    private let streaks: Streaks

    private func day(_ number: Int) -> LocalDay {
        LocalDay(year: 2026, month: 6, day: number)
    }

    /// Practice on 5 June, from 9 to 12 with a pause on 11, on 16, which travel
    /// joins to 12, and on 22, after too many days without.
    init() throws {
        kolkata = try #require(Zone("Asia/Kolkata"))
        let zone = kolkata
        var days = [5, 9, 10, 12, 16, 22].map { number in
            Practice(
                endedAt: zone.instant(on: LocalDay(year: 2026, month: 6, day: number), 20, 0),
                zone: zone
            )
        }.days()
        days[4].followsTravel = true
        self.days = days
        streaks = Streaks(days, pausesFrom: LocalDay(year: 2026, month: 1, day: 1))
    }

    private func explanation(
        of number: Int,
        today: Int = 23,
        streakToday: Int? = nil
    ) -> DayExplanation {
        DayExplanation(
            of: day(number),
            today: day(today),
            streakToday: streakToday.map { day($0) },
            in: streaks,
            days: days
        )
    }

    @Test(
        arguments: [
            (4, "beforeFirst", 0, nil), (5, "practised", 1, 5), (6, "rest", 0, nil), (8, "rest", 0, nil),
            (9, "practised", 1, 9), (10, "practised", 2, 9), (11, "paused", 2, 9), (12, "practised", 3, 9),
            (13, "travelled", 3, 9), (15, "travelled", 3, 9), (16, "practised", 4, 9), (17, "rest", 0, nil),
            (21, "rest", 0, nil), (22, "practised", 1, 22), (23, "open", 1, 22), (24, "notYet", 1, 22),
        ] as [(Int, String, Int, Int?)]
    )
    func `by what it did for the streak`(_ number: Int, _ reason: String, _ streak: Int, _ startedOn: Int?) {
        let explanation = explanation(of: number)
        #expect(explanation.reason.rawValue == reason)
        #expect(explanation.counts == (reason == "practised"))
        #expect(explanation.streak == streak)
        #expect(explanation.streakStartedOn == startedOn.map { day($0) })
    }

    /// On the evening of the 18th only one pause was left, on the 19th none.
    @Test func `by what is known today`() {
        #expect(explanation(of: 17, today: 17).reason == .open)
        #expect(explanation(of: 17, today: 18).reason == .paused)
        #expect(explanation(of: 17, today: 18).streak == 4)
        #expect(explanation(of: 18, today: 18).streak == 4)
        #expect(explanation(of: 17, today: 19).reason == .rest)
        #expect(explanation(of: 18, today: 19).reason == .rest)
        #expect(explanation(of: 19, today: 19).streak == 0)
        #expect(explanation(of: 19, today: 19).streakStartedOn == nil)
        #expect(explanation(of: 22, today: 21).reason == .notYet)
        #expect(explanation(of: 22, today: 21).sessions == 0)
    }

    @Test func `by its streak's own today, after a journey`() {
        // East: for the streak it is the 17th, while the calendar shows the 19th.
        #expect(explanation(of: 17, today: 19, streakToday: 17).reason == .travelled)
        #expect(explanation(of: 18, today: 19, streakToday: 17).streak == 4)
        #expect(explanation(of: 19, today: 19, streakToday: 17).reason == .open)
        #expect(explanation(of: 19, today: 19, streakToday: 17).streak == 4)
        // West: the calendar shows the day before the one that was practised.
        #expect(explanation(of: 21, today: 21, streakToday: 22).reason == .open)
        #expect(explanation(of: 22, today: 21, streakToday: 22).reason == .practised)
        #expect(explanation(of: 23, today: 21, streakToday: 22).reason == .notYet)
    }

    @Test func `to someone who never practised`() {
        let none = Streaks(days: [LocalDay]())
        let reasons = [1, 2, 3].map {
            DayExplanation(of: day($0), today: day(2), in: none, days: []).reason
        }
        #expect(reasons == [.beforeFirst, .open, .notYet])
    }

    @Test func `with its sessions, minutes and zones`() throws {
        let auckland = try #require(Zone("Pacific/Auckland"))
        let start = try #require(DayStart(hour: 4))
        let days = [
            Practice(endedAt: kolkata.instant(on: day(10), 9, 0), zone: kolkata),
            Practice(endedAt: auckland.instant(on: day(11), 2, 30), zone: auckland),
        ].days(startingAt: start)
        let explanation = DayExplanation(
            of: day(10),
            today: day(11),
            in: Streaks(days),
            days: days,
            dayStartsAt: start
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let json = String(decoding: try encoder.encode(explanation), as: UTF8.self)
        #expect(
            json == """
                {"counts":true,"date":"2026-06-10","dayStartsAt":4,"minutes":20,"reason":"practised",\
                "sessions":2,"streak":1,"streakStartedOn":"2026-06-10",\
                "zones":["Asia/Kolkata","Pacific/Auckland"]}
                """
        )
    }
}
