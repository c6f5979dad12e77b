import Domain
import Testing

/// What must hold for every history, tried on seeded ones. A failure names its
/// seed: `History(seed:)` makes that life again.
struct `Any history` {
    private static let seeds: ClosedRange<UInt64> = 1...60

    @Test func `the same exports make the same ledger in any order`() throws {
        for seed in Self.seeds {
            var generator = SplitMix64(seed: seed)
            let delivery = try History(seed: seed).delivery(using: &generator)
            var first = Practitioner.veteran
            var second = Practitioner.veteran
            first.sync(delivery)
            second.sync(delivery.shuffled(using: &generator))
            #expect(second.ledger.differences(from: first.ledger) == [], "seed \(seed)")
            #expect(second.totals.totalXP == first.totals.totalXP, "seed \(seed)")
            #expect(second.totals.legacyXP == first.totals.legacyXP, "seed \(seed)")
        }
    }

    @Test func `delivering everything again changes nothing`() throws {
        for seed in Self.seeds {
            var generator = SplitMix64(seed: seed)
            let delivery = try History(seed: seed, withClear: seed.isMultiple(of: 2)).exports
            var person = Practitioner.veteran
            person.sync(delivery)
            let before = person.ledger
            person.sync(delivery.shuffled(using: &generator))
            #expect(person.ledger.differences(from: before) == [], "seed \(seed)")
        }
    }

    @Test func `no export lowers the total, and in the end it covers all that every device claimed`() throws {
        for seed in Self.seeds {
            var generator = SplitMix64(seed: seed)
            let delivery = try History(seed: seed).delivery(using: &generator)
            var person = Practitioner.veteran
            var total = 0
            for submission in delivery {
                let merged = person.sync(submission).totals.totalXP
                #expect(merged >= total, "seed \(seed)")
                total = merged
            }
            let claims = Dictionary(grouping: delivery, by: \.device.id)
                .mapValues { $0.map(\.meditation.totalXP.value).max() ?? 0 }
            #expect(total >= claims.values.reduce(0, +), "seed \(seed)")
        }
    }

    @Test func `after a clear, nothing from before it is left, whatever arrives late`() throws {
        for seed in Self.seeds {
            let history = try History(seed: seed, withClear: true)
            let clear = try #require(history.clear)
            var generator = SplitMix64(seed: seed)
            for _ in 1...3 {
                var person = Practitioner.veteran
                person.sync(history.deliveryAroundClear(using: &generator))
                let ledger = person.ledger
                #expect(ledger.epoch == 2, "seed \(seed)")
                #expect(ledger.epochStartedAt == clear.takenAt, "seed \(seed)")
                #expect(Set(ledger.sessions.keys) == history.sessions(since: clear.takenAt), "seed \(seed)")
                #expect(ledger.challenges(upTo: clear.takenAt) == [], "seed \(seed)")
                #expect(person.totals.totalXP <= history.xpSinceClear, "seed \(seed)")
            }
        }
    }

    @Test func `what follows a clear makes the same ledger in any order`() throws {
        for seed in Self.seeds {
            let history = try History(seed: seed, withClear: true)
            let clear = try #require(history.clear)
            var generator = SplitMix64(seed: seed)
            var first = Practitioner.veteran
            first.sync(history.exports.filter { $0.takenAt <= clear.takenAt })
            var second = first
            first.sync(history.exports.filter { $0.takenAt > clear.takenAt })
            second.sync(history.exports.filter { $0.takenAt > clear.takenAt }.shuffled(using: &generator))
            #expect(second.ledger.differences(from: first.ledger) == [], "seed \(seed)")
            #expect(second.totals.totalXP == first.totals.totalXP, "seed \(seed)")
        }
    }

    @Test func `only a clear lowers the total`() throws {
        for seed in Self.seeds {
            let history = try History(seed: seed, withClear: true)
            var generator = SplitMix64(seed: seed)
            var person = Practitioner.veteran
            for submission in history.deliveryAroundClear(using: &generator) {
                let before = person.totals.totalXP
                let merge = person.sync(submission)
                let isClear = merge.receipt.allSatisfy { $0.rule == .clearedByDevice }
                #expect(merge.totals.totalXP >= before || isClear, "seed \(seed)")
            }
        }
    }
}

extension History {
    fileprivate func sessions(since start: Instant) -> Set<Session.Key> {
        Set(
            exports.flatMap { submission in
                (submission.meditation.sessions?.all ?? []).compactMap { item -> Session.Key? in
                    guard case .valid(let record) = item, record.endedAt > start else { return nil }
                    return Session.Key(
                        deviceID: submission.device.id.text,
                        sessionID: record.id.text,
                        startedAt: record.startedAt
                    )
                }
            }
        )
    }
}

extension Ledger {
    /// Those of the days up to and with the one that each device's clock showed.
    fileprivate func challenges(upTo instant: Instant) -> [DailyChallenge] {
        challenges.values.filter { challenge in
            devices[challenge.key.deviceID].map { challenge.localDay <= LocalDay(of: instant, in: $0.zone) }
                ?? true
        }
    }
}
