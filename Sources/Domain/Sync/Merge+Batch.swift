extension Merge {
    /// - Parameters:
    ///   - base: what was handed out in the answer that the device's totals contain, and when; nil if that
    ///     answer isn't known any more.
    ///   - syncVersion: the one that this merge makes, if it changes anything.
    ///   - deviceClock: what the device's clock showed when it sent the batch; nil if it didn't say.
    package init(
        _ batch: SyncBatch,
        into before: Ledger,
        base: Base?,
        syncVersion: Int,
        dayStart: DayStart = .midnight,
        deviceClock: Instant? = nil,
        now: Instant
    ) {
        let known = before.devices[batch.device.id.text]
        var draft = Draft(
            ledger: before,
            device: batch.device,
            dayStart: dayStart,
            takenAt: now,
            now: now,
            clockOffset: Self.clockOffset(of: deviceClock, known: known?.clockOffset ?? 0, now: now)
        )
        let claims = draft.apply(batch, base: base, syncVersion: syncVersion)
        let totals = Totals(of: draft.ledger)
        let eligibility = Eligibility(
            totals,
            firstSessionAt: draft.ledger.firstSessionAt,
            asOf: now,
            in: batch.device.timeZone,
            wasEligible: before.eligibleAt != nil
        )
        if eligibility.eligible, before.eligibleAt == nil { draft.passGate(at: now) }
        let today = draft.ledger.streakToday(at: now, in: batch.device.timeZone, startingAt: dayStart)
        self.init(draft, over: before, totals: totals, asOf: now, eligibility: eligibility) { before, after in
            claims.compactMap { $0.entry(before: before, after: after, on: today) }
        }
    }

    /// A clock that is about right is right; one that was found wrong before stays as wrong as it was.
    private static func clockOffset(of deviceClock: Instant?, known: Int64, now: Instant) -> Int64 {
        guard let deviceClock else { return known }
        let slack = Int64(Plausibility.clockSkew.components.seconds) * 1000
        let measured = now.milliseconds - deviceClock.milliseconds
        if abs(measured - known) <= slack { return known }
        return abs(measured) <= slack ? 0 : measured
    }
}

/// One field of a batch and what became of it, before the totals are known.
private struct FieldFinding {
    let name: String
    let client: JSONValue
    /// Nil where totals decide.
    var entry: ReceiptEntry?
    var progressionRule: ReceiptEntry.Rule?

    func entry(before: Totals, after: Totals, on day: LocalDay) -> ReceiptEntry? {
        if let entry { return entry }
        guard let field = Progression(rawValue: name) else { return nil }
        return field.entry(client: client, before: before, after: after, on: day, rule: progressionRule)
    }
}

extension Draft {
    /// What to tell about each field.
    fileprivate mutating func apply(
        _ batch: SyncBatch,
        base: Base?,
        syncVersion: Int
    ) -> [FieldFinding] {
        // One that was known before the clear, and has taken over nothing, still shows what was cleared.
        let known = ledger.devices[deviceID]
        let isOfThisEpoch =
            (batch.epoch ?? known?.epoch ?? ledger.epoch) == ledger.epoch
            || base?.isOwn == true && known?.epoch == ledger.epoch && known?.carriedXP == nil
        meetDevice()
        let showsCleared = batch.sessions.all.contains { item in
            if case .valid(let record) = item { wasCleared(session(of: record)) } else { false }
        }
        // It has taken over an answer of this epoch, so what was cleared is gone from it too.
        if isOfThisEpoch, batch.epoch != nil { joinEpoch() }
        unite(batch.sessions.all)
        unite(batch.challengeClaims.all, claims: true)

        var rule: ReceiptEntry.Rule?
        if !isOfThisEpoch || batch.epoch == nil && showsCleared {
            rule = .takenBeforeClear
        } else if base == nil {
            rule = .unknownBase
        }
        if let total = batch.state["totalXP"]?.value?.count, rule != .takenBeforeClear {
            if let base { claim(base.hand.earned(claiming: total)) }
            raiseFloor(to: total)
        }
        let earliest = base.map(\.at)
        return batch.state.sorted { $0.key < $1.key }.map { name, item in
            finding(name, item, progressionRule: rule, earliest: earliest, syncVersion: syncVersion)
        }
    }

    private mutating func finding(
        _ name: String,
        _ item: Item<SyncBatch.StateClaim>,
        progressionRule: ReceiptEntry.Rule?,
        earliest: Instant?,
        syncVersion: Int
    ) -> FieldFinding {
        func told(_ client: JSONValue, _ rule: ReceiptEntry.Rule, _ detail: String? = nil) -> FieldFinding {
            FieldFinding(
                name: name,
                client: client,
                entry: ReceiptEntry(name, client: client, rule: rule, detail: detail)
            )
        }
        guard let field = StateField.byName[name] else { return told(.null, .unknownField) }
        if field.rule == .notStored { return told(.null, .localOnly) }
        let claim: SyncBatch.StateClaim
        switch item {
        case .invalid(let path, let why):
            return told(.null, .invalidValue, path.isEmpty ? why : "\(path) \(why)")
        case .valid(let valid): claim = valid
        }
        switch field.rule {
        case .assigned: return told(claim.value, .assignedByServer)
        case .challenges: return uniteChallenges(field, claim)
        case .ledger:
            guard Progression(rawValue: name) != nil else { return told(.null, .derivedFromSessions) }
            guard claim.value.count != nil else {
                return told(claim.value, .invalidValue, "must be a whole number of at least 0")
            }
            return FieldFinding(name: name, client: claim.value, progressionRule: progressionRule)
        case .union, .keyed, .lastWriter, .notStored:
            let label = claim.modifiedAt ?? now.advanced(by: -clockOffset)
            // After what the device had seen, and not after it arrived.
            let writtenAt = min(
                now,
                max(label.advanced(by: clockOffset), earliest?.advanced(by: 1) ?? Instant(milliseconds: .min))
            )
            let before = ledger.value(of: field)
            do {
                let stamp = Stamp(writtenAt: writtenAt, label: label, deviceID: deviceID)
                try write(FieldWrite(field, claim.value, stamp: stamp), syncVersion: syncVersion)
            } catch {
                return told(claim.value, .invalidValue, error.why)
            }
            return FieldFinding(
                name: name,
                client: claim.value,
                entry: ReceiptEntry(
                    name,
                    client: claim.value,
                    server: before,
                    result: ledger.value(of: field),
                    rule: field.rule == .union ? .union : field.rule == .keyed ? .keyedMerge : .lastWriter
                )
            )
        }
    }

    /// Challenges in the state are those that the device shows; whether they are done, they say themselves.
    private mutating func uniteChallenges(
        _ field: StateField,
        _ claim: SyncBatch.StateClaim
    ) -> FieldFinding {
        func told(_ rule: ReceiptEntry.Rule, _ detail: String? = nil) -> FieldFinding {
            FieldFinding(
                name: field.name,
                client: .null,
                entry: ReceiptEntry(field.name, rule: rule, detail: detail)
            )
        }
        guard case .array(let items) = claim.value, items.count <= SyncBatch.mostItems else {
            return told(.invalidValue, "must be a list of at most \(SyncBatch.mostItems) challenges")
        }
        let records = items.map(ExtensionExport.ChallengeRecord.item)
        for case .invalid(let path, let why) in records {
            return told(.invalidValue, "\(path) \(why)")
        }
        unite(records)
        return told(.union)
    }
}

extension Item {
    fileprivate var value: JSONValue? {
        if case .valid(let claim) = self, let claim = claim as? SyncBatch.StateClaim {
            claim.value
        } else {
            nil
        }
    }
}
