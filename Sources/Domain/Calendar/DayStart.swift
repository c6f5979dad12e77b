package struct DayStart: Hashable, Sendable { package let hour: Int; package static let midnight = DayStart(hour: 0); package init(hour: Int) { self.hour = hour } }
extension LocalDay { package init(of instant: Instant, in zone: Zone, startingAt start: DayStart) { self.init(of: instant, in: zone) } }
