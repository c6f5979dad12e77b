extension Ledger {
    /// How far a session reaches: none that counts is longer than a day, so what
    /// began a day before may still go on, and what it pushes out may have pushed
    /// out another, and so on until the chain is broken off.
    static let reachBefore = Plausibility.longestSession
    static let reachAfter = Plausibility.longestChain + Plausibility.longestSession
    /// What has to be known around sessions that arrive, to judge all that they
    /// reach and to add up its days: as much before the first of those as it may
    /// have been reached from; and two sessions of one local day end at most 50
    /// hours apart, wherever on earth.
    package static let window: (before: Int64, after: Int64) = (
        reachBefore + reachAfter, reachAfter + 3 * 86_400_000
    )

    /// Judges again what sessions that began between the two instants may have
    /// changed, and adds up their days.
    mutating func judge(from first: Instant, to last: Instant, dayStart: DayStart = .midnight) {
        let open = first.advanced(by: -Self.reachBefore)...last.advanced(by: Self.reachAfter)
        let verdicts = self.verdicts(anew: open)
        let sound = SoundSessions(sessions.values.filter { verdicts[$0.key] == .sound })
        var changed: Set<LocalDay> = []
        for session in sessions.values where open.contains(session.began) {
            let verdict = verdicts[session.key] ?? .sound
            let judgement =
                verdict == .sound
                ? Overlap.judgement(on: session, beside: sound.beside(session))
                : Judgement(verdict: verdict, xp: 0, activeMilliseconds: 0)
            let before = judgements.updateValue(judgement, forKey: session.key)
            guard judgement != before else { continue }
            let brought = (before?.verdict.isPossible ?? false) ? session.xp : 0
            devices[session.key.deviceID]?.sessionXP += (verdict.isPossible ? session.xp : 0) - brought
            changed.insert(session.localDay)
        }
        addUp(changed, dayStart: dayStart)
    }

    /// What the sessions alone say, each of them judged anew. Whether travel joined two days
    /// was told by when a day began for the person at that time, so that is taken over.
    ///
    /// - Precondition: all sessions of the epoch are here.
    package func recounted() -> Ledger {
        var ledger = self
        (ledger.judgements, ledger.days) = ([:], [:])
        if let first = firstDayJudgedAnew { ledger.takeOver(before: first, from: self) }
        let began = sessions.values.filter { ledger.judgements[$0.key] == nil }.map(\.began)
        guard let first = began.min(), let last = began.max() else { return ledger }
        ledger.judge(from: first, to: last)
        for day in ledger.days.keys {
            ledger.days[day]?.followsTravel = days[day]?.followsTravel ?? false
        }
        return ledger
    }

    /// What lies beside sessions that were forgotten can't be judged anew, so it stays as it was.
    private mutating func takeOver(before day: LocalDay, from other: Ledger) {
        judgements = other.judgements.filter { key, _ in
            other.sessions[key].map { !other.isJudgedAnew($0) } ?? true
        }
        days = other.days.filter { $0.key <= day }
    }

    /// Of those that began then, and what stands of the others: around them, not everything is known.
    private func verdicts(anew open: ClosedRange<Instant>) -> [Session.Key: Verdict] {
        Dictionary(grouping: sessions.values, by: \.key.deviceID).values
            .reduce(into: [:]) { verdicts, sessions in
                let onDevice = Plausibility.verdicts(on: sessions)
                for session in sessions {
                    let standing = open.contains(session.began) ? nil : judgements[session.key]?.verdict
                    verdicts[session.key] = standing ?? onDevice[session.key]
                }
            }
    }

    /// The days' sums, of sessions that are all here.
    mutating func addUp(_ changed: Set<LocalDay>, dayStart: DayStart) {
        guard !changed.isEmpty else { return }
        let sound = Dictionary(
            grouping: sessions.values.filter {
                changed.contains($0.localDay) && judgements[$0.key]?.verdict == .sound
            },
            by: \.localDay
        )
        for day in changed {
            days[day] = PracticeDay(day, sessions: sound[day] ?? [], judgements: judgements)
        }
        followTravel(around: changed, dayStart: dayStart)
    }

    /// Whether a day goes on from the one before it depends on both.
    private mutating func followTravel(around changed: Set<LocalDay>, dayStart: DayStart) {
        guard let first = changed.min(), let last = changed.max() else { return }
        let near = days.keys.filter { $0 >= first.advanced(by: -3) && $0 <= last.advanced(by: 3) }.sorted()
        for (earlier, later) in zip(near, near.dropFirst()) {
            guard let day = days[later], let before = days[earlier] else { continue }
            let follows = later > earlier.advanced(by: 1) && day.continues(before, startingAt: dayStart)
            if day.followsTravel != follows { days[later]?.followsTravel = follows }
        }
    }
}

// MARK: - What was forgotten

extension Ledger {
    /// What it takes to judge a session, ``window``'s days before it; and a local day is up to 18 hours away from UTC's.
    fileprivate static let daysInReach = Int(window.before / 86_400_000) + 2

    /// Whether a session may touch days whose sessions were forgotten, so that nothing tells what it counts for, nor
    /// whether it is one of them.
    package func isTooOld(_ session: Session) -> Bool {
        guard let open = detailFrom?.advanced(by: Self.daysInReach) else { return false }
        return session.localDay < open || LocalDay(of: session.began, in: .utc) < open
    }

    /// Whether sessions of that day may be gone.
    func isForgotten(_ day: LocalDay) -> Bool {
        detailFrom.map { day < $0 } ?? false
    }

    /// UTC's day from which on whatever a session may touch is here; nil where everything is.
    private var firstDayJudgedAnew: LocalDay? { detailFrom?.advanced(by: Self.daysInReach - 1) }

    func isJudgedAnew(_ session: Session) -> Bool {
        firstDayJudgedAnew.map { LocalDay(of: session.began, in: .utc) >= $0 } ?? true
    }
}

/// The sessions that count, in which those that went on beside another are found without a look at all of them.
private struct SoundSessions {
    /// Of each device, in the order in which they began, and with the latest end until then. It is mostly their own: of
    /// one device's, only a pardoned one overlaps another.
    private let byDevice: [[(session: Session, latestEnd: Instant)]]

    init(_ sessions: [Session]) {
        byDevice = Dictionary(grouping: sessions, by: \.key.deviceID).values.map { sessions in
            var latestEnd = Instant(milliseconds: .min)
            return sessions.sorted { $0.began < $1.began }.map { session in
                latestEnd = max(latestEnd, session.ended)
                return (session, latestEnd)
            }
        }
    }

    /// Those that may have been going on at the same time.
    func beside(_ session: Session) -> [Session] {
        let earliest = session.began.advanced(by: -Plausibility.longestSession)
        return byDevice.flatMap { entries in
            let from = entries.partition { $0.session.began >= earliest && $0.latestEnd > session.began }
            let to = entries.partition { $0.session.began >= session.ended }
            return from < to ? entries[from..<to].map(\.session) : []
        }
    }
}

extension Array {
    /// The first index at which `condition` holds, where it holds for all that follow.
    fileprivate func partition(_ condition: (Element) -> Bool) -> Int {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = (low + high) / 2
            if condition(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension PracticeDay {
    /// Nil without a sound session.
    fileprivate init?(_ day: LocalDay, sessions: [Session], judgements: [Session.Key: Judgement]) {
        let inOrder = sessions.sorted {
            ($0.ended, $0.key.deviceID, $0.key.sessionID) < ($1.ended, $1.key.deviceID, $1.key.sessionID)
        }
        guard let first = inOrder.first, let last = inOrder.last else { return nil }
        let counted = inOrder.map { (session: $0, judgement: judgements[$0.key]) }
        let xp = counted.reduce(0) { $0 + ($1.judgement?.xp ?? 0) }
        self.init(
            day: day,
            xp: xp,
            activeMilliseconds: counted.reduce(0) { $0 + ($1.judgement?.activeMilliseconds ?? 0) },
            sessions: counted.count,
            overlapXP: inOrder.reduce(0) { $0 + $1.xp } - xp,
            firstEndedAt: first.ended,
            lastEndedAt: last.ended,
            firstZone: first.zone,
            lastZone: last.zone,
            followsTravel: false
        )
    }
}
