/// The level-5 gate (product brief, "Level 5+ Gateway System"): cloud sync is
/// an invitation to those who practise, judged on what the ledger proves.
package struct Eligibility: Hashable, Sendable, Encodable {
    package struct Requirements: Hashable, Sendable, Encodable {
        package var minLevel = 5
        package var minTotalSessions = 25
        package var minStreak = 3
        /// Whole days since the first session.
        package var accountAge = 7
    }

    package struct CurrentState: Hashable, Sendable, Codable {
        package let currentLevel: Int
        package let totalSessions: Int
        package let currentStreak: Int
        /// Whole days.
        package let accountAge: Int
    }

    package struct NextRequirement: Hashable, Sendable, Encodable {
        package let name: String
        package let required: Int
        package let current: Int
    }

    package let eligible: Bool
    package let requirements: Requirements
    package let currentState: CurrentState
    /// The first that isn't met; nil when all are, or were once.
    package let nextRequirement: NextRequirement?

    /// Judges a state, whoever vouches for it.
    ///
    /// - Parameter wasEligible: whether the gate was passed before. It stays
    ///   passed: a lost streak locks nobody out.
    package init(_ state: CurrentState, wasEligible: Bool = false) {
        let requirements = Requirements()
        let inOrder = [
            NextRequirement(name: "minLevel", required: requirements.minLevel, current: state.currentLevel),
            NextRequirement(
                name: "minTotalSessions",
                required: requirements.minTotalSessions,
                current: state.totalSessions
            ),
            NextRequirement(
                name: "minStreak",
                required: requirements.minStreak,
                current: state.currentStreak
            ),
            NextRequirement(name: "accountAge", required: requirements.accountAge, current: state.accountAge),
        ]
        self.requirements = requirements
        self.currentState = state
        self.nextRequirement = wasEligible ? nil : inOrder.first { $0.current < $0.required }
        self.eligible = nextRequirement == nil
    }

    /// - Parameters:
    ///   - asOf: the moment at which the age is judged.
    ///   - today: the local day then, as streaks count it.
    ///   - wasEligible: as above.
    package init(
        _ totals: Totals,
        firstSessionAt: Instant?,
        asOf: Instant,
        on today: LocalDay,
        wasEligible: Bool
    ) {
        let firstStart = firstSessionAt ?? asOf
        let state = CurrentState(
            currentLevel: totals.level.number,
            totalSessions: totals.sessions,
            currentStreak: totals.streaks.current(on: today),
            accountAge: Int(max(0, asOf.milliseconds - firstStart.milliseconds) / 86_400_000)
        )
        self.init(state, wasEligible: wasEligible)
    }

    /// Judges an export by itself, as it would be judged if it came first.
    package init(of submission: ExportSubmission, now: Instant) {
        self = Merge(submission, into: Ledger(), now: now).eligibility
    }
}

extension Eligibility.CurrentState {
    /// The brief's `GameState`, as the extension claims it. What is begun doesn't
    /// count: six and a half days are six.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func whole(_ key: CodingKeys) throws -> Int {
            let number = try container.decode(Double.self, forKey: key).rounded(.down)
            guard number >= 0, number <= Double(Int32.max) else {
                throw DecodingError.dataCorruptedError(
                    forKey: key,
                    in: container,
                    debugDescription: "must be a number from 0 to \(Int32.max)"
                )
            }
            return Int(number)
        }
        currentLevel = try whole(.currentLevel)
        totalSessions = try whole(.totalSessions)
        currentStreak = try whole(.currentStreak)
        accountAge = try whole(.accountAge)
    }
}
