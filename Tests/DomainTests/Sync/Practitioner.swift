import Domain

/// A person who syncs, remembered as the store remembers them: what an export
/// makes of the ledger is kept only once the gate is passed.
struct Practitioner {
    var ledger = Ledger()

    /// Someone who passed the gate long before the history at hand.
    static var veteran: Practitioner {
        Practitioner(ledger: Ledger(eligibleAt: .on(day: -1000, 0)))
    }

    var totals: Totals { Totals(of: ledger) }

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
