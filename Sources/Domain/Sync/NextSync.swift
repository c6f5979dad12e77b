/// When a device should come again by itself, and with which fields. What is
/// worth a sync of its own (``SyncTier/immediate``) doesn't wait for that.
package struct NextSync: Hashable, Sendable, Encodable {
    package let at: Instant
    package let fields: [String]
    /// There is more than one answer takes: `GET /v1/sync/sessions` has it.
    package let moreSessions: Bool

    /// - Parameter zone: where the device is: the first sync of a day there brings the daily fields.
    package init(after now: Instant, in zone: Zone, moreSessions: Bool) {
        let hour = now + .seconds(3600)
        let isOtherDay = LocalDay(of: hour, in: zone) != LocalDay(of: now, in: zone)
        let tiers: [SyncTier] = isOtherDay ? [.hourly, .daily] : [.hourly]
        at = moreSessions ? now : hour
        fields = StateField.all.filter { tiers.contains($0.tier) && $0.rule != .ledger }.map(\.name)
        self.moreSessions = moreSessions
    }
}
