extension Draft {
    /// What became of each.
    ///
    /// - Parameter claims: the list is one of claims, which are done and whose outcomes are told.
    @discardableResult
    mutating func unite(
        _ items: [Item<ExtensionExport.ChallengeRecord>],
        claims: Bool = false
    ) -> [ItemOutcome] {
        let all = items.enumerated().map { index, item in
            var outcome = ItemOutcome(.challengeClaims, index: index, outcome: .rejected)
            switch item {
            case .invalid(let field, let why):
                outcome = .invalid(.challengeClaims, index, field: field, why: why)
            case .valid(let record):
                outcome.id = record.id.text
                unite(record, completed: claims, into: &outcome)
            }
            return outcome
        }
        if claims { outcomes += all }
        return all
    }

    private mutating func unite(
        _ record: ExtensionExport.ChallengeRecord,
        completed: Bool,
        into outcome: inout ItemOutcome
    ) {
        guard let challenge = DailyChallenge(record, deviceID: deviceID, completed: completed) else {
            let isDate = record.localDay != nil
            (outcome.reason, outcome.field) = ("invalidField", isDate ? "rewardXP" : "date")
            outcome.detail =
                isDate
                ? "must be at most \(DailyChallenge.largestReward)" : "must be a day such as 2026-11-24"
            return
        }
        guard !wasCleared(challenge) else {
            outcome.reason = "takenBeforeClear"
            return
        }
        outcome.outcome = unite(challenge) ? .accepted : .duplicate
        shownRewards += challenge.earnedXP
    }

    /// Whether that says anything new.
    @discardableResult
    mutating func unite(_ challenge: DailyChallenge) -> Bool {
        let known = ledger.challenges[challenge.key]
        let joined = known?.joined(with: challenge) ?? challenge
        ledger.challenges[challenge.key] = joined
        ledger.devices[challenge.key.deviceID]?.rewardXP += joined.earnedXP - (known?.earnedXP ?? 0)
        return joined != known
    }

    /// A challenge tells its day, not its hour: all of the clear's day are gone.
    func wasCleared(_ challenge: DailyChallenge) -> Bool {
        if ledger.hasCleared(challenge) { return true }
        let zone = ledger.devices[challenge.key.deviceID]?.zone ?? device.timeZone
        return ledger.epochStartedAt.map { challenge.localDay <= LocalDay(of: $0, in: zone) } ?? false
    }
}

extension DailyChallenge {
    /// The largest reward that the extension's formula can give at any level and
    /// target it offers is well below this.
    static let largestReward = 1000

    var earnedXP: Int { isCompleted ? rewardXP : 0 }

    fileprivate init?(_ record: ExtensionExport.ChallengeRecord, deviceID: String, completed: Bool) {
        guard let localDay = record.localDay, record.rewardXP.value <= Self.largestReward
        else { return nil }
        self.init(
            key: Key(deviceID: deviceID, challengeID: record.id.text),
            localDay: localDay,
            kind: record.type.text,
            target: record.target.value,
            rewardXP: record.rewardXP.value,
            isCompleted: completed || record.completed ?? false,
            isExpired: record.expired ?? false
        )
    }
}
