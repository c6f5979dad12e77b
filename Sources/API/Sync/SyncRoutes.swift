import Domain
import Foundation
import Hummingbird
import Tenancy

/// `/v1/sync`: a device's practice in, the person's state out.
struct SyncRoutes: Sendable {
    let database: TenantDatabase
    let doorbell: SyncDoorbell
    let now: @Sendable () -> Date

    /// Twenty a day for years. Beyond, a ledger would cost others their answers.
    static let mostSessions = 20_000

    struct Answer: Encodable {
        let state: GameState
        let receipt: [ReceiptEntry]
        let sessions: [SessionOutcome]
        let eligibility: Eligibility
    }

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.group("sync")
            .put("export", use: submitExport)
            .get("state", use: ownState)
    }

    /// `PUT /v1/sync/export`: unites the extension's export with what is known.
    /// Sending it again changes nothing.
    @Sendable func submitExport(_ request: Request, in context: MemberContext) async throws -> Response {
        let submission = try await JSON.decode(ExportSubmission.self, from: request)
        return try JSON.response(try await submit(submission, as: context.principal))
    }

    /// One export, one transaction: the merge, what it adds up to, the boards.
    func submit(_ submission: ExportSubmission, as principal: Principal) async throws -> Answer {
        let (answer, isNews) = try await database.write(as: principal) { tx in
            let before = try await tx.lockedLedger()
            let merge = Merge(submission, into: before.ledger, now: Instant(now()))
            guard merge.eligibility.eligible else { throw Problem.notEligible(merge.eligibility) }
            guard merge.ledger.sessions.count <= Self.mostSessions else { throw Problem.tooManySessions }

            let revision = try await tx.store(merge, over: before, from: submission, at: Instant(now()))
            let today = LocalDay(of: merge.asOf, in: submission.device.timeZone)
            let answer = Answer(
                state: GameState(merge.ledger, totals: merge.totals, asOf: today, revision: revision),
                receipt: merge.receipt,
                sessions: merge.sessions,
                eligibility: merge.eligibility
            )
            return (answer, revision != before.revision)
        }
        if isNews {
            doorbell.ring(for: principal, at: answer.state.syncVersion, by: submission.device.id.text)
        }
        return answer
    }

    /// `GET /v1/sync/state`: the person's state, its streak as of today where they are.
    @Sendable func ownState(_ request: Request, in context: MemberContext) async throws -> Response {
        let stored = try await database.read(as: context.principal) { tx in
            try await tx.ledger()
        }
        let zone =
            stored.ledger.devices.values.max { $0.lastTakenAt < $1.lastTakenAt }?.zone ?? .utc
        let state = GameState(
            stored.ledger,
            totals: Totals(of: stored.ledger),
            asOf: LocalDay(of: Instant(now()), in: zone),
            revision: stored.revision
        )
        return try JSON.response(state)
    }
}

extension Problem {
    fileprivate static let tooManySessions = Problem(
        .unprocessableContent,
        "too_many_sessions",
        "More sessions than a person can have",
        detail: "at most \(SyncRoutes.mostSessions)",
        field: "export.breathMaster.meditation.sessions"
    )
}
