/// One local day of a person, as their sound sessions add up. The first and the
/// last of them are those that ended first and last.
package struct PracticeDay: Hashable, Sendable {
    package let day: LocalDay
    package var xp: Int
    package var activeMilliseconds: Int64
    package var sessions: Int
    /// XP that `xp` leaves out, because several devices practised at once.
    package var overlapXP: Int
    package var firstEndedAt: Instant
    package var lastEndedAt: Instant
    package var firstZone: Zone
    package var lastZone: Zone
    /// Whether it continues the practised day before it although local days lie
    /// between, because those were lost to travel.
    package var followsTravel: Bool

    package init(
        day: LocalDay,
        xp: Int,
        activeMilliseconds: Int64,
        sessions: Int,
        overlapXP: Int,
        firstEndedAt: Instant,
        lastEndedAt: Instant,
        firstZone: Zone,
        lastZone: Zone,
        followsTravel: Bool
    ) {
        self.day = day
        self.xp = xp
        self.activeMilliseconds = activeMilliseconds
        self.sessions = sessions
        self.overlapXP = overlapXP
        self.firstEndedAt = firstEndedAt
        self.lastEndedAt = lastEndedAt
        self.firstZone = firstZone
        self.lastZone = lastZone
        self.followsTravel = followsTravel
    }

    package var streakDay: StreakDay {
        StreakDay(day, followsTravel: followsTravel)
    }

    /// Whether a streak goes on from `earlier`, the practised day before this one.
    package func continues(_ earlier: PracticeDay, startingAt start: DayStart = .midnight) -> Bool {
        day == earlier.day.advanced(by: 1)
            || earlier.reaches(day, at: firstEndedAt, in: firstZone, startingAt: start)
            || earlier.isYesterday(of: day, startingAt: start)
    }

    /// Today, for the streak of someone whose last practice this day was: landing
    /// in the east ends no streak, and in the west nobody is before what they did.
    package func today(
        at now: Instant,
        in zone: Zone,
        startingAt start: DayStart = .midnight
    ) -> LocalDay {
        let today = LocalDay(of: now, in: zone, startingAt: start)
        let isReached =
            reaches(today, at: now, in: zone, startingAt: start) || isYesterday(of: today, startingAt: start)
        return isReached ? day.advanced(by: 1) : max(day, today)
    }

    /// Whether it was the day before `later` by when days begin for the person now: who has moved that to an earlier
    /// hour has named the nights before after the day that they ended.
    private func isYesterday(of later: LocalDay, startingAt start: DayStart) -> Bool {
        later > day.advanced(by: 1)
            && LocalDay(of: lastEndedAt, in: lastZone, startingAt: start) >= later.advanced(by: -1)
    }

    /// Whether travel left out the days from this one to `later`: by this day's
    /// clock `instant` lies on the next at most, or by the later clock this day's
    /// last session lies on the day before. So `later` is at most three days on.
    ///
    /// Daylight saving loses no day, but a zone that crosses the date line does,
    /// as Apia did on 30 December 2011.
    private func reaches(
        _ later: LocalDay,
        at instant: Instant,
        in zone: Zone,
        startingAt start: DayStart
    ) -> Bool {
        guard later > day.advanced(by: 1) else { return false }
        let before = lastZone.secondsFromUTC(at: lastEndedAt)
        let after = zone.secondsFromUTC(at: instant)
        guard zone != lastZone || after - before >= 86_400 else { return false }
        let seenFromBefore = LocalDay(of: instant, secondsFromUTC: before, startingAt: start)
        let seenFromAfter = LocalDay(of: lastEndedAt, secondsFromUTC: after, startingAt: start)
        return seenFromBefore <= day.advanced(by: 1) || seenFromAfter >= later.advanced(by: -1)
    }
}
