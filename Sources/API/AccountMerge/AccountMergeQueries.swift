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
    let syncVersion: Int
    let answer: Answer
}

extension TenantTransaction {
    func openMerge(showing digest: [UInt8], at now: Date, until: Date) async throws {
        try await execute("select app.open_account_merge(\(digest), \(now), \(until))")
    }

    /// False where no other account shows the code, or a third one has agreed before.
    func agreeToMerge(_ digest: [UInt8], at now: Date) async throws -> Bool {
        try await queryOne("select app.agree_to_account_merge(\(digest), \(now))", as: Bool.self)
    }

    func withdrawMerge() async throws {
        try await execute("delete from app.account_merge where uid = \(principal.uid)")
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

    func mergeSide(at now: Date) async throws -> AccountMergeSide {
        let (name, addresses, friends) = try await queryOne(
            """
            select (select display_name from app.user where uid = \(principal.uid)),
              array(select address from app.email_claim where uid = \(principal.uid) order by verified_at, address),
              (select count(*) from board.friend where state = 'friends')
            """,
            as: (String?, [String], Int).self
        )
        return AccountMergeSide(
            uid: principal.uid,
            displayName: name,
            stored: try await wholeLedger(),
            addresses: addresses,
            organizations: try await ownMemberships().map(\.name),
            friends: friends
        )
    }

    /// Nil where the other account has not agreed. One transaction: until it is over, nothing is anybody else's.
    func mergeIntoAccountThatStays(by origin: Origin, at now: Date) async throws -> MergedAccount? {
        let (goes, _) = try await lockedLedger(handedAs: 0, to: "")
        guard let staying = try await goOverToAccountThatStays(at: now) else { return nil }
        let (before, _) = try await staying.lockedLedger(handedAs: 0, to: "")
        let merge = before.absorbing(goes, at: Instant(now))
        guard merge.totals.sessions <= SyncRoutes.mostSessions else {
            throw Problem.tooManySessions("sessions")
        }
        try await staying.execute(
            "select app.take_over_account(\(principal.uid), \(origin.network(at: now)))"
        )
        let revision = Revision(
            version: before.revision.version + 1,
            modifiedAt: Instant(now),
            deviceID: before.revision.deviceID
        )
        try staying.store(merge, over: before.meetingDevices(of: goes), as: revision, nil)
        try staying.record(.accountMerged, "\(principal.uid.text)", by: origin, at: now)
        return MergedAccount(
            uid: staying.principal.uid,
            syncVersion: revision.version,
            answer: MergedAccount.Answer(
                uid: staying.principal.uid.text,
                practice: AccountMergePreview.Practice(merge.totals)
            )
        )
    }
}

extension StoredLedger {
    /// As it is stored once the devices of an account that ends are here, and nothing has been added up yet.
    fileprivate func meetingDevices(of other: StoredLedger) -> StoredLedger {
        var ledger = ledger
        ledger.meet(other.ledger.devices.values, of: other.ledger)
        return StoredLedger(
            ledger: ledger,
            revision: revision,
            dayStart: dayStart,
            frequency: frequency,
            devicesOfThisSignIn: devicesOfThisSignIn
        )
    }
}
