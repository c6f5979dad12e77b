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

    fileprivate init(
        _ draft: Draft,
        over before: Ledger,
        asOf: Instant,
        eligibility: Eligibility,
        receipt: (_ before: Totals, _ after: Totals) -> [ReceiptEntry]
    ) {
        ledger = draft.ledger
        totalsBefore = Totals(of: before)
        totals = Totals(of: draft.ledger)
        self.receipt = receipt(totalsBefore, totals)
        outcomes = draft.outcomes
        self.eligibility = eligibility
        self.asOf = asOf
        streakToday = draft.ledger.streakToday(at: asOf, in: draft.device.timeZone, startingAt: draft.dayStart)
        let device = draft.knownDevice
        hand = Hand(
            totalXP: totals.totalXP,
            earnedXP: device.epoch == draft.ledger.epoch ? device.claimedXP : 0
        )
        changesState = !draft.ledger.saysTheSame(as: before)
    }
}

extension Ledger {
    /// Whether both hold the same facts and claims; when a device was last heard of is neither.
    fileprivate func saysTheSame(as other: Ledger) -> Bool {
        func claims(_ ledger: Ledger) -> [String: Device] {
            ledger.devices.mapValues { device in
                var device = device
                (device.name, device.zone, device.clockOffset) = ("", .utc, 0)
                device.lastTakenAt = Instant(milliseconds: 0)
                return device
            }
        }
        return epoch == other.epoch && eligibleAt == other.eligibleAt && floorXP == other.floorXP
            && days == other.days && sessions == other.sessions && challenges == other.challenges
            && fields == other.fields && claims(self) == claims(other)
    }
}

// MARK: - An export

extension Merge {
    /// - Parameters:
    ///   - base: what the device was handed in the answer that the export's total contains; nil if that
    ///     answer isn't known any more.
    ///   - now: the server's clock. An export from the future was taken now.
    package init(
        _ submission: ExportSubmission,
        into before: Ledger,
        base: Hand? = .nothing,
        dayStart: DayStart = .midnight,
        now: Instant
    ) {
        let takenAt = min(submission.takenAt, now)
        var draft = Draft(
            ledger: before,
            device: submission.device,
            dayStart: dayStart,
            takenAt: takenAt,
            now: now
        )
        let step = draft.apply(submission.export.meditation, base: base)
        let eligibility = Eligibility(
            Totals(of: draft.ledger),
            firstSessionAt: draft.ledger.firstSessionAt,
            asOf: takenAt,
            in: submission.device.timeZone,
            wasEligible: before.eligibleAt != nil
        )
        if eligibility.eligible, before.eligibleAt == nil {
            draft.passGate()
            draft.unite(submission.export.meditation.dailyChallenges?.all ?? [])
        }
        let asOf = draft.ledger.devices.values.map(\.lastTakenAt).reduce(takenAt, max)
        let challenges = (before.completedChallenges, draft.ledger.completedChallenges)
        let today = draft.ledger.streakToday(
            at: asOf,
            in: submission.device.timeZone,
            startingAt: dayStart
        )
        self.init(draft, over: before, asOf: asOf, eligibility: eligibility) { before, after in
            Self.receipt(
                submission.export.meditation,
                before: before,
                after: after,
                challenges: challenges,
                step: step,
                today: today
            )
        }
    }

    private static func receipt(
        _ claims: ExtensionExport.Meditation,
        before: Totals,
        after: Totals,
        challenges: (before: Int, after: Int),
        step: Step,
        today: LocalDay
    ) -> [ReceiptEntry] {
        let progression = [
            Progression.totalXP: claims.totalXP.value,
            .currentLevel: Level(totalXP: claims.totalXP.value).number,
            .currentStreak: claims.currentStreak.value,
            .longestStreak: claims.longestStreak.value,
            .totalSessions: claims.sessions?.all.count ?? 0,
            .totalMinutes: Int(claims.totalMeditationTime.value / 60_000),
        ]
        let entries = Progression.allCases.map { field in
            field.entry(
                client: progression[field].map { .integer($0) } ?? .null,
                before: before,
                after: after,
                on: today,
                step: step
            )
        }
        return entries + [
            ReceiptEntry(
                "challengeHistory",
                client: .integer(claims.completedChallenges),
                server: .integer(challenges.before),
                result: .integer(challenges.after),
                rule: step.rule(.union)
            )
        ]
    }
}

extension Draft {
    fileprivate mutating func apply(_ meditation: ExtensionExport.Meditation, base: Hand?) -> Merge.Step {
        let sessions = meditation.sessions?.all ?? []
        if let epochStart = ledger.epochStartedAt, takenAt < epochStart {
            refuse(sessions)
            return .refused
        }
        if isClear(meditation) {
            // Where this device only still showed what another had cleared already, it just stops showing it.
            if hasSomethingToClear { clear() }
            beginAgain()
            return .cleared
        }
        meetDevice()
        unite(sessions)
        // Challenges are read from the export that passed the gate and those taken later: what an earlier
        // one shows was not stored then, and must not depend on a repeat.
        if let eligibleAt = ledger.eligibleAt, takenAt >= eligibleAt {
            unite(meditation.dailyChallenges?.all ?? [])
        }
        uniteClaims(of: meditation, base: base)
        return .united
    }

    /// "Clear data" shows as a drop to zero with an emptied history. An older
    /// export that is simply late shows the same, but was taken before there was
    /// any practice to clear.
    private func isClear(_ meditation: ExtensionExport.Meditation) -> Bool {
        guard meditation.totalXP.value == 0, meditation.sessions?.all.isEmpty ?? true,
            let device = ledger.devices[deviceID]
        else { return false }
        if takenAt > device.lastTakenAt {
            return device.claimedXP > 0 || ledger.sessions.keys.contains { $0.deviceID == deviceID }
        }
        return ledger.sessions.values.contains { $0.key.deviceID == deviceID && $0.ended <= takenAt }
    }

    private mutating func uniteClaims(of meditation: ExtensionExport.Meditation, base: Hand?) {
        let listed = (meditation.sessions?.all ?? []).compactMap { item -> Session? in
            if case .valid(let record) = item { session(of: record) } else { nil }
        }
        let showsCleared = ledger.epochStartedAt.map { start in listed.contains { $0.ended <= start } } ?? false
        let total = meditation.totalXP.value
        if let base {
            let claimed = base.earned(claiming: total)
            let explained = listed.reduce(0) { sum, session in
                let verdict = ledger.judgements[session.key]?.verdict
                let counts = ledger.sessions[session.key] == nil || verdict?.isPossible == true
                return sum + (counts ? session.xp : 0)
            }
            claim(claimed, holding: max(0, claimed - explained), carriesCleared: showsCleared)
        }
        if knownDevice.epoch == ledger.epoch, knownDevice.carriedXP == nil { raiseFloor(to: total) }
    }
}

extension Ledger {
    fileprivate var completedChallenges: Int {
        challenges.values.count { $0.isCompleted }
    }

    /// When the first sound session began, of those that are here.
    fileprivate var firstSessionAt: Instant? {
        sessions.values.filter { judgements[$0.key]?.verdict == .sound }.map(\.began).min()
    }
}

extension ExtensionExport.Meditation {
    fileprivate var completedChallenges: Int {
        (dailyChallenges?.all ?? []).count { item in
            if case .valid(let challenge) = item { challenge.completed == true } else { false }
        }
    }
}

// MARK: - A clear

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
            in: device.timeZone,
            wasEligible: true
        )
        self.init(draft, over: before, asOf: now, eligibility: eligibility) { _, _ in [] }
    }
}

// MARK: - A pardon

extension Merge {
    /// An operator lets a session count that was quarantined; nil where it isn't.
    package init?(pardoning key: Session.Key, in before: Ledger, now: Instant) {
        guard let session = before.sessions[key], let device = before.devices[key.deviceID],
            before.judgements[key]?.verdict != .sound
        else { return nil }
        var draft = Draft(
            ledger: before,
            device: DeviceDescription(id: Label(device.id), name: Label(device.name), timeZone: device.zone),
            dayStart: .midnight,
            takenAt: now,
            now: now
        )
        draft.pardon(session)
        let eligibility = Eligibility(
            Totals(of: draft.ledger),
            firstSessionAt: nil,
            asOf: now,
            in: device.zone,
            wasEligible: true
        )
        self.init(draft, over: before, asOf: now, eligibility: eligibility) { _, _ in [] }
    }
}

// MARK: - A batch

extension Merge {
    /// - Parameters:
    ///   - base: what was handed out in the answer that the device's totals contain, and when; nil if that
    ///     answer isn't known any more.
    ///   - syncVersion: the one that this merge makes, if it changes anything.
    ///   - deviceClock: what the device's clock showed when it sent the batch; nil if it didn't say.
    package init(
        _ batch: SyncBatch,
        into before: Ledger,
        base: (hand: Hand, at: Instant)?,
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
        let eligibility = Eligibility(
            Totals(of: draft.ledger),
            firstSessionAt: draft.ledger.firstSessionAt,
            asOf: now,
            in: batch.device.timeZone,
            wasEligible: before.eligibleAt != nil
        )
        if eligibility.eligible, before.eligibleAt == nil { draft.passGate() }
        let today = draft.ledger.streakToday(at: now, in: batch.device.timeZone, startingAt: dayStart)
        self.init(draft, over: before, asOf: now, eligibility: eligibility) { before, after in
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
        base: (hand: Hand, at: Instant)?,
        syncVersion: Int
    ) -> [FieldFinding] {
        let isOfThisEpoch = batch.epoch.map { $0 == ledger.epoch } ?? true
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
                now, max(label.advanced(by: clockOffset), earliest?.advanced(by: 1) ?? Instant(milliseconds: .min)))
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
        if case .valid(let claim) = self, let claim = claim as? SyncBatch.StateClaim { claim.value } else { nil }
    }
}

// MARK: - Progression

/// The fields that only the ledger decides.
enum Progression: String, CaseIterable {
    case totalXP
    case currentLevel
    case currentStreak
    case longestStreak
    case totalSessions
    case totalMinutes

    var rule: ReceiptEntry.Rule {
        switch self {
        case .totalXP: .sessionsAndRewardsAndLegacy
        case .currentLevel: .derivedFromXP
        case .currentStreak, .longestStreak: .derivedFromLocalDays
        case .totalSessions, .totalMinutes: .derivedFromSessions
        }
    }

    func value(in totals: Totals, on day: LocalDay) -> Int {
        switch self {
        case .totalXP: totals.totalXP
        case .currentLevel: totals.level.number
        case .currentStreak: totals.streaks.current(on: day)
        case .longestStreak: totals.streaks.longest
        case .totalSessions: totals.sessions
        case .totalMinutes: totals.totalMinutes
        }
    }

    func entry(
        client: JSONValue,
        before: Totals,
        after: Totals,
        on day: LocalDay,
        rule: ReceiptEntry.Rule? = nil
    ) -> ReceiptEntry {
        ReceiptEntry(
            rawValue,
            client: client,
            server: .integer(value(in: before, on: day)),
            result: .integer(value(in: after, on: day)),
            rule: rule ?? self.rule
        )
    }

    fileprivate func entry(
        client: JSONValue,
        before: Totals,
        after: Totals,
        on day: LocalDay,
        step: Merge.Step
    ) -> ReceiptEntry {
        entry(client: client, before: before, after: after, on: day, rule: step.rule(rule))
    }
}

extension Merge.Step {
    /// What is told of a field for which `rule` stands otherwise.
    func rule(_ rule: ReceiptEntry.Rule) -> ReceiptEntry.Rule {
        switch self {
        case .united: rule
        case .cleared: .clearedByDevice
        case .refused: .takenBeforeClear
        }
    }
}
