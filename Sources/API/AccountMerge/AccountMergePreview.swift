import Domain
import Foundation

/// One of two accounts that are to become one.
struct AccountMergeSide: Sendable {
    let uid: UUID
    let displayName: String?
    let stored: StoredLedger
    let addresses: [String]
    let organizations: [String]
}

/// What comes of two accounts that become one: shown to both before, in the same words.
struct AccountMergePreview: Encodable, Sendable {
    struct Practice: Encodable, Sendable {
        let totalXP, currentLevel, totalSessions, totalMinutes, longestStreak: Int

        init(_ totals: Totals) {
            totalXP = totals.totalXP
            currentLevel = totals.level.number
            totalSessions = totals.sessions
            totalMinutes = totals.totalMinutes
            longestStreak = totals.streaks.longest
        }
    }

    struct Account: Encodable, Sendable {
        let uid: String
        let displayName: String?
        let practice: Practice

        init(_ side: AccountMergeSide) {
            uid = side.uid.text
            displayName = side.displayName
            practice = Practice(Totals(of: side.stored.ledger))
        }
    }

    /// Ends.
    let from: Account
    /// Stays, with its name, its settings, what it shows and what lets somebody in.
    let into: Account
    /// What the account that stays has afterwards.
    let result: Practice
    /// What the account that ends leaves behind: addresses, which are free then, and companies, which know that
    /// account and what it agreed to alone.
    let addressesLeft: [String]
    let organizationsLeft: [String]

    init(from goes: AccountMergeSide, into stays: AccountMergeSide, at now: Instant) {
        from = Account(goes)
        into = Account(stays)
        result = Practice(stays.stored.absorbing(goes.stored, at: now).totals)
        addressesLeft = goes.addresses
        organizationsLeft = goes.organizations
    }
}

extension StoredLedger {
    /// Whoever knows but one of the accounts has seen neither the other's version nor this one.
    func versionAbsorbing(_ other: StoredLedger) -> Int {
        max(revision.version, other.revision.version) + 1
    }

    func absorbing(_ other: StoredLedger, at now: Instant) -> Merge {
        Merge(
            absorbing: other.ledger,
            into: ledger,
            syncVersion: versionAbsorbing(other),
            dayStart: dayStart,
            now: now
        )
    }
}
