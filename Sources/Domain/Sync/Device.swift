/// An editor that syncs, with what it last claimed in the ledger's epoch.
package struct Device: Hashable, Sendable {
    package let id: String
    package var name: String
    package var zone: Zone
    package var epoch: Int
    /// When the newest of its exports was taken.
    package var lastTakenAt: Instant
    /// The largest total it reported in the epoch.
    package var claimedXP: Int
    /// The most it held beyond the possible sessions in the same export.
    package var heldXP: Int
    /// Not nil while it still shows practice from before the last clear: the
    /// least it held beyond its sessions and rewards since. That much was cleared
    /// with them.
    package var carriedXP: Int?

    package init(
        id: String,
        name: String,
        zone: Zone,
        epoch: Int,
        lastTakenAt: Instant,
        claimedXP: Int = 0,
        heldXP: Int = 0,
        carriedXP: Int? = nil
    ) {
        self.id = id
        self.name = name
        self.zone = zone
        self.epoch = epoch
        self.lastTakenAt = lastTakenAt
        self.claimedXP = claimedXP
        self.heldXP = heldXP
        self.carriedXP = carriedXP
    }
}
