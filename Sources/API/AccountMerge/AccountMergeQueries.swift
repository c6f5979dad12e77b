import Domain
import Foundation
import PGClient
import Tenancy

/// The account that stays, as it is now.
struct MergedAccount: Sendable {
    struct Answer: Encodable, Sendable {
        let uid: String
        let practice: AccountMergePreview.Practice
    }

    let uid: UUID
    /// Nil where the other account had nothing.
    let syncVersion: Int?
    let totals: Totals

    var answer: Answer { Answer(uid: uid.text, practice: AccountMergePreview.Practice(totals)) }
}

extension TenantTransaction {
    func openMerge(showing digest: [UInt8], at now: Date, until: Date) async throws {
        try await execute("select app.open_account_merge(\(digest), \(now), \(until))")
    }

    /// False where no other account shows the code, or a third one has agreed before.
    func agreeToMerge(_ digest: [UInt8], at now: Date) async throws -> Bool {
        try await queryOne("select app.agree_to_account_merge(\(digest), \(now))", as: Bool.self)
    }

    /// Whichever of the two this account is.
    func withdrawMerge() async throws {
        try await execute("delete from app.account_merge where \(principal.uid) in (uid, into_uid)")
    }

    /// Nil where this account is not to end.
    func ownMergeIsGoodUntil(_ now: Date) async throws -> Instant? {
        try await query(
            "select good_until from app.account_merge where uid = \(principal.uid) and good_until > \(now)",
            as: (Instant).self
        ).first
    }

    func goOver(toAccountShowing digest: [UInt8], at now: Date) async throws -> TenantTransaction? {
        try await goOver(by: "select app.enter_account_that_goes(\(digest), \(now))")
    }

    func goOverToAccountThatStays(at now: Date) async throws -> TenantTransaction? {
        try await goOver(by: "select app.enter_account_that_stays(\(now))")
    }

    func mergeSide() async throws -> AccountMergeSide {
        let (name, addresses) = try await queryOne(
            """
            select (select display_name from app.user where uid = \(principal.uid)),
              array(select address from app.email_claim where uid = \(principal.uid) order by verified_at, address)
            """,
            as: (String?, [String]).self
        )
        return AccountMergeSide(
            uid: principal.uid,
            displayName: name,
            stored: try await wholeLedger(.ofAllEpochs),
            addresses: addresses,
            organizations: try await ownMemberships().map(\.name)
        )
    }

    /// Nil where that account has not agreed. One transaction: until it is over, nothing is anybody else's.
    func merge(into uid: UUID, by origin: Origin, at now: Date) async throws -> MergedAccount? {
        let isConfirmed = try await queryOne(
            "select app.confirm_account_merge(\(uid), \(now))",
            as: Bool.self
        )
        let goes = try await wholeLedger(.ofAllEpochs, isLocked: true)
        guard isConfirmed, let staying = try await goOverToAccountThatStays(at: now) else { return nil }
        let stays = try await staying.wholeLedger(.ofAllEpochs, isLocked: true)
        let merge = stays.absorbing(goes, at: Instant(now))
        guard merge.ledger.sessionsInDetail <= SyncRoutes.mostSessions else {
            throw Problem.tooManySessions("sessions")
        }
        try await staying.execute(
            "select app.take_over_account(\(principal.uid), \(origin.network(at: now)))"
        )
        let revision = Revision(
            version: stays.versionAbsorbing(goes),
            modifiedAt: Instant(now),
            deviceID: stays.revision.deviceID ?? goes.revision.deviceID
        )
        try staying.store(merge, over: stays, as: revision, nil)
        try staying.storeClearedChallenges(of: merge, over: stays)
        if merge.changesState { try staying.makeNews(of: revision) }
        try staying.record(.accountMerged, principal.uid.text, by: origin, at: now)
        return MergedAccount(
            uid: uid,
            syncVersion: merge.changesState ? revision.version : nil,
            totals: merge.totals
        )
    }

    /// Every session is news to every device: none of them knew both accounts.
    private func makeNews(of revision: Revision) throws {
        try executeWithCommit(
            """
            update app.session set sync_version = \(revision.version)
            where uid = \(principal.uid) and sync_version <> \(revision.version)
            """
        )
    }
}
