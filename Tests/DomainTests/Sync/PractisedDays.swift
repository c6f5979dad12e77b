@testable import Domain

extension Zone {
    /// When the clock on the wall showed a time, the first time it did; where it
    /// passed the time over, as much later as it was put forward.
    func instant(on day: LocalDay, _ hour: Int, _ minute: Int) -> Instant {
        let asUTC = Instant(
            milliseconds: (Int64(day.daysSince1970) * 1440 + Int64(hour * 60 + minute)) * 60_000
        )
        let offsets = [-1, 1].map { secondsFromUTC(at: asUTC + .seconds($0 * 86_400)) }
        let instants = offsets.map { asUTC + .seconds(-$0) }
        let shown = zip(instants, offsets).first { secondsFromUTC(at: $0) == $1 }
        return shown?.0 ?? instants[0]
    }
}

/// Where and when someone practised.
struct Practice {
    let endedAt: Instant
    let zone: Zone
}

extension Sequence<Practice> {
    /// The days that these add up to, linked as a ledger would.
    func days(startingAt start: DayStart = .midnight) -> [PracticeDay] {
        let byDay = Dictionary(grouping: self) { LocalDay(of: $0.endedAt, in: $0.zone, startingAt: start) }
        return byDay.sorted { $0.key < $1.key }.reduce(into: []) { days, practised in
            let inOrder = practised.value.sorted { $0.endedAt < $1.endedAt }
            var day = PracticeDay(
                day: practised.key,
                xp: 40 * inOrder.count,
                activeMilliseconds: Int64(600_000 * inOrder.count),
                sessions: inOrder.count,
                overlapXP: 0,
                firstEndedAt: inOrder[0].endedAt,
                lastEndedAt: inOrder[inOrder.count - 1].endedAt,
                firstZone: inOrder[0].zone,
                lastZone: inOrder[inOrder.count - 1].zone,
                followsTravel: false
            )
            if let last = days.last, last.day.advanced(by: 1) < day.day {
                day.followsTravel = day.continues(last, startingAt: start)
            }
            days.append(day)
        }
    }
}

extension Streaks {
    /// Without pauses and travel.
    init(days: some Sequence<LocalDay>) {
        self.init(days: days.lazy.map { StreakDay($0) }, pausesFrom: nil)
    }

    init(_ days: [PracticeDay], pausesFrom: LocalDay? = nil) {
        self.init(days: days.map(\.streakDay), pausesFrom: pausesFrom)
    }
}
