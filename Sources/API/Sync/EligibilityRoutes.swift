import Domain
import Foundation
import Hummingbird
import Tenancy

/// `/v1/sync/eligibility` and `/v1/sync/enable`: the gate, asked and passed.
struct EligibilityRoutes: Sendable {
    let database: TenantDatabase
    let limits: Limits
    let now: @Sendable () -> Date

    /// The product brief's `SyncEligibility`, and what to ask the person with.
    struct Answer: Encodable {
        let eligible: Bool
        let requirements: Eligibility.Requirements
        let currentState: Eligibility.CurrentState
        let nextRequirement: Eligibility.NextRequirement?
        let currentlyEnabled: Bool
        /// Nil for those who can't accept it, and those who have.
        let invitation: Invitation?

        init(_ eligibility: Eligibility, currentlyEnabled: Bool) {
            eligible = eligibility.eligible
            requirements = eligibility.requirements
            currentState = eligibility.currentState
            nextRequirement = eligibility.nextRequirement
            self.currentlyEnabled = currentlyEnabled
            invitation = eligible && !currentlyEnabled ? .toSync : nil
        }
    }

    /// What the extension knows of itself: a state that it claims, or an export,
    /// whose sessions say more than its totals.
    private enum Question: Decodable {
        case claimed(Eligibility.CurrentState)
        case exported(ExportSubmission)

        enum CodingKeys: CodingKey {
            case export
        }

        init(from decoder: any Decoder) throws {
            let isExport = try decoder.container(keyedBy: CodingKeys.self).contains(.export)
            self =
                isExport
                ? .exported(try ExportSubmission(from: decoder))
                : .claimed(try Eligibility.CurrentState(from: decoder))
        }
    }

    func add(to everybody: some RouterMethods<AppContext>, members: some RouterMethods<MemberContext>) {
        everybody.group("sync").post("eligibility", use: eligibility)
        members.group("sync").post("enable", use: enableSync)
    }

    /// `POST /v1/sync/eligibility`: for the asking, without an account. Nothing of it is
    /// stored, and a state that is only claimed passes no gate by it.
    @Sendable func eligibility(_ request: Request, in context: AppContext) async throws -> Response {
        // What comes is read and judged only for those who haven't asked too often.
        try await limits.take(.askEligibility, from: context.origin.source)
        let eligibility =
            switch try await JSON.decode(Question.self, from: request) {
            case .claimed(let state): Eligibility(state)
            case .exported(let submission): Eligibility(of: submission, now: Instant(now()))
            }
        return try JSON.response(Answer(eligibility, currentlyEnabled: false))
    }

    /// `POST /v1/sync/enable`: the person's own yes. Judged as a first sync would
    /// be, and only the yes is kept: sessions come with the first sync.
    @Sendable func enableSync(_ request: Request, in context: MemberContext) async throws -> Response {
        let submission = try await JSON.decode(ExportSubmission.self, from: request)
        let (takenAt, now) = (submission.takenAt, Instant(now()))
        let eligibility = Eligibility(of: submission, now: now)
        let isEnabled = try await database.write(as: context.principal) { tx in
            try await tx.enableSync(eligibility.eligible ? min(takenAt, now) : nil)
        }
        guard isEnabled else { throw Problem.notEligible(eligibility) }
        let passed = Eligibility(eligibility.currentState, wasEligible: true)
        return try JSON.response(Answer(passed, currentlyEnabled: true))
    }
}
