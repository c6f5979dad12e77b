/// What an export or a batch makes of a ledger. Pure: the caller brings the time,
/// and stores the difference.
///
/// Facts are united and claims are kept as maxima, so what devices send may
/// arrive in any order and any number of times; only the moment of a clear
/// divides it.
package struct Merge: Sendable {
    package let ledger: Ledger
    package let totalsBefore: Totals
    package let totals: Totals
    package let receipt: [ReceiptEntry]
    package let outcomes: [ItemOutcome]
    package let eligibility: Eligibility
    /// The moment that streaks are judged at: when the newest export was taken.
    package let asOf: Instant
    /// The local day then, as streaks count it.
    package let streakToday: LocalDay
    /// What the answer hands to the device, for its next claims.
    package let hand: Hand
    /// Whether anything is different now, for this device or another.
    package let changesState: Bool

    enum Step {
        case united
        case cleared
        case refused
    }

    init(
        _ draft: Draft,
        over before: Ledger,
        totals: Totals? = nil,
        asOf: Instant,
        eligibility: Eligibility,
        isNews: Bool = false,
        receipt: (_ before: Totals, _ after: Totals) -> [ReceiptEntry]
    ) {
        ledger = draft.ledger
        totalsBefore = Totals(of: before)
        self.totals = totals ?? Totals(of: draft.ledger)
        self.receipt = receipt(totalsBefore, self.totals)
        outcomes = draft.outcomes
        self.eligibility = eligibility
        self.asOf = asOf
        streakToday = draft.ledger.streakToday(
            at: asOf,
            in: draft.device.timeZone,
            startingAt: draft.dayStart
        )
        hand = Hand(
            totalXP: self.totals.totalXP,
            earnedXP: draft.knownDevice.earnedXP(in: draft.ledger.epoch)
        )
        changesState = isNews || !draft.ledger.saysTheSame(as: before)
    }
}

extension Ledger {
    /// Whether both hold the same facts and claims; when a device was last heard of is neither, nor is when a field was
    /// written.
    fileprivate func saysTheSame(as other: Ledger) -> Bool {
        func claims(_ ledger: Ledger) -> [String: Device] {
            ledger.devices.mapValues { device in
                var device = device
                (device.name, device.zone, device.clockOffset) = ("", .utc, 0)
                device.lastTakenAt = Instant(milliseconds: 0)
                return device
            }
        }
        // Mostly nothing was written.
        let holdsTheSameFields =
            fields == other.fields || fields.mapValues(\.value) == other.fields.mapValues(\.value)
        return epoch == other.epoch && eligibleAt == other.eligibleAt && floorXP == other.floorXP
            && days == other.days && sessions == other.sessions && challenges == other.challenges
            && holdsTheSameFields && claims(self) == claims(other)
    }
}

// MARK: - A pardon

extension Merge {
    /// An operator lets a session count that was quarantined, also where it is sound now: what comes later may put
    /// that in doubt again. Nil where it isn't there, or what it touches was forgotten.
    package init?(pardoning key: Session.Key, in before: Ledger, dayStart: DayStart, now: Instant) {
        guard let session = before.sessions[key], let device = before.devices[key.deviceID],
            !before.isTooOld(session)
        else { return nil }
        var draft = Draft(
            ledger: before,
            device: DeviceDescription(id: Label(device.id), name: Label(device.name), timeZone: device.zone),
            dayStart: dayStart,
            takenAt: now,
            now: now
        )
        draft.pardon(session)
        let eligibility = Eligibility(
            Totals(of: draft.ledger),
            firstSessionAt: nil,
            asOf: now,
            on: draft.ledger.streakToday(at: now, in: device.zone, startingAt: dayStart),
            wasEligible: true
        )
        self.init(draft, over: before, asOf: now, eligibility: eligibility) { _, _ in [] }
    }
}
