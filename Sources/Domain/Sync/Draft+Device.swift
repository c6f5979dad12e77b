/// What a device is known as and what it claims.
extension Draft {
    /// The device as it is known, or as it introduces itself.
    var knownDevice: Device {
        ledger.devices[deviceID]
            ?? Device(
                id: deviceID,
                name: device.name.text,
                zone: device.timeZone,
                epoch: ledger.epoch,
                lastTakenAt: takenAt
            )
    }

    /// Remembers where it is and what it is called, if this is its newest word.
    mutating func meetDevice() {
        var known = knownDevice
        if takenAt >= known.lastTakenAt {
            (known.name, known.zone) = (device.name.text, device.timeZone)
            known.lastTakenAt = takenAt
        }
        known.clockOffset = clockOffset
        ledger.devices[deviceID] = known
    }

    /// - Parameters:
    ///   - claimed: what the device says it earned by itself.
    ///   - held: how much of that no session in the same export explains.
    ///   - carriesCleared: it shows practice from before the last clear.
    mutating func claim(_ claimed: Int, holding held: Int = 0, carriesCleared: Bool = false) {
        var device = knownDevice
        let carried = max(0, held - shownRewards)
        if device.epoch != ledger.epoch {
            // Known from before the clear, which another device chose.
            device.epoch = ledger.epoch
            (device.claimedXP, device.heldXP, device.carriedXP) = (0, 0, carried)
        }
        if device.carriedXP != nil || carriesCleared {
            device.carriedXP = min(device.carriedXP ?? carried, carried)
        }
        device.claimedXP = max(device.claimedXP, claimed)
        device.heldXP = max(device.heldXP, held)
        ledger.devices[deviceID] = device
    }

    /// The device has taken over what it was handed in this epoch: nothing from before is left on it.
    mutating func joinEpoch() {
        var device = knownDevice
        guard device.epoch != ledger.epoch || device.carriedXP != nil else { return }
        (device.epoch, device.carriedXP, device.claimedXP, device.heldXP) = (ledger.epoch, nil, 0, 0)
        ledger.devices[deviceID] = device
    }

    /// A device showed this total: a merge doesn't go below.
    mutating func raiseFloor(to totalXP: Int) {
        ledger.floorXP = max(ledger.floorXP, totalXP)
    }

    mutating func write(_ write: FieldWrite, syncVersion: Int) throws(FieldWrite.Unfit) {
        try write.apply(to: &ledger, syncVersion: syncVersion)
    }
}
