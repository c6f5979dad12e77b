import Foundation
import Testing

@testable import Domain

/// What must hold for every two histories of one person in two accounts, of three devices each: a
/// tenth as many pairs as `SOAK_HISTORIES` says.
struct `Two accounts that become one` {
    private static let tried = max(2, UInt64(SyncHistory.tried / 40))

    @Test(arguments: [false, true])
    func `have every session of both, count nothing twice and lose nothing`(withClear: Bool) async throws {
        for seed in 1...Self.tried {
            await Task.yield()
            let goes = SyncHistory.ledger(after: Self.actions(seed, withClear), of: "old ")
            let stays = SyncHistory.ledger(after: Self.actions(seed + 1_000_000, withClear), of: "")
            var problems = Self.problems(of: goes, in: stays)
            let (old, new, both) = (Totals(of: goes), Totals(of: stays), Self.merge(goes, into: stays).totals)
            if both.totalXP > old.totalXP + new.totalXP { problems.append("more than both") }
            if !withClear, both.legacyXP < max(old.legacyXP, new.legacyXP) {
                problems.append("lost legacy XP")
            }
            guard !problems.isEmpty else { continue }
            Issue.record("seed \(seed): \(problems)")
            return
        }
    }

    @Test(arguments: [false, true])
    func `add up to the same where sessions that are long over were forgotten`(sharingDevices: Bool)
        async throws
    {
        for seed in 1...Self.tried / 2 {
            await Task.yield()
            var generator = SplitMix64(seed: seed)
            var goes = SyncHistory.ledger(after: Self.actions(seed, false), of: sharingDevices ? "" : "old ")
            var stays = SyncHistory.ledger(after: Self.actions(seed + 1_000_000, false), of: "")
            let (old, new) = (Totals(of: goes), Totals(of: stays))
            for ledger in [0, 1] where Bool.random(using: &generator) {
                let day = LocalDay(of: .on(day: Int.random(in: 0...9, using: &generator), 12), in: .utc)
                if ledger == 0 { goes.forget(before: day) } else { stays.forget(before: day) }
            }
            let both = Self.merge(goes, into: stays)
            var problems: [String] = []
            if both.totals.totalXP < max(old.totalXP, new.totalXP) {
                problems.append("less than one of them")
            }
            if both.ledger.recounted().days != both.ledger.days {
                problems.append("other days when counted again")
            }
            if !sharingDevices {
                let sessions = both.totals.sessions
                if both.totals.totalXP > old.totalXP + new.totalXP { problems.append("more than both") }
                if sessions > old.sessions + new.sessions { problems.append("\(sessions) sessions") }
            }
            guard !problems.isEmpty else { continue }
            Issue.record("seed \(seed): \(problems)")
            return
        }
    }

    /// Whatever epoch it is in, and whatever else it has cleared since.
    @Test func `don't bring back what a device shows that was cleared in one of them`() throws {
        func device(_ epoch: Int, claims claimed: Int, carries carried: Int? = nil) -> Device {
            Device(
                id: "laptop",
                name: "laptop",
                zone: .utc,
                epoch: epoch,
                lastTakenAt: Self.now,
                claimedXP: claimed,
                heldXP: claimed,
                carriedXP: carried
            )
        }
        func total(_ goes: Ledger, _ stays: Ledger) -> Int { Self.merge(goes, into: stays).totals.totalXP }
        let current = Ledger(devices: [device(1, claims: 30)])
        let stale = Ledger(epoch: 2, devices: [device(1, claims: 1000)])
        let carrying = Ledger(epoch: 2, devices: [device(2, claims: 1000, carries: 1000)])
        #expect(total(stale, current) == 30)
        #expect(total(carrying, current) == 30)
        #expect(total(current, stale) == 30)
        #expect(total(current, carrying) == 30)
        #expect(total(current, Ledger(devices: [device(1, claims: 70)])) == 70)
    }

    /// Whichever of the two had cleared it: for a device that never heard of that, it is still done.
    @Test(arguments: [false, true])
    func `don't bring back a challenge that was cleared in one of them`(inTheOneThatStays: Bool) {
        var (cleared, other) = (Household(), Household())
        var (laptop, desktop) = (SyncingDevice("laptop", in: .utc), SyncingDevice("desktop", in: .utc))
        let done = LocalDay(of: .on(day: 1, 12), in: .utc)
        laptop.complete(Self.challenge("minutes", on: done))
        desktop.complete(Self.challenge("minutes", on: done))
        laptop.sync(with: &cleared, at: .on(day: 1, 12))
        desktop.sync(with: &other, at: .on(day: 1, 12))
        let tablet = DeviceDescription(id: Label("tablet"), name: Label("tablet"), timeZone: .utc)
        _ = cleared.clear(by: tablet, now: .on(day: 2, 12))

        var home = Household()
        let (goes, stays) =
            inTheOneThatStays ? (other.ledger, cleared.ledger) : (cleared.ledger, other.ledger)
        home.ledger = Self.merge(goes, into: stays).ledger
        laptop.complete(Self.challenge("minutes", on: done))
        laptop.sync(with: &home, at: .on(day: 3, 12))
        #expect(Totals(of: home.ledger).totalXP == 10)
        // The same name on a later day is another challenge.
        laptop.complete(Self.challenge("minutes", on: done.advanced(by: 2)))
        laptop.sync(with: &home, at: .on(day: 3, 13))
        #expect(Totals(of: home.ledger).totalXP == 20)
    }

    @Test func `are one of them where the devices had brought all of it to that one too`() async throws {
        for seed in 1...Self.tried {
            await Task.yield()
            let actions = Self.actions(seed, false)
            let goes = SyncHistory.ledger(after: Array(actions.prefix(actions.count / 2)), of: "")
            let stays = SyncHistory.ledger(after: actions, of: "")
            var problems = Self.problems(of: goes, in: stays)
            let both = Self.merge(goes, into: stays)
            if both.totals != Totals(of: stays) || both.ledger.sessions != stays.sessions {
                problems.append("more")
            }
            // Its devices know versions of the account that ended.
            if !both.changesState { problems.append("no newer version") }
            guard !problems.isEmpty else { continue }
            Issue.record("seed \(seed): \(problems)")
            return
        }
    }

    private static func actions(_ seed: UInt64, _ withClear: Bool) -> [SyncHistory.Action] {
        SyncHistory.actions(seed: seed, withClear: withClear, atOnce: true)
    }

    private static func merge(_ goes: Ledger, into stays: Ledger, syncVersion: Int = 1) -> Merge {
        Merge(absorbing: goes, into: stays, syncVersion: syncVersion, now: now)
    }

    private static let now = Instant.on(day: 60, 0)

    private static func challenge(_ name: String, on day: LocalDay) -> ExtensionExport.ChallengeRecord {
        ExtensionExport.ChallengeRecord(
            id: Label(name),
            date: "\(day)",
            type: Label("minutes"),
            target: Count(10),
            rewardXP: Count(10),
            completed: true,
            expired: nil
        )
    }

    private static func problems(of goes: Ledger, in stays: Ledger) -> [String] {
        let merge = merge(goes, into: stays)
        let (ledger, totals) = (merge.ledger, merge.totals)
        var problems: [String] = []
        let expected = Set(stays.sessions.keys).union(Set(goes.sessions.keys).subtracting(stays.cleared))
        if Set(ledger.sessions.keys) != expected { problems.append("other sessions") }
        if ledger.recounted().days != ledger.days { problems.append("days that aren't of the sessions") }
        for device in ledger.devices.values {
            let brought = ledger.sessions.values.reduce(0) { sum, session in
                let counts =
                    session.key.deviceID == device.id
                    && ledger.judgements[session.key]?.verdict.isPossible == true
                return sum + (counts ? session.xp : 0)
            }
            if device.sessionXP != brought { problems.append("\(device.id) brought \(brought)") }
        }
        if totals.totalXP < max(Totals(of: goes).totalXP, Totals(of: stays).totalXP) {
            problems.append("less than one of them")
        }
        let again = Self.merge(goes, into: ledger, syncVersion: 2)
        if again.totals != totals || again.ledger.sessions != ledger.sessions {
            problems.append("twice is more than once")
        }
        return problems
    }
}
