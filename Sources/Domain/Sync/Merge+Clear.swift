extension Merge {
    /// The person chose "clear data" on a device, which knows what it clears.
    package init(clearingBy device: DeviceDescription, in before: Ledger, now: Instant) {
        var draft = Draft(ledger: before, device: device, dayStart: .midnight, takenAt: now, now: now)
        draft.clear()
        draft.beginAgain()
        let eligibility = Eligibility(
            Totals(of: draft.ledger),
            firstSessionAt: nil,
            asOf: now,
            on: draft.ledger.streakToday(at: now, in: device.timeZone, startingAt: .midnight),
            wasEligible: true
        )
        self.init(draft, over: before, asOf: now, eligibility: eligibility) { _, _ in [] }
    }
}

extension Draft {
    /// Whether anything of this device is there to be cleared.
    var hasSomethingToClear: Bool {
        let known = ledger.devices[deviceID]
        return (known?.epoch == ledger.epoch && known?.carriedXP == nil)
            || ledger.sessions.keys.contains { $0.deviceID == deviceID }
    }

    /// Clears for the whole person, on all devices, and begins a new epoch.
    mutating func clear() {
        ledger.epoch += 1
        ledger.epochStartedAt = takenAt
        ledger.floorXP = 0
        ledger.days = [:]
        ledger.judgements = [:]
        // Where the clear itself came late, others may have practised since.
        // What had arrived by then was cleared, whatever its clock said.
        let all = ledger.sessions.values
        let gone = all.filter { min($0.ended, $0.receivedAt) <= takenAt }
        ledger.cleared.formUnion(gone.map(\.key))
        for session in gone { ledger.sessions[session.key] = nil }
        for id in ledger.devices.keys {
            ledger.devices[id]?.sessionXP = 0
            ledger.devices[id]?.rewardXP = 0
        }
        let clearedChallenges = ledger.challenges.values.filter(wasCleared)
        ledger.rememberCleared(clearedChallenges)
        for challenge in clearedChallenges { ledger.challenges[challenge.key] = nil }
        for challenge in ledger.challenges.values {
            ledger.devices[challenge.key.deviceID]?.rewardXP += challenge.earnedXP
        }
        judge(ledger.sessions.keys)
    }

    /// The device itself begins again with nothing.
    mutating func beginAgain() {
        var device = knownDevice
        (device.name, device.zone) = (self.device.name.text, self.device.timeZone)
        (device.epoch, device.claimedXP, device.heldXP, device.carriedXP) = (ledger.epoch, 0, 0, nil)
        device.lastTakenAt = max(takenAt, device.lastTakenAt)
        ledger.devices[deviceID] = device
    }
}
