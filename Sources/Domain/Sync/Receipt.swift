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
        /// Everything that any device has.
        case union
        /// Entry by entry; what was removed stays removed.
        case keyedMerge
        /// Key by key, the last one who wrote.
        case lastWriter
        /// Assigned here, never taken.
        case assignedByServer
        /// It stays on the device.
        case localOnly
        /// Not a field of the game state.
        case unknownField
        /// Its value isn't what the field holds.
        case invalidValue
        /// The claim contains an answer that isn't known any more, so it can't be told what is new in it.
        case unknownBase
        /// "Clear data": a new epoch begins, and nothing older comes back.
        case clearedByDevice
        /// Taken before the data was cleared.
        case takenBeforeClear
    }

    package let field: String
    package let client: JSONValue
    package let server: JSONValue
    package let result: JSONValue
    package let rule: Rule
    /// What is wrong with the value, for people.
    package let detail: String?

    init(
        _ field: String,
        client: JSONValue = .null,
        server: JSONValue = .null,
        result: JSONValue = .null,
        rule: Rule,
        detail: String? = nil
    ) {
        self.field = field
        self.client = client
        self.server = server
        self.result = result
        self.rule = rule
        self.detail = detail
    }
}

/// What became of one item of a batch or an export.
package struct ItemOutcome: Hashable, Sendable, Encodable {
    package enum Outcome: String, Hashable, Sendable, Encodable {
        case accepted
        case duplicate
        case quarantined
        case rejected
    }

    package enum List: String, Hashable, Sendable, Encodable {
        case sessions
        case challengeClaims
    }

    package let list: List
    /// Position in that list.
    package let index: Int
    package var id: String?
    package var startedAt: Instant?
    package var outcome: Outcome
    package var reason: String?
    package var field: String?
    /// What is wrong with the field, for people.
    package var detail: String?
    /// What the session counts for, where another device counts for some of the same minutes.
    package var countedXP: Int?

    init(
        _ list: List = .sessions,
        index: Int,
        id: String? = nil,
        startedAt: Instant? = nil,
        outcome: Outcome,
        reason: String? = nil,
        field: String? = nil,
        detail: String? = nil,
        countedXP: Int? = nil
    ) {
        self.list = list
        self.index = index
        self.id = id
        self.startedAt = startedAt
        self.outcome = outcome
        self.reason = reason
        self.field = field
        self.detail = detail
        self.countedXP = countedXP
    }
}
