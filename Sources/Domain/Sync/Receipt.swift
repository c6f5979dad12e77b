/// What a merge did to one field, so that it can be explained to the person it
/// happened to.
package struct ReceiptEntry: Hashable, Sendable, Encodable {
    package enum Rule: String, Hashable, Sendable, Encodable {
        /// Sessions, challenge rewards, and what the device holds beyond them.
        case sessionsAndRewardsAndLegacy
        /// By the level table, from the merged XP.
        case derivedFromXP
        /// By counting the sound sessions of all devices.
        case derivedFromSessions
        /// By counting local days with practice; the claim is only compared.
        case derivedFromLocalDays
        /// Every challenge that any device completed.
        case union
        /// "Clear data": a new epoch begins, and nothing older comes back.
        case clearedByDevice
        /// The export was taken before the data was cleared.
        case takenBeforeClear
    }

    package let field: String
    package let client: Int
    package let server: Int
    package let result: Int
    package let rule: Rule
}

/// What became of one session of an export.
package struct SessionOutcome: Hashable, Sendable, Encodable {
    package enum Outcome: String, Hashable, Sendable, Encodable {
        case accepted
        case duplicate
        case quarantined
        case rejected
    }

    /// Position in the export's list.
    package let index: Int
    package let id: String?
    package let startedAt: Instant?
    package let outcome: Outcome
    package let reason: String?
    package let field: String?
    /// What is wrong with the field, for people.
    package let detail: String?

    init(
        index: Int,
        id: String? = nil,
        startedAt: Instant? = nil,
        outcome: Outcome,
        reason: String? = nil,
        field: String? = nil,
        detail: String? = nil
    ) {
        self.index = index
        self.id = id
        self.startedAt = startedAt
        self.outcome = outcome
        self.reason = reason
        self.field = field
        self.detail = detail
    }
}
