import Testing

@testable import Domain

/// January 2026 has the days 1 to 31, February 32 to 59, March 60 to 90.
private func day(_ number: Int) -> LocalDay {
    LocalDay(year: 2026, month: 1, day: 1).advanced(by: number - 1)
}

private func streaks(_ days: [Int], pausesFrom: Int? = 1, travelBefore: Set<Int> = []) -> Streaks {
    Streaks(
        days: days.map { StreakDay(day($0), followsTravel: travelBefore.contains($0)) },
        pausesFrom: pausesFrom.map { day($0) }
    )
}

struct `A streak with pauses` {
    @Test(arguments: [
        // One day, two apart, two together.
        ([1, 2, 4, 5], [3], 1, 4), ([1, 3, 5], [2, 4], 1, 3), ([1, 2, 5, 6], [3, 4], 1, 4),
        // A third day of a month, together with the others or after them.
        ([1, 2, 3, 7, 8], [], 7, 2), ([1, 3, 5, 7, 8], [2, 4], 7, 2),
        // Half of a gap isn't covered, and what isn't spent on it is spent later.
        ([1, 3, 6, 7], [2], 6, 2), ([1, 3, 6, 8], [2, 7], 6, 2), ([1, 5, 7, 9], [6, 8], 5, 3),
        ([1, 2, 20, 22], [21], 20, 2),
        // Each month has its own, also within a gap.
        ([28, 29, 34, 35], [30, 31, 32, 33], 28, 4), ([29, 34, 36], [30, 31, 32, 33], 36, 1),
        ([28, 29, 35], [], 35, 1), ([28, 33], [], 33, 1), ([27, 29, 33], [28], 33, 1),
        ([27, 29, 32, 34, 36], [28, 33, 35], 32, 3), ([30, 32, 34, 36], [31, 33, 35], 30, 4),
    ])
    func `goes on over two missed days of a month, which add nothing to it`(
        _ days: [Int],
        _ paused: [Int],
        _ firstDay: Int,
        _ length: Int
    ) {
        #expect(streaks(days).pausedDays == paused.map { day($0) })
        #expect(streaks(days).newest?.firstDay == day(firstDay))
        #expect(streaks(days).newest?.length == length)
        #expect(streaks(days).newest?.lastDay == days.last.map { day($0) })
    }

    @Test(arguments: [(nil, [], 1), (6, [], 1), (5, [5], 2), (4, [5], 2), (3, [3, 5], 4), (1, [3, 5], 4)])
    func `is not paused before pauses began`(_ pausesFrom: Int?, _ paused: [Int], _ length: Int) {
        let streaks = streaks([1, 2, 4, 6], pausesFrom: pausesFrom)
        #expect(streaks.pausedDays == paused.map { day($0) })
        #expect(streaks.newest?.length == length)
    }

    @Test func `isn't paused in the half of a gap before pauses began`() {
        #expect(streaks([1, 4], pausesFrom: 3).newest?.length == 1)
        #expect(streaks([1, 4], pausesFrom: 3).longest == 1)
        #expect(streaks([1, 4], pausesFrom: 2).longest == 2)
    }

    @Test func `spends none on the days that travel left out`() {
        let streaks = streaks([1, 4, 6, 8], travelBefore: [4])
        #expect(streaks.newest?.length == 4)
        #expect(streaks.pausedDays == [day(5), day(7)])
        #expect(streaks.longest == 4)
    }

    /// Practice on 25, 26 and 28 January, and nothing more: 27 is paused.
    @Test(arguments: [
        (24, 0, [], 2), (25, 1, [], 2), (26, 2, [], 2), (27, 2, [], 2), (28, 3, [27], 1), (29, 3, [27], 1),
        (30, 3, [27, 29], 0), (31, 0, [], 1), (32, 0, [], 2),
    ])
    func `lives on for as many days as there are pauses left`(
        _ today: Int,
        _ length: Int,
        _ spent: [Int],
        _ left: Int
    ) {
        let streaks = streaks([25, 26, 28])
        #expect(streaks.current(on: day(today)) == length)
        #expect(streaks.pausesSpent(on: day(today)) == spent.map { day($0) })
        #expect(streaks.pausesLeft(on: day(today)) == left)
    }

    @Test func `lives on for four days across the end of a month`() {
        let streaks = streaks([28, 29])
        #expect(streaks.newest?.aliveThrough == day(34))
        #expect(streaks.pausesSpent(on: day(34)) == [30, 31, 32, 33].map { day($0) })
        #expect(streaks.pausesLeft(on: day(31)) == 1)
        #expect(streaks.pausesLeft(on: day(32)) == 2)
        #expect(streaks.pausesLeft(on: day(34)) == 0)
        #expect(streaks.current(on: day(34)) == 2)
        #expect(streaks.current(on: day(35)) == 0)
        #expect(streaks.pausesLeft(on: day(35)) == 2)
    }

    @Test func `leaves no pauses where there are none yet`() {
        #expect(streaks([1], pausesFrom: nil).pausesLeft(on: day(1)) == 0)
        #expect(streaks([1], pausesFrom: 3).pausesLeft(on: day(2)) == 0)
        #expect(streaks([1], pausesFrom: 3).pausesLeft(on: day(3)) == 2)
        #expect(streaks([1], pausesFrom: 3).current(on: day(3)) == 0)
        #expect(streaks([]).pausesLeft(on: day(3)) == 2)
    }

    /// A pause that holds an older run together is spent, although that run ended.
    @Test func `has what older ones have left over`() {
        let streaks = streaks([1, 3, 10, 12])
        #expect(streaks.pausedDays == [day(2), day(11)])
        #expect(streaks.pausesSpent(on: day(12)) == [day(11)])
        #expect(streaks.pausesLeft(on: day(12)) == 0)
        #expect(streaks.pausesLeft(on: day(10)) == 1)
    }

    /// Day 4 came late. Since then 2 and 3 are paused, 11 can't be.
    @Test func `may end by a late session, but the longest never falls`() {
        let run = Array(5...10) + Array(12...30)
        #expect(streaks([1] + run).newest?.length == 25)
        #expect(streaks([1] + run).longest == 25)
        #expect(streaks([1, 4] + run).newest?.length == 19)
        #expect(streaks([1, 4] + run).longest == 26)
    }
}

struct `Streaks of any calendar` {
    @Test func `are those that a walk from day to day finds`() {
        for seed in 1...2000 as ClosedRange<UInt64> {
            var generator = SplitMix64(seed: seed)
            let calendar = Calendar(using: &generator)
            let streaks = calendar.streaks
            guard streaks.longest == calendar.longest else {
                Issue.record("seed \(seed): longest \(streaks.longest), not \(calendar.longest): \(calendar)")
                return
            }
            for _ in 1...4 {
                let today = Int.random(in: 1...90, using: &generator)
                let walk = calendar.walk(to: today)
                let alive = walk.waiting.isEmpty || walk.canPause(walk.waiting)
                let length = alive ? walk.length : 0
                let spent = length > 0 ? walk.runPauses + walk.waiting : []
                let inMonth = Set(walk.paused + spent).count { Walk.month($0) == Walk.month(today) }
                let left = calendar.pausesFrom.map { $0 <= today ? 2 - inMonth : 0 } ?? 0
                guard streaks.current(on: day(today)) == length,
                    streaks.pausesSpent(on: day(today)) == spent.map({ day($0) }),
                    streaks.pausesLeft(on: day(today)) == left
                else {
                    Issue.record(
                        "seed \(seed) on \(today): \(length) with \(spent), \(left) left: \(calendar) \(streaks)"
                    )
                    return
                }
            }
            #expect(streaks.pausedDays == calendar.walk(to: 91).paused.map { day($0) })
        }
    }

    @Test func `are the same in whatever order their days come`() {
        for seed in 1...200 as ClosedRange<UInt64> {
            var generator = SplitMix64(seed: seed)
            let calendar = Calendar(using: &generator)
            var days = calendar.days + calendar.days.map { StreakDay($0.day) }.prefix(5)
            days.shuffle(using: &generator)
            let pausesFrom = calendar.pausesFrom.map { day($0) }
            #expect(Streaks(days: days, pausesFrom: pausesFrom) == calendar.streaks, "seed \(seed)")
        }
    }

    @Test func `are never shorter at their longest for one more day of practice`() {
        for seed in 1...400 as ClosedRange<UInt64> {
            var generator = SplitMix64(seed: seed)
            var calendar = Calendar(using: &generator)
            var longest = calendar.streaks.longest
            for number in (1...90).shuffled(using: &generator).prefix(8) {
                // What travel left out before a later day, it also left out before this.
                let next = calendar.practised.keys.filter { $0 >= number }.min()
                let isOnJourney = next.flatMap { calendar.practised[$0] } ?? false
                calendar.practised[number] = calendar.practised[number] ?? isOnJourney
                let now = calendar.streaks.longest
                guard now >= longest else {
                    Issue.record("seed \(seed): from \(longest) to \(now) by day \(number)")
                    return
                }
                longest = now
            }
        }
    }

    @Test func `have been as long as the longest, unless pauses can be spent otherwise`() {
        for seed in 1...200 as ClosedRange<UInt64> {
            var generator = SplitMix64(seed: seed)
            var calendar = Calendar(using: &generator)
            func record() -> Int { (1...90).map { calendar.streaks.current(on: day($0)) }.max() ?? 0 }
            #expect(calendar.streaks.longest >= record(), "seed \(seed)")
            calendar.pausesFrom = nil
            #expect(calendar.streaks.longest == record(), "seed \(seed)")
        }
    }
}

/// Six weeks of practice around the end of a month, with days left out by travel.
private struct Calendar {
    /// Whether a day follows travel, for those with practice.
    var practised: [Int: Bool] = [:]
    var pausesFrom: Int?

    init(using generator: inout SplitMix64) {
        let (first, diligence) = (
            Int.random(in: 1...45, using: &generator), Int.random(in: 40...95, using: &generator)
        )
        for number in first..<(first + 42) where generator.chance(diligence) {
            practised[number] = generator.chance(5)
        }
        pausesFrom = generator.chance(15) ? nil : max(1, Int.random(in: -20...60, using: &generator))
    }

    var days: [StreakDay] {
        practised.map { StreakDay(day($0.key), followsTravel: $0.value) }
    }

    var streaks: Streaks {
        Streaks(days: days, pausesFrom: pausesFrom.map { day($0) })
    }

    /// As long as a run gets, if one could begin to count on any day.
    var longest: Int {
        practised.keys.map { walk(from: $0, to: 90).record }.max() ?? 0
    }

    func walk(from first: Int = 1, to today: Int) -> Walk {
        var walk = Walk(pausesFrom: pausesFrom)
        for number in first...max(first, today) {
            walk.live(number, followsTravel: practised[number], isToday: number == today)
        }
        return walk
    }
}

/// The rules as someone would keep them on paper.
private struct Walk {
    let pausesFrom: Int?
    var length = 0
    var record = 0
    /// All days that were paused, and those of the run.
    var paused: [Int] = []
    var runPauses: [Int] = []
    /// Missed since the last practice.
    var waiting: [Int] = []

    static func month(_ number: Int) -> Int {
        number <= 31 ? 1 : number <= 59 ? 2 : number <= 90 ? 3 : 4
    }

    mutating func live(_ number: Int, followsTravel: Bool?, isToday: Bool) {
        guard let followsTravel else {
            if length > 0, !isToday { waiting.append(number) }
            return
        }
        if !followsTravel {
            if canPause(waiting) {
                paused += waiting
                runPauses += waiting
            } else {
                (length, runPauses) = (0, [])
            }
        }
        waiting = []
        length += 1
        record = max(record, length)
    }

    func canPause(_ days: [Int]) -> Bool {
        guard !days.isEmpty else { return true }
        guard let pausesFrom, !days.contains(where: { $0 < pausesFrom }) else { return false }
        return (1...4).allSatisfy { month in
            (paused + days).count { Self.month($0) == month } <= 2
        }
    }
}
