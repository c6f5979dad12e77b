import Testing

@testable import Domain

struct `Plausibility by the practice's own physics` {
    private static let start = Instant.on(day: 0, 9)

    private static func session(
        _ id: String = "a",
        from start: Instant = start,
        wallClock: Int = 600_000,
        active: Int = 600_000,
        cycles: Int = 0,
        goal: Int? = nil,
        bonus: Int = 0,
        receivedAfter: Int = 0
    ) -> Session {
        Session(
            key: Session.Key(deviceID: "laptop", sessionID: id, startedAt: start),
            endedAt: start + wallClock,
            localDay: LocalDay(of: start, in: .utc),
            activeMilliseconds: Int64(active),
            cycles: cycles,
            goalMinutes: goal,
            goalBonusXP: bonus,
            receivedAt: start + wallClock + receivedAfter
        )
    }

    @Test(arguments: [
        (session(cycles: 300), Verdict.sound),
        (session(cycles: 301), .tooManyCycles),
        (session(active: 599_999, cycles: 300), .tooManyCycles),
        (session(active: 601_000), .sound),
        (session(active: 601_001), .longerThanItsClock),
        (session(wallClock: 0, active: 1000), .sound),
        (session(receivedAfter: -120_000), .sound),
        (session(receivedAfter: -120_001), .inTheFuture),
        (session(bonus: 0), .sound),
        (session(bonus: 1), .bonusTooLarge),
        (session(goal: 10, bonus: 5), .sound),
        (session(goal: 10, bonus: 6), .bonusTooLarge),
        // Half of the minutes that were reached, rounded half up, as JavaScript does.
        (session(goal: 20, bonus: 5), .sound),
        (session(goal: 20, bonus: 6), .bonusTooLarge),
        (session(goal: 5, bonus: 3), .sound),
        (session(goal: 5, bonus: 4), .bonusTooLarge),
        (session(active: 540_000, goal: 20, bonus: 5), .sound),
        (session(active: 539_999, goal: 20, bonus: 5), .bonusTooLarge),
        (session(wallClock: 2_400_000, active: 2_400_000, goal: 40, bonus: 20), .sound),
        (session(wallClock: 6_000_000, active: 6_000_000, goal: 100, bonus: 20), .sound),
        (session(wallClock: 6_000_000, active: 6_000_000, goal: 100, bonus: 21), .bonusTooLarge),
    ])
    func `each limit holds to the last millisecond, cycle and point`(_ session: Session, _ verdict: Verdict) {
        #expect(Plausibility.verdicts(on: [session]) == [session.key: verdict])
    }

    @Test func `of two sessions at once on one device the one that started first stands`() {
        let first = Self.session("first")
        let second = Self.session("second", from: Self.start + 599_999)
        #expect(Plausibility.verdicts(on: [second, first]) == [first.key: .sound, second.key: .overlaps])
    }

    @Test func `a session may start in the millisecond in which another ended`() {
        let first = Self.session("first")
        let second = Self.session("second", from: Self.start + 600_000)
        #expect(Plausibility.verdicts(on: [first, second]) == [first.key: .sound, second.key: .sound])
    }

    @Test func `neither an overlapping nor an impossible session stands in another's way`() {
        let impossible = Self.session("0", cycles: 10_000)
        let first = Self.session("1", from: Self.start + 60_000)
        let overlapping = Self.session("2", from: Self.start + 120_000, wallClock: 3_600_000)
        let next = Self.session("3", from: Self.start + 660_000)
        #expect(
            Plausibility.verdicts(on: [next, overlapping, first, impossible]) == [
                impossible.key: .tooManyCycles, first.key: .sound, overlapping.key: .overlaps,
                next.key: .sound,
            ]
        )
    }

    @Test func `every second of a chain stands for three days, and then nothing until it is broken off`() {
        let day = 86_400_000
        // Each begins in the middle of the one before it.
        let chain = (0..<12).map {
            Self.session("\($0)", from: Self.start + $0 * day / 2, wallClock: day, active: day)
        }
        let after = Self.session("after", from: Self.start + 13 * day / 2)
        let verdicts = Plausibility.verdicts(on: chain + [after])
        #expect(chain.filter { verdicts[$0.key] == .sound }.map(\.key.sessionID) == ["0", "2", "4"])
        #expect(verdicts[after.key] == .sound)
    }

    @Test func `of two that start together the first name stands`() {
        let (a, b) = (Self.session("a"), Self.session("b"))
        #expect(Plausibility.verdicts(on: [b, a]) == [a.key: .sound, b.key: .overlaps])
    }

    @Test func `verdicts depend on the set of sessions and not on its order`() {
        var generator = SplitMix64(seed: 7)
        let sessions = (0..<12).map { index in
            Self.session(
                "\(index)",
                from: Self.start + Int.random(in: 0...60, using: &generator) * 60_000,
                cycles: Int.random(in: 0...330, using: &generator)
            )
        }
        let verdicts = Plausibility.verdicts(on: sessions)
        #expect(Set(verdicts.values).isSuperset(of: [.sound, .overlaps]))
        for _ in 1...20 {
            #expect(Plausibility.verdicts(on: sessions.shuffled(using: &generator)) == verdicts)
        }
    }

    @Test func `two devices may practise at once`() {
        let one = Self.session()
        let other = Session(
            key: Session.Key(deviceID: "desktop", sessionID: "a", startedAt: Self.start),
            endedAt: one.endedAt,
            localDay: one.localDay,
            activeMilliseconds: 600_000,
            cycles: 0,
            goalMinutes: nil,
            goalBonusXP: 0,
            receivedAt: one.endedAt
        )
        #expect(Ledger.of([one, other]).verdicts == [one.key: .sound, other.key: .sound])
    }
}
