/// A run of consecutive local days with practice on each.
package struct Streak: Hashable, Sendable {
    package let length: Int
    package let lastDay: LocalDay

    /// A streak is alive until the end of the day after its last.
    package func isAlive(on day: LocalDay) -> Bool {
        lastDay >= day.advanced(by: -1)
    }
}

/// Every run in a set of practised days.
package struct Streaks: Hashable, Sendable {
    private let runs: [Streak]

    package init(days: some Sequence<LocalDay>) {
        var runs: [Streak] = []
        for day in Set(days).sorted() {
            if let run = runs.last, run.lastDay.advanced(by: 1) == day {
                runs[runs.count - 1] = Streak(length: run.length + 1, lastDay: day)
            } else {
                runs.append(Streak(length: 1, lastDay: day))
            }
        }
        self.runs = runs
    }

    package var longest: Int {
        runs.map(\.length).max() ?? 0
    }

    package var newest: Streak? {
        runs.last
    }

    /// The streak that someone has on `day`, or 0 when the last one is over.
    /// Days after `day` don't count: they hadn't happened yet.
    package func current(on day: LocalDay) -> Int {
        for run in runs.reversed() {
            let firstDay = run.lastDay.advanced(by: 1 - run.length)
            if firstDay > day { continue }
            let seen = min(run.lastDay, day)
            let length = Int(seen.daysSince1970 - firstDay.daysSince1970) + 1
            return Streak(length: length, lastDay: seen).isAlive(on: day) ? length : 0
        }
        return 0
    }
}
