@testable import Domain

/// A person who syncs, remembered as the store remembers them: what an export
/// makes of the ledger is kept only once the gate is passed.
struct Practitioner {
    var ledger = Ledger()

    /// Someone who passed the gate long before the history at hand.
    static var veteran: Practitioner {
        Practitioner(ledger: Ledger(eligibleAt: .on(day: -1000, 0)))
    }

    var totals: Totals { Totals(of: ledger) }

    /// The sessions that count, in the order in which they ended.
    var sound: [Session] {
        ledger.sessions.values.filter { ledger.judgements[$0.key]?.verdict == .sound }
            .sorted { ($0.ended, $0.key.sessionID) < ($1.ended, $1.key.sessionID) }
    }

    /// - Parameter now: the server's clock; by default later than every history.
    @discardableResult
    mutating func sync(_ submission: ExportSubmission, now: Instant = .on(day: 1000, 0)) -> Merge {
        let merge = Merge(submission, into: ledger, now: now)
        if merge.eligibility.eligible {
            ledger = merge.ledger
        }
        return merge
    }

    mutating func sync(_ submissions: some Sequence<ExportSubmission>, now: Instant = .on(day: 1000, 0)) {
        for submission in submissions {
            sync(submission, now: now)
        }
    }
}

extension Ledger {
    /// One that holds these sessions, judged and added up.
    static func of(_ sessions: [Session], by devices: [Device] = []) -> Ledger {
        var ledger = Ledger(devices: devices)
        for session in sessions {
            ledger.sessions[session.key] = session
            let id = session.key.deviceID
            ledger.devices[id] =
                ledger.devices[id]
                ?? Device(id: id, name: id, zone: .utc, epoch: 1, lastTakenAt: session.receivedAt)
        }
        let began = sessions.map(\.began)
        if let first = began.min(), let last = began.max() { ledger.judge(from: first, to: last) }
        return ledger
    }
}
