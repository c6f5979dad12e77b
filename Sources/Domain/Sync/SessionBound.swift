/// How many sessions a person may have. Those that are one too many are refused, each for itself.
package struct SessionBound: Hashable, Sendable {
    /// Twenty a day for years. Beyond, a ledger would cost others their answers.
    package static let mostSessions = 20_000

    /// Of those that count, as far as their detail is kept.
    let most: Int
    /// Whether there is room for those that count for nothing.
    let takesQuarantined: Bool

    package init(most: Int = SessionBound.mostSessions, takesQuarantined: Bool = true) {
        self.most = most
        self.takesQuarantined = takesQuarantined
    }

    /// Where those that are stored, counting or not, leave no room. In later epochs there is none for any: those that
    /// were cleared are stored too.
    package static func full(inEpoch epoch: Int) -> SessionBound {
        SessionBound(most: epoch == 1 ? mostSessions : 0, takesQuarantined: false)
    }
}

extension Ledger {
    /// How many sessions count, of days whose detail is kept.
    package var sessionsInDetail: Int {
        days.values.reduce(0) { $0 + (isForgotten($1.day) ? 0 : $1.sessions) }
    }
}
