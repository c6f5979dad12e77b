/// When a device should come again by itself, and with which fields. What is
/// worth a sync of its own (``SyncTier/immediate``) doesn't wait for that, unless
/// the person wants their devices to come less often.
package struct NextSync: Hashable, Sendable, Encodable {
    package let at: Instant
    package let fields: [String]
    /// There is more than one answer takes: `GET /v1/sync/sessions` has it.
    package let moreSessions: Bool

    /// - Parameter zone: where the device is: its first sync of a day brings the daily fields.
    package init(after now: Instant, in zone: Zone, every frequency: SyncFrequency, moreSessions: Bool) {
        let wait: Duration = frequency == .daily ? .seconds(86_400) : .seconds(3600)
        let next = now + wait
        let isOtherDay = LocalDay(of: next, in: zone) != LocalDay(of: now, in: zone)
        var tiers: Set<SyncTier> = isOtherDay ? [.hourly, .daily] : [.hourly]
        if frequency != .realtime { tiers.insert(.immediate) }
        at = moreSessions ? now : next
        fields = StateField.all.filter { tiers.contains($0.tier) && $0.rule != .assigned }.map(\.name)
        self.moreSessions = moreSessions
    }
}
