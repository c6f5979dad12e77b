import Foundation
import Testing

@testable import Domain

struct `A batch` {
    private func batch(
        from device: String = "laptop",
        epoch: Int? = nil,
        claiming totalXP: Int,
        state: [String: Item<SyncBatch.StateClaim>] = [:]
    ) -> SyncBatch {
        SyncBatch(
            batchID: UUID(),
            device: DeviceDescription(id: Label(device), name: Label(device), timeZone: .utc),
            epoch: epoch,
            baseVersion: 0,
            since: nil,
            sessions: Items(all: []),
            challengeClaims: Items(all: []),
            state: state.merging(["totalXP": .valid(.init(value: .integer(totalXP), modifiedAt: nil))]) {
                old,
                _ in old
            }
        )
    }

    private func merge(_ batch: SyncBatch, into ledger: Ledger, base: Hand? = .nothing) -> Merge {
        Merge(
            batch,
            into: ledger,
            base: base.map { Base(hand: $0, at: .on(day: 0, 0), isOwn: true) },
            syncVersion: 1,
            now: .on(day: 9, 0)
        )
    }

    /// Someone whose laptop showed 120 XP before the desktop cleared everything.
    private func cleared() throws -> Ledger {
        var person = Practitioner.veteran
        for device in ["laptop", "desktop"] {
            var editor = Editor(device)
            editor.earn(120)
            person.sync(try editor.export(at: .on(day: 0, 10)))
        }
        var desktop = Editor("desktop")
        desktop.clear()
        person.sync(try desktop.export(at: .on(day: 1, 10)))
        #expect(person.ledger.epoch == 2)
        return person.ledger
    }

    @Test(arguments: [nil, 1])
    func `of a device that doesn't know of the clear brings none of its XP back`(epoch: Int?) throws {
        let merge = merge(batch(epoch: epoch, claiming: 120), into: try cleared())
        #expect(merge.totals.totalXP == 0)
        #expect(merge.receipt.map(\.rule) == [.takenBeforeClear])
    }

    @Test func `whose base isn't known any more raises the total to its claim, and adds nothing`() throws {
        var person = Practitioner.veteran
        var editor = Editor()
        editor.earn(100)
        person.sync(try editor.export(at: .on(day: 0, 10)))
        let merge = merge(batch(from: "desktop", epoch: 1, claiming: 130), into: person.ledger, base: nil)
        #expect(merge.totals.totalXP == 130)
        #expect(merge.receipt.map(\.rule) == [.unknownBase])
    }

    @Test func `is measured against what its device was handed`() throws {
        var person = Practitioner.veteran
        var editor = Editor()
        editor.earn(100)
        person.sync(try editor.export(at: .on(day: 0, 10)))
        let hand = Hand(totalXP: 100, earnedXP: 0)
        let merge = merge(batch(from: "desktop", epoch: 1, claiming: 107), into: person.ledger, base: hand)
        #expect(merge.totals.totalXP == 107)
        #expect(merge.hand == Hand(totalXP: 107, earnedXP: 7))
    }

    @Test func `with a field that is too large keeps what was there and says why`() {
        let text = String(repeating: "a", count: FieldWrite.largestValue)
        let state: [String: Item<SyncBatch.StateClaim>] = [
            "reminderSettings": .valid(.init(value: .object(["text": .string(text)]), modifiedAt: nil))
        ]
        let merge = merge(batch(claiming: 0, state: state), into: Ledger(eligibleAt: .on(day: -9, 0)))
        #expect(merge.ledger.fields.isEmpty)
        #expect(merge.receipt.first?.rule == .invalidValue)
        #expect(merge.receipt.first?.detail == "text is larger than 16384 bytes")
    }
}
