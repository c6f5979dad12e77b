import Domain
import Foundation

/// What boards have to say, counted anew each time from what people did and agreed to. Nothing is kept
/// added up, nothing is fast, and nothing is taken from the server or its rules.
struct NaiveBoards {
    /// One sitting: ten minutes that count in full.
    struct Sitting {
        let startedAt: Date
        let cycles: Int

        var endedAt: Date { startedAt.addingTimeInterval(600) }
        var xp: Int { cycles + 5 }
        var day: LocalDay { LocalDay(of: Instant(endedAt), in: .utc) }
    }

    /// A week of one person's.
    struct Values {
        let xp, streak, minutes, days: Int
        let lastEndedAt, lastDayAt, streakAt: Date

        /// Nil without practice.
        init?(_ sittings: [Sitting]) {
            let days = Dictionary(grouping: sittings, by: \.day)
            guard let last = days.keys.max(), let lastEndedAt = sittings.map(\.endedAt).max() else {
                return nil
            }
            func beganPractising(on day: LocalDay) -> Date { days[day]?.map(\.endedAt).min() ?? lastEndedAt }
            var (run, longest, reachedOn) = (0, 0, last)
            for day in days.keys.sorted() {
                run = days[day.advanced(by: -1)] == nil ? 1 : run + 1
                if run > longest { (longest, reachedOn) = (run, day) }
            }
            xp = sittings.reduce(0) { $0 + $1.xp }
            streak = longest
            minutes = sittings.count * 10
            self.days = days.count
            self.lastEndedAt = lastEndedAt
            lastDayAt = beganPractising(on: last)
            streakAt = beganPractising(on: reachedOn)
        }

        func value(of metric: Metric) -> (value: Double, at: Date) {
            switch metric {
            case .weeklyXP: (Double(xp), lastEndedAt)
            case .weeklyStreak: (Double(streak), streakAt)
            case .weeklyMinutes: (Double(minutes), lastEndedAt)
            case .weeklyConsistency: (Double(days) / 7, lastDayAt)
            case .totalSessions, .teamChallengeParticipation: (0, lastEndedAt)
            }
        }
    }

    struct Person {
        let client: Client
        let uid, name: String
        /// Added to when they practise: few different ones, so that there are ties at one moment.
        let offset: Double
        var sittings: [Sitting] = []
        var epoch = 1
        var clearedAt: Date?
        /// What they reached in weeks that are closed.
        var closed: [Week: Values] = [:]
        /// What they had when a week ended, where practice came in after that; nil is nothing.
        var before: [Week: Values?] = [:]
        /// Everything that they said yes to, by its path in the profile.
        var agreed: Set<String>

        func agrees(_ path: String) -> Bool { agreed.contains(path) }
        var isOnGlobalBoard: Bool {
            agrees("privacy.shareProgress") && agrees("leaderboards.global.enabled")
                && !agrees("privacy.hideFromGlobalLeaderboard") && !agrees("privacy.friendsOnlyVisible")
        }
        var isOnFriendsBoards: Bool {
            agrees("privacy.shareProgress") && agrees("leaderboards.friends.enabled")
        }
        var isOnCompanyBoards: Bool {
            agrees("privacy.shareProgress") && agrees("leaderboards.company.enabled")
                && !agrees("privacy.friendsOnlyVisible")
        }
        var isAnonymous: Bool { agrees("leaderboards.global.anonymizedDisplay") }
        var sharesStreaks: Bool { agrees("privacy.shareStreaks") }
    }

    /// A place on a board that is history.
    struct Place {
        let uid: String
        let rank: Int
        let value: Double
        let at: Date
    }

    /// Which board, for whom.
    struct Board: Hashable {
        let scope: Scope
        let metric: Metric
        /// Nil for all time.
        let week: Week?
        var company: String?

        var query: String {
            "metric=\(metric.rawValue)" + (company.map { "&organization=\($0)" } ?? "")
        }
    }

    struct Company {
        var members: Set<String> = []
        var hasBoard = true
    }

    var people: [String: Person] = [:]
    var companies: [String: Company] = [:]
    var friends: Set<Set<String>> = []
    var blocks: Set<[String]> = []
    var closedWeeks: Set<Week> = []
    var history: [Board: [Place]] = [:]
    /// How many there were when a board became history, whoever went since.
    var everRanked: [Board: Int] = [:]
    /// As whom people are on the global board; drawn by lot, so this is asked and not counted.
    var aliases: [String: String] = [:]

    func areApart(_ one: String, _ other: String) -> Bool {
        blocks.contains([one, other]) || blocks.contains([other, one])
    }

    func values(of uid: String, in week: Week) -> Values? {
        guard let person = people[uid] else { return nil }
        if closedWeeks.contains(week) { return person.closed[week] }
        return Values(person.sittings.filter { Week(of: $0.day) == week })
    }

    // MARK: What happens

    /// Practice arrives.
    mutating func receive(_ sittings: [Sitting], of uid: String, at now: Date) {
        for week in Set(sittings.map { Week(of: $0.day) })
        where !closedWeeks.contains(week) && Season(week).endsAt.date <= now
            && people[uid]?.before[week] == nil
        {
            let before = values(of: uid, in: week)
            people[uid]?.before[week] = .some(before)
        }
        people[uid]?.sittings += sittings
    }

    mutating func clear(_ uid: String, at now: Date) {
        people[uid]?.sittings = []
        people[uid]?.epoch += 1
        people[uid]?.clearedAt = now
        let before = people[uid]?.before.filter { closedWeeks.contains($0.key) } ?? [:]
        people[uid]?.before = before
    }

    /// A week becomes history; not that of a company which has no board then.
    mutating func close(_ week: Week) {
        for uid in people.keys {
            let values = values(of: uid, in: week)
            people[uid]?.closed[week] = values
        }
        closedWeeks.insert(week)
        var boards = Scope.global.metrics.map { Board(scope: .global, metric: $0, week: week) }
        for company in companies.filter({ $0.value.hasBoard }).keys {
            boards += Scope.company.metrics.map {
                Board(scope: .company, metric: $0, week: week, company: company)
            }
        }
        for board in boards {
            let ranked = ranked(on: board, for: nil)
            history[board] = ranked
            everRanked[board] = ranked.count
        }
    }

    mutating func leave(_ company: String, _ uid: String) {
        companies[company]?.members.remove(uid)
        for board in history.keys where board.company == company {
            history[board]?.removeAll { $0.uid == uid }
        }
    }

    mutating func forget(_ uid: String) {
        people[uid] = nil
        for company in companies.keys { companies[company]?.members.remove(uid) }
        friends = friends.filter { !$0.contains(uid) }
        blocks = blocks.filter { !$0.contains(uid) }
        for board in history.keys { history[board]?.removeAll { $0.uid == uid } }
    }

    // MARK: What is seen

    /// Everyone who is on a board of now, with their ranks.
    ///
    /// - Parameter viewer: of whom ranks are, where they are a viewer's own; nil for everyone's.
    private func ranked(on board: Board, for viewer: String?) -> [Place] {
        let placed = people.values.compactMap { person -> Place? in
            let reached: (value: Double, at: Date)
            switch board.scope {
            case .global:
                guard person.isOnGlobalBoard, board.metric != .weeklyStreak || person.sharesStreaks else {
                    return nil
                }
            case .friends:
                guard let viewer, person.isOnFriendsBoards,
                    person.uid == viewer || friends.contains([person.uid, viewer]),
                    board.metric != .weeklyStreak || person.sharesStreaks
                else { return nil }
            case .company:
                guard person.isOnCompanyBoards, let company = board.company,
                    companies[company]?.members.contains(person.uid) == true,
                    viewer.map({ !areApart(person.uid, $0) && companies[company]?.hasBoard == true }) ?? true
                else { return nil }
            }
            if let week = board.week {
                guard let values = values(of: person.uid, in: week) else { return nil }
                reached = values.value(of: board.metric)
            } else {
                guard person.agrees("leaderboards.friends.shareDetailedProgress"),
                    let last = person.sittings.map(\.endedAt).max()
                else { return nil }
                reached = (Double(person.sittings.count), last)
            }
            return reached.value > 0
                ? Place(uid: person.uid, rank: 0, value: reached.value, at: reached.at) : nil
        }
        return
            placed
            .map { place in
                let rank = 1 + placed.filter { $0.value > place.value }.count
                return Place(uid: place.uid, rank: rank, value: place.value, at: place.at)
            }
            .sorted { isBefore($0, $1, on: board) }
    }

    /// The order of every board: the larger value, then who was there first, then whom others see.
    private func isBefore(_ one: Place, _ other: Place, on board: Board) -> Bool {
        if one.value != other.value { return one.value > other.value }
        if one.at != other.at { return one.at < other.at }
        func id(_ uid: String) -> String {
            guard board.scope == .global, people[uid]?.isAnonymous == true, let week = board.week else {
                return uid
            }
            return aliases["\(uid) \(week)"] ?? uid
        }
        return id(one.uid) < id(other.uid)
    }

    /// What a viewer sees of a board, and how many people are on it.
    func board(_ board: Board, for viewer: String) -> (seen: [Place], total: Int) {
        guard !isHidden(board.scope, from: viewer) else { return ([], 0) }
        let (places, total): ([Place], Int)
        if board.scope != .friends, board.week.map(closedWeeks.contains) == true {
            let isShown = board.company.map { companies[$0]?.hasBoard == true } ?? true
            places = (isShown ? history[board] ?? [] : [])
                .filter { place in
                    guard let person = people[place.uid] else { return false }
                    return board.scope == .company
                        ? person.isOnCompanyBoards && !areApart(place.uid, viewer)
                        : person.isOnGlobalBoard && (board.metric != .weeklyStreak || person.sharesStreaks)
                }
                .sorted { isBefore($0, $1, on: board) }
            total = isShown ? everRanked[board] ?? 0 : 0
        } else {
            places = ranked(on: board, for: viewer)
            total = places.count
        }
        guard board.scope == .global else { return (places, total) }
        // By a pseudonym's going one would know whose it was.
        return (places.filter { people[$0.uid]?.isAnonymous == true || !areApart($0.uid, viewer) }, total)
    }

    func isHidden(_ scope: Scope, from viewer: String) -> Bool {
        people[viewer]?.agrees("leaderboards.\(scope.rawValue).hidden") == true
    }

    /// Whose value moved after the week had ended, from what; of history, those who have a place in it.
    func changes(on board: Board, for viewer: String, at now: Date) -> [String] {
        guard let week = board.week, Season(week).endsAt.date <= now, !isHidden(board.scope, from: viewer),
            board.metric != .teamChallengeParticipation
        else { return [] }
        let isHistory = board.scope != .friends && closedWeeks.contains(week)
        return ranked(on: board, for: viewer)
            .filter { place in
                board.scope != .global || people[place.uid]?.isAnonymous == true
                    || !areApart(place.uid, viewer)
            }
            .filter { place in !isHistory || history[board]?.contains { $0.uid == place.uid } == true }
            .compactMap { place in
                guard let before = people[place.uid]?.before[week] else { return nil }
                let value = before?.value(of: board.metric).value ?? 0
                return value == place.value ? nil : (place, value)
            }
            .sorted { (one: (Place, Double), other: (Place, Double)) in
                one.0.value != other.0.value
                    ? one.0.value > other.0.value
                    : isBefore(
                        Place(uid: one.0.uid, rank: 0, value: 0, at: .distantPast),
                        Place(uid: other.0.uid, rank: 0, value: 0, at: .distantPast),
                        on: board
                    )
            }
            .map { "\(seen($0.0, on: board, by: viewer)) from \($0.1.text)" }
    }

    func seen(_ place: Place, on board: Board, by viewer: String) -> String {
        let isAnonymous = board.scope == .global && people[place.uid]?.isAnonymous == true
        let name = isAnonymous ? "somebody" : "\(people[place.uid]?.name ?? "?") \(place.uid)"
        return "\(name) \(place.value.text)\(place.uid == viewer ? " me" : "")"
    }

    /// What stands beside a value; the longest streak of all time has its own tests.
    func stats(of uid: String, on board: Board) -> [String: Double] {
        guard let person = people[uid] else { return [:] }
        var stats: [String: Double] = [:]
        let values = board.week.flatMap { self.values(of: uid, in: $0) }
        let total = Double(person.sittings.count)
        let totalXP = Double(person.sittings.reduce(0) { $0 + $1.xp })
        let isHistory = board.scope != .friends && board.week.map(closedWeeks.contains) == true
        switch board.scope {
        case _ where isHistory: break
        case .global:
            if person.agrees("leaderboards.global.statsSharing") {
                stats["weeklyXP"] = values.map { Double($0.xp) }
                if person.sharesStreaks { stats["weeklyStreak"] = values.map { Double($0.streak) } }
                if person.agrees("privacy.showDetailedStats"), !person.isAnonymous, total > 0 {
                    (stats["totalXP"], stats["totalSessions"]) = (totalXP, total)
                }
            }
        case .friends:
            stats["weeklyXP"] = values.map { Double($0.xp) }
            if person.sharesStreaks { stats["weeklyStreak"] = values.map { Double($0.streak) } }
            if person.agrees("leaderboards.friends.shareDetailedProgress"), total > 0 {
                stats["totalSessions"] = total
            }
            if person.agrees("privacy.showDetailedStats"), total > 0 { stats["totalXP"] = totalXP }
        case .company:
            stats["weeklyMinutes"] = values.map { Double($0.minutes) }
            stats["weeklyConsistency"] = values.map { Double($0.days) / 7 }
        }
        return stats
    }

    /// The weeks of a scope that a viewer is listed, the newest first.
    func seasons(_ scope: Scope, of company: String?, for viewer: String, at now: Date) -> [String] {
        let latest = Season.latest(5, at: Instant(now)).map(\.week).filter { !closedWeeks.contains($0) }
        let past = closedWeeks.filter { week in
            switch scope {
            case .friends:
                people.values.contains { person in
                    person.closed[week] != nil && person.isOnFriendsBoards
                        && (person.uid == viewer || friends.contains([person.uid, viewer]))
                }
            case .global, .company:
                everRanked.contains {
                    $0.key.scope == scope && $0.key.company == company && $0.key.week == week && $0.value > 0
                }
                    && (company.map { companies[$0]?.hasBoard == true } ?? true)
            }
        }
        return Set(latest).union(past).sorted(by: >).map { week in
            let state =
                closedWeeks.contains(week) ? "final" : Season(week).endsAt.date <= now ? "grace" : "open"
            return "\(week) \(state)"
        }
    }
}

extension Double {
    /// Short, and the same however it was computed.
    var text: String { String(format: "%.6f", self) }
}
