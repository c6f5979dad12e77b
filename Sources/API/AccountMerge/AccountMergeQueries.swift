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
    /// Nil where nothing is different, since the other account had nothing.
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
            stored: try await ledgerOfAllEpochs(isLocked: false),
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
        let goes = try await ledgerOfAllEpochs(isLocked: true)
        guard isConfirmed, let staying = try await goOverToAccountThatStays(at: now) else { return nil }
        let stays = try await staying.ledgerOfAllEpochs(isLocked: true)
        let merge = stays.absorbing(goes, at: Instant(now))
        guard merge.totals.sessions <= SyncRoutes.mostSessions else {
            throw Problem.tooManySessions("sessions")
        }
        try await staying.execute(
            "select app.take_over_account(\(principal.uid), \(origin.network(at: now)))"
        )
        if merge.changesState { try staying.store(merge, of: goes, over: stays, at: Instant(now)) }
        try staying.record(.accountMerged, principal.uid.text, by: origin, at: now)
        let version = merge.changesState ? stays.versionAbsorbing(goes) : nil
        return MergedAccount(uid: uid, syncVersion: version, totals: merge.totals)
    }

    /// What the account has taken over adds up to. All of it is news to every device.
    private func store(_ merge: Merge, of goes: StoredLedger, over stays: StoredLedger, at now: Instant)
        throws
    {
        let revision = Revision(
            version: stays.versionAbsorbing(goes),
            modifiedAt: now,
            deviceID: stays.revision.deviceID ?? goes.revision.deviceID
        )
        try store(merge, over: stays.withDevices(of: goes), as: revision, nil)
        try executeWithCommit(
            "update app.session set sync_version = \(revision.version) where uid = \(principal.uid)"
        )
    }
}

extension StoredLedger {
    /// As it is stored once the devices of the account that ends are here, and nothing of them is right yet.
    fileprivate func withDevices(of other: StoredLedger) -> StoredLedger {
        var ledger = ledger
        for id in other.ledger.devices.keys where ledger.devices[id] == nil {
            ledger.devices[id] = Device(
                id: id,
                name: "",
                zone: .utc,
                epoch: -1,
                lastTakenAt: Instant(milliseconds: 0)
            )
        }
        return StoredLedger(
            ledger: ledger,
            revision: revision,
            dayStart: dayStart,
            frequency: frequency,
            devicesOfThisSignIn: devicesOfThisSignIn
        )
    }
}
