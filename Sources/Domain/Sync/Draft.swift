/// A ledger while something is united with it.
struct Draft {
    var ledger: Ledger
    var outcomes: [ItemOutcome] = []
    let device: DeviceDescription
    let dayStart: DayStart
    /// When what comes was taken, by our clock.
    let takenAt: Instant
    let now: Instant
    /// Milliseconds by which the device's clock is behind ours.
    let clockOffset: Int64
    var bound: SessionBound
    /// What the completed challenges that came are worth.
    var shownRewards = 0

    var deviceID: String { device.id.text }

    init(
        ledger: Ledger,
        device: DeviceDescription,
        dayStart: DayStart,
        takenAt: Instant,
        now: Instant,
        clockOffset: Int64 = 0,
        bound: SessionBound = SessionBound()
    ) {
        self.ledger = ledger
        self.device = device
        self.dayStart = dayStart
        self.takenAt = takenAt
        self.now = now
        self.clockOffset = clockOffset
        self.bound = bound
    }

    /// The gate is passed; what comes first is when.
    mutating func passGate(at instant: Instant) {
        ledger.eligibleAt = min(ledger.eligibleAt ?? instant, instant)
    }

    // MARK: Sessions

    /// Takes up the good ones, tells the others apart, and judges all again that they may have changed.
    mutating func unite(_ items: [Item<ExtensionExport.SessionRecord>]) {
        let first = outcomes.count
        let room = bound.most - ledger.sessionsInDetail
        let unwanted = bound.takesQuarantined ? [] : quarantined(of: items)
        var arrived: [Session.Key] = []
        for (index, item) in items.enumerated() {
            switch item {
            case .invalid(let field, let why):
                outcomes.append(.invalid(.sessions, index, field: field, why: why))
            case .valid(let record):
                let hasRoom = arrived.count < room && !unwanted.contains(index)
                outcomes.append(unite(record, at: index, hasRoom: hasRoom, into: &arrived))
            }
        }
        judge(arrived)
        // A session is judged beside all the others, so only now.
        for index in outcomes.indices.dropFirst(first) {
            judge(&outcomes[index])
        }
    }

    /// Refuses all of them: they come from before the clear.
    mutating func refuse(_ items: [Item<ExtensionExport.SessionRecord>]) {
        outcomes += items.indices.map {
            ItemOutcome(index: $0, outcome: .rejected, reason: "takenBeforeClear")
        }
    }

    /// Which of them would count for nothing, by their places in the list: how they are judged together tells.
    private func quarantined(of items: [Item<ExtensionExport.SessionRecord>]) -> Set<Int> {
        var trial = self
        trial.bound = SessionBound(most: bound.most)
        trial.unite(items)
        let told = trial.outcomes.dropFirst(outcomes.count)
        return Set(told.filter { $0.outcome == .quarantined }.map(\.index))
    }

    private mutating func unite(
        _ record: ExtensionExport.SessionRecord,
        at index: Int,
        hasRoom: Bool,
        into arrived: inout [Session.Key]
    ) -> ItemOutcome {
        let session = session(of: record)
        var outcome = ItemOutcome(
            index: index,
            id: session.key.sessionID,
            startedAt: session.key.startedAt,
            outcome: .rejected
        )
        if session.endedAt < session.key.startedAt {
            (outcome.reason, outcome.field) = ("endsBeforeItStarts", "endedAt")
        } else if wasCleared(session) {
            outcome.reason = "takenBeforeClear"
        } else if let known = ledger.sessions[session.key] {
            if known.agrees(with: session) {
                outcome.outcome = .duplicate
            } else {
                outcome.reason = "differsFromStored"
            }
        } else if ledger.isTooOld(session) {
            outcome.reason = "tooOld"
        } else if !hasRoom {
            outcome.reason = "tooManySessions"
        } else {
            ledger.sessions[session.key] = session
            arrived.append(session.key)
            outcome.outcome = .accepted
        }
        return outcome
    }

    func session(of record: ExtensionExport.SessionRecord) -> Session {
        let zone = record.timeZone ?? device.timeZone
        return Session(
            key: Session.Key(deviceID: deviceID, sessionID: record.id.text, startedAt: record.startedAt),
            endedAt: record.endedAt,
            clockOffset: clockOffset,
            localDay: LocalDay(of: record.endedAt.advanced(by: clockOffset), in: zone, startingAt: dayStart),
            zone: zone,
            activeMilliseconds: record.activeMs.value,
            cycles: record.cycles.value,
            goalMinutes: record.goalMinutes.flatMap { $0.value > 0 ? $0.value : nil },
            goalBonusXP: record.goalBonusXP?.value ?? 0,
            receivedAt: now
        )
    }

    func wasCleared(_ session: Session) -> Bool {
        if ledger.cleared.contains(session.key) { return true }
        return ledger.epochStartedAt.map { session.ended <= $0 } ?? false
    }

    private func judge(_ outcome: inout ItemOutcome) {
        guard let id = outcome.id, let startedAt = outcome.startedAt, outcome.outcome != .rejected else {
            return
        }
        let key = Session.Key(deviceID: deviceID, sessionID: id, startedAt: startedAt)
        guard let session = ledger.sessions[key], let judgement = ledger.judgements[key] else { return }
        if judgement.verdict != .sound {
            (outcome.outcome, outcome.reason) = (.quarantined, judgement.verdict.rawValue)
        } else if judgement.xp < session.xp {
            outcome.countedXP = judgement.xp
        }
    }

    /// All again that these may have changed.
    mutating func judge(_ arrived: some Sequence<Session.Key>) {
        let began = arrived.compactMap { ledger.sessions[$0]?.began }
        guard let first = began.min(), let last = began.max() else { return }
        ledger.judge(from: first, to: last, dayStart: dayStart)
    }

    mutating func pardon(_ session: Session) {
        ledger.sessions[session.key]?.isPardoned = true
        judge([session.key])
    }
}

extension ItemOutcome {
    static func invalid(_ list: List, _ index: Int, field: String, why: String) -> ItemOutcome {
        ItemOutcome(list, index: index, outcome: .rejected, reason: "invalidField", field: field, detail: why)
    }
}
