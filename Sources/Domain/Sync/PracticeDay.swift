/// stub until the streak branch lands
package struct PracticeDay: Hashable, Sendable {
    package let day: LocalDay
    package var xp: Int
    package var activeMilliseconds: Int64
    package var sessions: Int
    package var overlapXP: Int
    package var firstEndedAt: Instant
    package var lastEndedAt: Instant
    package var firstZone: Zone
    package var lastZone: Zone
    package var followsTravel: Bool

    package init(day: LocalDay, xp: Int, activeMilliseconds: Int64, sessions: Int, overlapXP: Int, firstEndedAt: Instant, lastEndedAt: Instant, firstZone: Zone, lastZone: Zone, followsTravel: Bool) {
        self.day = day; self.xp = xp; self.activeMilliseconds = activeMilliseconds; self.sessions = sessions
        self.overlapXP = overlapXP; self.firstEndedAt = firstEndedAt; self.lastEndedAt = lastEndedAt
        self.firstZone = firstZone; self.lastZone = lastZone; self.followsTravel = followsTravel
    }
}

extension PracticeDay { package func continues(_ earlier: PracticeDay) -> Bool { earlier.day.advanced(by: 1) == day } }
