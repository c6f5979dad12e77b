extension Merge {
    /// Another account of the same person ends in this one: what the two have is united as what two devices have.
    /// Nothing counts twice, and nothing that counted is lost.
    ///
    /// - Parameter syncVersion: the one that this merge makes.
    package init(
        absorbing other: Ledger,
        into before: Ledger,
        syncVersion: Int,
        dayStart: DayStart = .midnight,
        now: Instant
    ) {
        let newest = (Array(before.devices.values) + other.devices.values).max {
            $0.lastTakenAt < $1.lastTakenAt
        }
        var draft = Draft(
            ledger: before,
            device: DeviceDescription(
                id: Label(newest?.id ?? ""),
                name: Label(newest?.name ?? ""),
                timeZone: newest?.zone ?? .utc
            ),
            dayStart: dayStart,
            takenAt: now,
            now: now
        )
        draft.absorb(other, syncVersion: syncVersion)
        let totals = Totals(of: draft.ledger)
        let eligibility = Eligibility(
            totals,
            firstSessionAt: draft.ledger.firstSessionAt,
            asOf: now,
            in: draft.device.timeZone,
            wasEligible: draft.ledger.eligibleAt != nil
        )
        self.init(draft, over: before, totals: totals, asOf: now, eligibility: eligibility) { _, _ in [] }
    }
}

extension Ledger {
    /// Knows the devices of another account too. What they brought there is not in it yet.
    package mutating func meet(_ devices: some Sequence<Device>, of other: Ledger) {
        for device in devices where self.devices[device.id] == nil {
            var met = device
            // Of an epoch before the first is what still shows what was cleared.
            met.epoch = device.epoch == other.epoch ? epoch : 0
            (met.sessionXP, met.rewardXP) = (0, 0)
            self.devices[device.id] = met
        }
    }
}

extension Draft {
    /// Takes over what another ledger of the same person holds.
    fileprivate mutating func absorb(_ other: Ledger, syncVersion: Int) {
        absorb(devicesOf: other)
        absorb(sessionsOf: other)
        for challenge in other.challenges.values { unite(challenge) }
        absorb(fieldsOf: other, syncVersion: syncVersion)
        raiseFloor(to: other.floorXP)
        if let eligibleAt = other.eligibleAt { passGate(at: eligibleAt) }
    }
}
