import Domain

extension Instant {
    /// A time of day in UTC, `day` days after Monday, 2 March 2026.
    static func on(day: Int, _ hour: Int, _ minute: Int = 0, _ second: Int = 0) -> Instant {
        let days = Int(LocalDay(year: 2026, month: 3, day: 2).daysSince1970) + day
        return Instant(milliseconds: Int64(((days * 24 + hour) * 60 + minute) * 60 + second) * 1000)
    }

    static func + (instant: Instant, milliseconds: Int) -> Instant {
        Instant(milliseconds: instant.milliseconds + Int64(milliseconds))
    }
}

/// A session as the extension writes it into its history.
struct Sitting: Encodable, Hashable {
    var id: String
    var startedAt: Instant
    var endedAt: Instant
    var activeMs: Int
    var cycles: Int
    var goalMinutes: Int?
    var goalBonusXP: Int?

    /// Practice without a break, in one go.
    init(
        at start: Instant,
        minutes: Int = 10,
        cycles: Int = 40,
        goalMinutes: Int? = nil,
        goalBonusXP: Int? = nil
    ) {
        self.id = "sess-\(start.milliseconds)"
        self.startedAt = start
        self.endedAt = start + minutes * 60_000
        self.activeMs = minutes * 60_000
        self.cycles = cycles
        self.goalMinutes = goalMinutes
        self.goalBonusXP = goalBonusXP
    }

    var xp: Int { cycles + (goalBonusXP ?? 0) }
}

/// A daily challenge as the extension writes it.
struct DailyTask: Encodable, Hashable {
    var id: String
    var date: String
    var type = "minutes"
    var target = 10
    var rewardXP: Int
    var completed: Bool?
    var expired: Bool?

    init(_ id: String, on day: LocalDay, rewardXP: Int, completed: Bool? = nil, expired: Bool? = nil) {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let (year, month, dayOfMonth) = day.civil
        self.id = id
        self.date = "Day \(months[month - 1]) \(dayOfMonth) \(year)"
        self.rewardXP = rewardXP
        self.completed = completed
        self.expired = expired
    }
}
