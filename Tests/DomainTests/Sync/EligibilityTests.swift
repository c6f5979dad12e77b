import Foundation
import Testing

@testable import Domain

struct `The gate to cloud sync` {
    /// `sessions` on each of the last `days` days before the asked moment, the
    /// first of them `ageDays` and `ageMilliseconds` before it, worth `xp` in all.
    private func ledger(
        sessions: Int = 25,
        streak: Int = 3,
        ageDays: Int = 7,
        ageMilliseconds: Int = 0,
        xp: Int = 500
    ) -> Ledger {
        let oldest = Instant.on(day: -ageDays, 20) + -ageMilliseconds
        let starts =
            [oldest] + (0..<streak).map { Instant.on(day: -$0, 8) }
            + (0..<max(0, sessions - streak - 1)).map { oldest + ($0 + 1) * 60_000 }
        let practice = starts.prefix(sessions).enumerated().map { index, start in
            Session(
                key: Session.Key(deviceID: "laptop", sessionID: "\(index)", startedAt: start),
                endedAt: start + 30_000,
                localDay: LocalDay(of: start + 30_000, in: .utc),
                activeMilliseconds: 30_000,
                cycles: 0,
                goalMinutes: nil,
                goalBonusXP: 0,
                receivedAt: start + 30_000
            )
        }
        let device = Device(
            id: "laptop",
            name: "laptop",
            zone: .utc,
            epoch: 1,
            lastTakenAt: asked,
            claimedXP: xp
        )
        return .of(practice, by: [device])
    }

    private let asked = Instant.on(day: 0, 20)

    private func gate(
        _ ledger: Ledger,
        at asked: Instant? = nil,
        in zone: Zone = .utc,
        wasEligible: Bool = false
    ) -> Eligibility {
        Eligibility(
            Totals(of: ledger),
            firstSessionAt: ledger.sessions.keys.map(\.startedAt).min(),
            asOf: asked ?? self.asked,
            on: ledger.streakToday(at: asked ?? self.asked, in: zone, startingAt: .midnight),
            wasEligible: wasEligible
        )
    }

    @Test func `all four requirements met exactly open it`() {
        let gate = gate(ledger())
        #expect(gate.eligible)
        #expect(gate.nextRequirement == nil)
        #expect(
            gate.currentState
                == Eligibility.CurrentState(
                    currentLevel: 5,
                    totalSessions: 25,
                    currentStreak: 3,
                    accountAge: 7
                )
        )
    }

    @Test func `level 5 is a requirement of its own`() {
        expect(gate(ledger(xp: 499)), misses: "minLevel", required: 5, current: 4)
    }

    @Test func `25 sessions are a requirement of their own`() {
        expect(gate(ledger(sessions: 24)), misses: "minTotalSessions", required: 25, current: 24)
    }

    @Test func `a streak of 3 is a requirement of its own`() {
        expect(gate(ledger(streak: 2)), misses: "minStreak", required: 3, current: 2)
    }

    @Test func `7 whole days since the first session are a requirement of their own`() {
        expect(gate(ledger(ageMilliseconds: -1)), misses: "accountAge", required: 7, current: 6)
    }

    @Test func `the first requirement that isn't met is the next one`() {
        expect(gate(ledger(sessions: 24, streak: 1, xp: 0)), misses: "minLevel", required: 5, current: 1)
        expect(gate(ledger(sessions: 24, streak: 1)), misses: "minTotalSessions", required: 25, current: 24)
    }

    @Test func `someone who never practised is told what to do first`() {
        let gate = gate(Ledger())
        expect(gate, misses: "minLevel", required: 5, current: 1)
        #expect(gate.currentState.accountAge == 0)
    }

    @Test func `once open it stays open, with the state shown as it is`() {
        let gate = gate(ledger(sessions: 3, streak: 1, xp: 10), wasEligible: true)
        #expect(gate.eligible)
        #expect(gate.nextRequirement == nil)
        #expect(gate.currentState.currentStreak == 1)
    }

    @Test func `the streak is judged where the person is, and no journey ends it`() throws {
        // At 10:00 UTC the next day is still the next day here; in Kiritimati it is over.
        let kiritimati = try #require(Zone("Pacific/Kiritimati"))
        let nextDay = Instant.on(day: 1, 10)
        #expect(gate(ledger(), at: nextDay).currentState.currentStreak == 3)
        #expect(gate(ledger(), at: nextDay, in: kiritimati).currentState.currentStreak == 3)
        // A day later it has ended in both.
        let dayAfter = Instant.on(day: 2, 1)
        #expect(gate(ledger(), at: dayAfter).currentState.currentStreak == 0)
        #expect(gate(ledger(), at: dayAfter, in: kiritimati).currentState.currentStreak == 0)
    }

    @Test(arguments: [
        (5, 25, 3, 7, nil), (4, 25, 3, 7, "minLevel"), (5, 24, 3, 7, "minTotalSessions"),
        (5, 25, 2, 7, "minStreak"), (5, 25, 3, 6, "accountAge"), (0, 0, 0, 0, "minLevel"),
        (99, 9999, 999, 9999, nil),
    ])
    func `a state is judged by the same four, whoever vouches for it`(
        _ level: Int,
        _ sessions: Int,
        _ streak: Int,
        _ age: Int,
        _ missing: String?
    ) {
        let state = Eligibility.CurrentState(
            currentLevel: level,
            totalSessions: sessions,
            currentStreak: streak,
            accountAge: age
        )
        #expect(Eligibility(state).nextRequirement?.name == missing)
        #expect(Eligibility(state).eligible == (missing == nil))
        #expect(Eligibility(state, wasEligible: true).eligible)
    }

    @Test func `what is begun of a day or a level doesn't count`() throws {
        let json = #"{"currentLevel": 4.9, "totalSessions": 25.5, "currentStreak": 3, "accountAge": 6.99}"#
        let state = try JSONDecoder().decode(Eligibility.CurrentState.self, from: Data(json.utf8))
        #expect(
            state
                == Eligibility.CurrentState(
                    currentLevel: 4,
                    totalSessions: 25,
                    currentStreak: 3,
                    accountAge: 6
                )
        )
    }

    private func expect(
        _ gate: Eligibility,
        misses name: String,
        required: Int,
        current: Int,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(!gate.eligible, sourceLocation: sourceLocation)
        #expect(
            gate.nextRequirement
                == Eligibility.NextRequirement(name: name, required: required, current: current),
            sourceLocation: sourceLocation
        )
    }
}
