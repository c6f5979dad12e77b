import Foundation
import Testing

@testable import Domain

struct `A day of practice` {
    /// The days on which clocks are changed, and how long they are.
    static let unusualDays: [(zone: String, year: Int, month: Int, day: Int, hours: Double)] = [
        ("Pacific/Auckland", 2025, 9, 28, 23), ("Pacific/Auckland", 2026, 4, 5, 25),
        ("Australia/Lord_Howe", 2025, 10, 5, 23.5), ("Australia/Lord_Howe", 2026, 4, 5, 24.5),
        ("Asia/Kolkata", 2026, 3, 8, 24),
        ("America/Los_Angeles", 2026, 3, 8, 23), ("America/Los_Angeles", 2026, 11, 1, 25),
        ("Pacific/Apia", 2020, 9, 27, 23), ("Pacific/Apia", 2021, 4, 4, 25),
        // The day before the one that Apia never had.
        ("Pacific/Apia", 2011, 12, 29, 24),
    ]
    static let timesOfDay = [(23, 30), (0, 10), (2, 30)]

    @Test(arguments: unusualDays, timesOfDay)
    func `continues the one before it, however long, and a missed one between ends the run`(
        _ unusual: (zone: String, year: Int, month: Int, day: Int, hours: Double),
        _ time: (hour: Int, minute: Int)
    ) throws {
        let zone = try #require(Zone(unusual.zone))
        let day = LocalDay(year: unusual.year, month: unusual.month, day: unusual.day)
        let length = zone.instant(on: day.advanced(by: 1), 0, 0) - zone.instant(on: day, 0, 0)
        #expect(length == .seconds(unusual.hours * 3600))

        let practice = (-3...3).map {
            Practice(endedAt: zone.instant(on: day.advanced(by: $0), time.hour, time.minute), zone: zone)
        }
        for hour in [0, 4] {
            let start = try #require(DayStart(hour: hour))
            let days = practice.days(startingAt: start)
            let isShort = unusual.year == 2011
            #expect(days.count == (isShort ? 6 : 7))
            #expect(Streaks(days).newest?.length == days.count)
            #expect(days.contains(where: \.followsTravel) == isShort)

            for missed in 1..<(days.count - 1) {
                let others = practice.filter {
                    LocalDay(of: $0.endedAt, in: zone, startingAt: start) != days[missed].day
                }
                #expect(Streaks(others.days(startingAt: start)).newest?.length == days.count - missed - 1)
            }
        }
    }

    /// From a time of 10 June to one of a later day elsewhere.
    @Test(arguments: [
        // East, from the evening and from the morning; 50 hours apart is too long.
        ("America/Los_Angeles", 20, "Pacific/Auckland", 2, 8, true),
        ("America/Los_Angeles", 20, "Pacific/Auckland", 2, 23, true),
        ("America/Los_Angeles", 8, "Pacific/Auckland", 2, 23, true),
        ("America/Los_Angeles", 0, "Pacific/Auckland", 2, 23, false),
        ("America/Los_Angeles", 20, "Pacific/Auckland", 3, 8, false),
        ("Asia/Kolkata", 10, "Pacific/Auckland", 2, 5, true),
        ("Asia/Kolkata", 10, "Pacific/Auckland", 2, 20, false),
        ("Europe/London", 10, "Europe/Berlin", 2, 10, false),
        // Across the date line the clock leaves a day out, or nearly two.
        ("Pacific/Pago_Pago", 23, "Pacific/Kiritimati", 2, 1, true),
        ("Pacific/Pago_Pago", 0, "Pacific/Kiritimati", 2, 23, true),
        ("Pacific/Pago_Pago", 12, "Pacific/Kiritimati", 3, 0, true),
        ("Pacific/Pago_Pago", 12, "Pacific/Kiritimati", 3, 1, false),
        ("Pacific/Pago_Pago", 12, "Pacific/Kiritimati", 4, 0, false),
        ("Pacific/Pago_Pago", 23, "Pacific/Apia", 2, 1, true),
        ("Pacific/Honolulu", 22, "Pacific/Apia", 2, 9, true),
        // West, days come twice, and one that is missed was there to be lived.
        ("Pacific/Auckland", 23, "America/Los_Angeles", 1, 23, true),
        ("Pacific/Auckland", 23, "America/Los_Angeles", 2, 0, false),
        ("Pacific/Kiritimati", 1, "Pacific/Pago_Pago", 1, 23, true),
        ("Pacific/Kiritimati", 23, "Pacific/Pago_Pago", 2, 0, false),
        // Without travel.
        ("Asia/Kolkata", 23, "Asia/Kolkata", 2, 0, false),
        ("Asia/Kolkata", 0, "Asia/Kolkata", 1, 23, true),
        ("Asia/Kolkata", 0, "Asia/Kolkata", 0, 23, false),
    ])
    func `continues the one before it across what travel left out`(
        _ from: String,
        _ hour: Int,
        _ to: String,
        _ days: Int,
        _ laterHour: Int,
        _ continues: Bool
    ) throws {
        let (from, to) = (try #require(Zone(from)), try #require(Zone(to)))
        let day = LocalDay(year: 2026, month: 6, day: 10)
        let earlier = [Practice(endedAt: from.instant(on: day, hour, 0), zone: from)].days()[0]
        let arrival = to.instant(on: day.advanced(by: days), laterHour, 0)
        let later = [Practice(endedAt: arrival, zone: to)].days()[0]
        #expect(later.continues(earlier) == continues)
        // And before practising there, one sees the same streak.
        let today = earlier.today(at: arrival, in: to)
        #expect((Streaks([earlier]).current(on: today) == 1) == (continues || days == 0))
    }

    @Test func `is never in the past of who flew west`() throws {
        let (auckland, losAngeles) = (
            try #require(Zone("Pacific/Auckland")), try #require(Zone("America/Los_Angeles"))
        )
        let day = LocalDay(year: 2026, month: 6, day: 10)
        let last = [Practice(endedAt: auckland.instant(on: day, 9, 0), zone: auckland)].days()[0]
        #expect(LocalDay(of: last.lastEndedAt, in: losAngeles) == day.advanced(by: -1))
        #expect(last.today(at: last.lastEndedAt, in: losAngeles) == day)
        #expect(last.today(at: losAngeles.instant(on: day, 9, 0), in: losAngeles) == day)
        #expect(
            last.today(at: losAngeles.instant(on: day.advanced(by: 1), 9, 0), in: losAngeles)
                == day.advanced(by: 1)
        )
    }

    @Test func `that someone flew west from counts there, although it hasn't begun there yet`() throws {
        let (auckland, losAngeles) = (
            try #require(Zone("Pacific/Auckland")), try #require(Zone("America/Los_Angeles"))
        )
        let day = LocalDay(year: 2026, month: 6, day: 10)
        let practice = (-1...0).map {
            Practice(endedAt: auckland.instant(on: day.advanced(by: $0), 9, 0), zone: auckland)
        }
        let ledger = Ledger(days: practice.days())
        let landed = auckland.instant(on: day, 10, 0)
        #expect(LocalDay(of: landed, in: losAngeles) == day.advanced(by: -1))
        let today = ledger.streakToday(at: landed, in: losAngeles, startingAt: .midnight)
        #expect(today == day)
        #expect(ledger.streaks.current(on: today) == 2)
    }

    @Test func `follows the night before also where days begin at another hour from now on`() throws {
        let (four, zone) = (try #require(DayStart(hour: 4)), Zone.utc)
        let day = LocalDay(year: 2026, month: 6, day: 1)
        func night(_ number: Int) -> Practice {
            Practice(endedAt: zone.instant(on: day.advanced(by: number), 1, 0), zone: zone)
        }
        // Nights of which each is named after the evening before, and then one that isn't.
        let before = try #require((0..<3).map(night).days(startingAt: four).last)
        let after = try #require([night(3)].days().last)
        #expect(after.day == before.day.advanced(by: 2))
        #expect(after.continues(before, startingAt: .midnight))
        #expect(
            before.today(at: night(3).endedAt, in: zone, startingAt: .midnight) == before.day.advanced(by: 1)
        )
        // A night that was missed is missed.
        let missed = try #require([night(4)].days().last)
        #expect(!missed.continues(before, startingAt: .midnight))
        #expect(before.today(at: night(4).endedAt, in: zone, startingAt: .midnight) == missed.day)
    }

    @Test func `begins for a night owl when they say so, also on a journey`() throws {
        let (pagoPago, kiritimati) = (
            try #require(Zone("Pacific/Pago_Pago")), try #require(Zone("Pacific/Kiritimati"))
        )
        let start = try #require(DayStart(hour: 4))
        let day = LocalDay(year: 2026, month: 6, day: 10)
        func days(_ hour: Int, _ laterHour: Int, _ start: DayStart) -> [PracticeDay] {
            [
                Practice(endedAt: pagoPago.instant(on: day, hour, 0), zone: pagoPago),
                Practice(
                    endedAt: kiritimati.instant(on: day.advanced(by: 3), laterHour, 0),
                    zone: kiritimati
                ),
            ].days(startingAt: start)
        }
        // In Pago Pago it is an hour less, and the day before the day before.
        #expect(days(12, 0, .midnight)[1].followsTravel)
        #expect(!days(12, 2, .midnight)[1].followsTravel)
        #expect(days(12, 2, start)[1].followsTravel)
        #expect(days(12, 4, start)[1].followsTravel)
        #expect(!days(12, 6, start)[1].followsTravel)
    }

    @Test func `of a night owl on a journey follows it also once a session was pardoned`() throws {
        let (pagoPago, kiritimati) = (
            try #require(Zone("Pacific/Pago_Pago")), try #require(Zone("Pacific/Kiritimati"))
        )
        let start = try #require(DayStart(hour: 4))
        let day = LocalDay(year: 2026, month: 6, day: 10)
        let arrival = kiritimati.instant(on: day.advanced(by: 3), 3, 50)
        var ledger = Ledger(eligibleAt: pagoPago.instant(on: day, 0, 0))
        // The last two overlap, so one of them is in quarantine.
        for (began, zone) in [
            (pagoPago.instant(on: day, 11, 45), pagoPago), (arrival, kiritimati),
            (arrival + 60_000, kiritimati),
        ] {
            let data = try JSONEncoder().encode(Sitting(at: began, minutes: 15))
            let record = try JSONDecoder().decode(ExtensionExport.SessionRecord.self, from: data)
            let batch = SyncBatch(
                batchID: UUID(),
                device: DeviceDescription(id: Label("laptop"), name: Label("laptop"), timeZone: zone),
                epoch: 1,
                baseVersion: 0,
                since: nil,
                sessions: Items(all: [.valid(record)]),
                challengeClaims: Items(all: []),
                state: [:]
            )
            let now = began + 3_600_000
            ledger =
                Merge(batch, into: ledger, base: .nothing, syncVersion: 1, dayStart: start, now: now).ledger
        }
        let last = try #require(ledger.days.values.max { $0.day < $1.day })
        #expect(last.followsTravel)
        let quarantined = try #require(ledger.judgements.first { $0.value.verdict != .sound }?.key)
        let pardon = try #require(
            Merge(pardoning: quarantined, in: ledger, dayStart: start, now: arrival + 7_200_000)
        )
        #expect(pardon.ledger.days[last.day]?.followsTravel == true)
        #expect(pardon.ledger.days.count == ledger.days.count)
    }

    @Test(arguments: [0, 4])
    func `on every day that the clock shows keeps a streak, wherever someone travels`(_ hour: Int) throws {
        let start = try #require(DayStart(hour: hour))
        let zones = try Journey.zones.map { try #require(Zone($0)) }
        var daysLeftOut = 0
        for seed in 1...120 as ClosedRange<UInt64> {
            var journey = Journey(seed: seed, zones: zones, start: start)
            for stay in 1...12 {
                let (practice, arrival) = journey.go()
                let days = practice.days(startingAt: start)
                // On arrival, before practising there, the streak is still alive.
                let today = days[days.count - 1].today(
                    at: arrival.endedAt,
                    in: arrival.zone,
                    startingAt: start
                )
                guard Streaks(days).newest?.length == days.count,
                    Streaks(days).current(on: today) == days.count
                else {
                    let places = days.map { "\($0.day) \($0.firstZone.identifier) \($0.firstEndedAt)" }
                    Issue.record("seed \(seed), stay \(stay), arriving on \(today): \(places)")
                    return
                }
                if stay == 12 { daysLeftOut += days.count(where: \.followsTravel) }
            }
        }
        #expect(daysLeftOut > 100)
    }
}

/// Someone who looks at the clock each quarter of an hour, and practises whenever
/// it has come to show another day or another place.
private struct Journey {
    static let zones = [
        "Pacific/Apia", "Pacific/Pago_Pago", "Pacific/Kiritimati", "Pacific/Auckland", "Pacific/Chatham",
        "Australia/Lord_Howe", "Asia/Kolkata", "America/Los_Angeles", "Pacific/Honolulu", "Europe/London",
    ]
    private var generator: SplitMix64
    private let zones: [Zone]
    private let start: DayStart
    private var zone: Zone
    private var now: Instant
    private var practice: [Practice] = []

    /// Every fifth passes through Apia when Apia crossed the date line.
    init(seed: UInt64, zones: [Zone], start: DayStart) {
        generator = SplitMix64(seed: seed)
        let year = Int.random(in: 2008...2027, using: &generator)
        let departure = LocalDay(year: year, month: generator.chance(50) ? 3 : 9, day: 20)
        let first = seed.isMultiple(of: 5) ? LocalDay(year: 2011, month: 12, day: 28) : departure
        now = Zone.utc.instant(on: first, Int.random(in: 0..<24, using: &generator), 0)
        zone = zones[0]
        self.zones = zones
        self.start = start
    }

    /// One stay; all practice up to its end, and where the next one begins.
    mutating func go() -> (practice: [Practice], arrival: Practice) {
        let hours = generator.chance(50) ? 24 : 96
        var departure = now + .seconds(900 * Int.random(in: 1...(4 * hours), using: &generator))
        let isLate = zone == zones[1] && generator.chance(80)
        if isLate {
            // Late in the day from Pago Pago, where in Kiritimati it is soon the
            // day after the next.
            let midnight = zone.instant(on: day(at: departure).advanced(by: 1), start.hour, 0)
            departure = midnight + .seconds(-900 * Int.random(in: 1...3, using: &generator))
        }
        var shown: [Instant] = []
        while now < departure {
            if let last = shown.last, day(at: last) != day(at: now) {
                practise(during: shown)
                shown = []
            }
            shown.append(now)
            now = now + .seconds(900)
        }
        practise(during: shown)
        let destinations = isLate ? zones[2...2] : generator.chance(30) ? zones[1...1] : zones[...]
        zone = destinations.randomElement(using: &generator) ?? zone
        return (practice, Practice(endedAt: now, zone: zone))
    }

    private func day(at instant: Instant) -> LocalDay {
        LocalDay(of: instant, in: zone, startingAt: start)
    }

    /// At any moment of the quarters in which the clock showed the day.
    private mutating func practise(during shown: [Instant]) {
        guard let quarter = shown.randomElement(using: &generator) else { return }
        let moment = quarter + .seconds(Int.random(in: 0..<900, using: &generator))
        practice.append(Practice(endedAt: moment, zone: zone))
    }
}
