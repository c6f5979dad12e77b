import Foundation
import Testing

@testable import Domain

/// Devices that say that they practised for weeks on end, always in a new session before the last was over.
struct `Sessions in a chain` {
    private static let now = Instant.on(day: 100, 12)

    /// Of two devices and up to a day each; now and then there is a gap between them.
    private static func sessions(using generator: inout SplitMix64) -> [(
        device: String, session: ExtensionExport.SessionRecord
    )] {
        ["laptop", "phone"].flatMap { device in
            var start = Instant.on(day: 0, 0)
            return (0..<20).map { number in
                let minutes = Int.random(in: 600...1440, using: &generator)
                let record = ExtensionExport.SessionRecord(
                    id: Label("\(number)"),
                    startedAt: start,
                    endedAt: start + minutes * 60_000,
                    activeMs: Milliseconds(Int64(minutes) * 60_000),
                    cycles: Count(Int.random(in: 100...2000, using: &generator)),
                    goalMinutes: nil,
                    goalBonusXP: nil,
                    timeZone: nil
                )
                start = start + Int.random(in: 60...1500, using: &generator) * 60_000
                return (device, record)
            }
        }
    }

    @Test func `are judged the same, in whatever order they arrive`() {
        for seed in 1...300 {
            var generator = SplitMix64(seed: UInt64(seed))
            let sessions = Self.sessions(using: &generator)
            var (whole, piecemeal) = (Household(), Household())
            for (device, sessions) in Dictionary(grouping: sessions, by: \.device) {
                _ = whole.sync(.of(device, sessions.map(\.session)), clock: nil, now: Self.now)
            }
            for (device, session) in sessions.shuffled(using: &generator) {
                _ = piecemeal.sync(.of(device, [session]), clock: nil, now: Self.now)
            }
            #expect(piecemeal.ledger.judgements == whole.ledger.judgements, "seed \(seed)")
            #expect(piecemeal.ledger.days == whole.ledger.days, "seed \(seed)")
            #expect(whole.ledger.recounted().days == whole.ledger.days, "seed \(seed): counted again")
            guard piecemeal.ledger.judgements == whole.ledger.judgements else { return }
        }
    }

    @Test func `never count for the same moment twice on one device`() {
        var generator = SplitMix64(seed: 1)
        for _ in 1...300 {
            let sessions = Self.sessions(using: &generator)
            var household = Household()
            for (device, session) in sessions {
                _ = household.sync(.of(device, [session]), clock: nil, now: Self.now)
            }
            let ledger = household.ledger
            let sound = ledger.sessions.values.filter { ledger.judgements[$0.key]?.verdict == .sound }
            for (_, ofDevice) in Dictionary(grouping: sound, by: \.key.deviceID) {
                let inOrder = ofDevice.sorted { $0.began < $1.began }
                #expect(zip(inOrder, inOrder.dropFirst()).allSatisfy { $0.ended <= $1.began })
            }
        }
    }
}
