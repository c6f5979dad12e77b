/// An editor that syncs, with what it has brought and claimed in the ledger's epoch.
package struct Device: Hashable, Sendable {
    package let id: String
    package var name: String
    package var zone: Zone
    package var epoch: Int
    /// When the newest of its exports or batches was taken, by our clock.
    package var lastTakenAt: Instant
    /// Milliseconds by which its clock is behind ours; negative if it is ahead.
    package var clockOffset: Int64
    /// What its possible sessions brought.
    package var sessionXP: Int
    /// What its completed challenges are worth.
    package var rewardXP: Int
    /// The most that it says it earned by itself, what it was handed taken off.
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
        clockOffset: Int64 = 0,
        sessionXP: Int = 0,
        rewardXP: Int = 0,
        claimedXP: Int = 0,
        heldXP: Int = 0,
        carriedXP: Int? = nil
    ) {
        self.id = id
        self.name = name
        self.zone = zone
        self.epoch = epoch
        self.lastTakenAt = lastTakenAt
        self.clockOffset = clockOffset
        self.sessionXP = sessionXP
        self.rewardXP = rewardXP
        self.claimedXP = claimedXP
        self.heldXP = heldXP
        self.carriedXP = carriedXP
    }

    /// What it claims beyond its own sessions and rewards. At least as much as
    /// lifts their sum to what it claimed, so that a merge never lowers anybody;
    /// a device that carries cleared practice claims that too, so of it only the
    /// growth since counts.
    func legacyXP(in epoch: Int) -> Int {
        guard self.epoch == epoch else { return 0 }
        let unexplained =
            if let carriedXP { heldXP - carriedXP } else { max(heldXP, claimedXP - sessionXP) }
        return max(0, unexplained - rewardXP)
    }

    /// The most that it is known to have earned by itself in the epoch: what it claims next comes on top. What it
    /// brought counts also where no claim came with it.
    func earnedXP(in epoch: Int) -> Int {
        max(self.epoch == epoch ? claimedXP : 0, sessionXP + rewardXP)
    }

    /// It begins the epoch with nothing.
    mutating func begin(epoch: Int) {
        self.epoch = epoch
        (sessionXP, rewardXP, claimedXP, heldXP, carriedXP) = (0, 0, 0, 0, nil)
    }
}

/// What the totals of a device contain: what was handed out in an answer, and when.
package struct Base: Sendable {
    package let hand: Hand
    package let at: Instant
    /// Whether that answer was to this device: then it is of this epoch, whatever number it says, since where two
    /// accounts became one the epoch is the later of both.
    package let isOwn: Bool

    /// What a device starts from that was handed nothing yet.
    package static let nothing = Base(hand: .nothing, at: Instant(milliseconds: .min / 2), isOwn: false)

    package init(hand: Hand, at: Instant, isOwn: Bool) {
        self.hand = hand
        self.at = at
        self.isOwn = isOwn
    }
}

/// What an answer handed to a device: the total that its next claims contain.
package struct Hand: Hashable, Sendable {
    /// The total in that answer.
    package let totalXP: Int
    /// What the device had earned by itself up to then, also where the answer was another device's and this one has taken
    /// over what it says.
    package let earnedXP: Int

    /// What a device starts from that was handed nothing yet.
    package static let nothing = Hand(totalXP: 0, earnedXP: 0)

    package init(totalXP: Int, earnedXP: Int) {
        self.totalXP = totalXP
        self.earnedXP = earnedXP
    }

    /// What a device that claims `totalXP` now has earned by itself, in all.
    func earned(claiming totalXP: Int) -> Int {
        earnedXP + max(0, totalXP - self.totalXP)
    }
}
