extension Merge {
    /// - Parameters:
    ///   - base: what was handed out in the answer that the device's totals contain, and when; nil if that
    ///     answer isn't known any more.
    ///   - syncVersion: the one that this merge makes, if it changes anything.
    ///   - deviceClock: what the device's clock showed when it sent the batch; nil if it didn't say.
    ///   - bound: sessions beyond it are refused, and the rest is taken up.
    package init(
        _ batch: SyncBatch,
        into before: Ledger,
        base: Base?,
        syncVersion: Int,
        dayStart: DayStart = .midnight,
        deviceClock: Instant? = nil,
        bound: SessionBound = SessionBound(),
        now: Instant
    ) {
        let known = before.devices[batch.device.id.text]
        var draft = Draft(
            ledger: before,
            device: batch.device,
            dayStart: dayStart,
            takenAt: now,
            now: now,
            clockOffset: Self.clockOffset(of: deviceClock, known: known?.clockOffset ?? 0, now: now),
            bound: bound
        )
        let writing = Writing(
            offset: deviceClock.map { now.milliseconds - $0.milliseconds },
            earliest: base?.at,
            syncVersion: syncVersion
        )
        let claims = draft.apply(batch, base: base, writing)
        let totals = Totals(of: draft.ledger)
        let today = draft.ledger.streakToday(at: now, in: batch.device.timeZone, startingAt: dayStart)
        let eligibility = Eligibility(
            totals,
            firstSessionAt: draft.ledger.firstSessionAt,
            asOf: now,
            on: today,
            wasEligible: before.eligibleAt != nil
        )
        if eligibility.eligible, before.eligibleAt == nil { draft.passGate(at: now) }
        self.init(draft, over: before, totals: totals, asOf: now, eligibility: eligibility) { before, after in
            claims.compactMap { $0.entry(before: before, after: after, on: today) }
        }
    }

    /// A clock that is about right is right; one that was found wrong before stays as wrong as it was.
    static func clockOffset(of deviceClock: Instant?, known: Int64, now: Instant) -> Int64 {
        guard let deviceClock else { return known }
        let slack = Int64(Plausibility.clockSkew.components.seconds) * 1000
        let measured = now.milliseconds - deviceClock.milliseconds
        if abs(measured - known) <= slack { return known }
        return abs(measured) <= slack ? 0 : measured
    }
}

/// What is known of when a batch's fields were written, and the version that they make.
private struct Writing {
    /// Milliseconds by which the device's clock is behind ours; nil where the request doesn't show it.
    let offset: Int64?
    /// When the device was handed what it knows of others' writes.
    let earliest: Instant?
    let syncVersion: Int
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
        _ writing: Writing
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
        return batch.state.sorted { $0.key < $1.key }.map { name, item in
            finding(name, item, progressionRule: rule, writing)
        }
    }

    private mutating func finding(
        _ name: String,
        _ item: Item<SyncBatch.StateClaim>,
        progressionRule: ReceiptEntry.Rule?,
        _ writing: Writing
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
            let before = ledger.value(of: field)
            do {
                let stamp = stamp(labelled: claim.modifiedAt, writing)
                try write(FieldWrite(field, claim.value, stamp: stamp), syncVersion: writing.syncVersion)
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

    /// When a field was written: never after it arrived. A clock that the request shows tells the rest; of any other
    /// nothing is certain but what the device had seen by then.
    private func stamp(labelled label: Instant?, _ writing: Writing) -> Stamp {
        let offset = writing.offset ?? clockOffset
        let label = label ?? now.advanced(by: -offset)
        var writtenAt = label.advanced(by: offset)
        if writing.offset == nil, let earliest = writing.earliest {
            writtenAt = max(writtenAt, earliest.advanced(by: 1))
        }
        return Stamp(writtenAt: min(now, writtenAt), label: label, deviceID: deviceID)
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
        // What it was handed of another device's is that one's to tell.
        let own = items.enumerated().filter { _, item in
            guard case .object(let members) = item, case .string(let owner)? = members["deviceId"] else {
                return true
            }
            return owner == deviceID || ledger.devices[owner] == nil
        }
        let outcomes = unite(own.map { ExtensionExport.ChallengeRecord.item($0.element) })
        // One bad item never blocks the rest.
        guard
            let (index, refused) = zip(own.map(\.offset), outcomes).first(where: { $1.outcome == .rejected })
        else {
            return told(.union)
        }
        let what = "[\(index)]" + (refused.field.map { ".\($0)" } ?? "")
        let isAlone = outcomes.count { $0.outcome == .rejected } == 1
        return told(
            outcomes.allSatisfy { $0.outcome == .rejected } ? .invalidValue : .union,
            "\(what) \(refused.detail ?? refused.reason ?? "")" + (isAlone ? "" : ", and others as well")
        )
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
