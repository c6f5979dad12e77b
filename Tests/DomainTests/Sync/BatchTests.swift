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
            now: .on(day: 10, 0)
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

    private func presets(_ numbers: Range<Int>, of length: Int) -> [String: Item<SyncBatch.StateClaim>] {
        let text = JSONValue.string(String(repeating: "a", count: length))
        let presets = numbers.map { ("preset \($0)", text) }
        let value = JSONValue.object(Dictionary(uniqueKeysWithValues: presets))
        return ["customPresets": .valid(.init(value: value, modifiedAt: nil))]
    }

    @Test func `doesn't let a field grow without end, and may still change and remove what is there`() {
        var ledger = Ledger(eligibleAt: .on(day: -9, 0))
        var now = Instant.on(day: 9, 0)
        func sync(_ state: [String: Item<SyncBatch.StateClaim>]) -> ReceiptEntry? {
            now = now + 1000
            let batch = batch(claiming: 0, state: state)
            let merge = Merge(batch, into: ledger, base: .nothing, syncVersion: 1, now: now)
            ledger = merge.ledger
            return merge.receipt.first { $0.field == "customPresets" }
        }
        #expect(sync(presets(0..<16, of: 16_000))?.rule != .invalidValue)
        let refused = sync(presets(16..<17, of: 16_000))
        #expect(refused?.rule == .invalidValue)
        #expect(refused?.detail == "would be larger than 262144 bytes")
        #expect(ledger.fields.count == 16)
        #expect(sync(presets(3..<4, of: 10_000))?.rule != .invalidValue)
        #expect(sync(presets(16..<17, of: 12_000))?.rule != .invalidValue)
        #expect(ledger.fields.count == 17)
    }

    @Test func `refuses a name that is longer in the form in which it is kept`() {
        // Each of these letters becomes two.
        let name = String(repeating: "\u{958}", count: 40)
        let value = JSONValue.object([name: .string("mine")])
        let state = ["customPresets": Item.valid(SyncBatch.StateClaim(value: value, modifiedAt: nil))]
        let merge = merge(batch(claiming: 0, state: state), into: Ledger(eligibleAt: .on(day: -9, 0)))
        #expect(merge.receipt.first?.rule == .invalidValue)
        #expect(merge.ledger.fields.isEmpty)
    }

    // MARK: How many sessions there may be

    private func batch(of sittings: [Sitting]) throws -> SyncBatch {
        let records = try sittings.map { sitting -> ExtensionExport.SessionRecord in
            let data = try JSONEncoder().encode(sitting)
            return try JSONDecoder().decode(ExtensionExport.SessionRecord.self, from: data)
        }
        return SyncBatch(
            batchID: UUID(),
            device: DeviceDescription(id: Label("laptop"), name: Label("laptop"), timeZone: .utc),
            epoch: nil,
            baseVersion: 0,
            since: nil,
            sessions: Items(all: records.map { .valid($0) }),
            challengeClaims: Items(all: []),
            state: [:]
        )
    }

    private func send(
        _ sittings: [Sitting],
        into ledger: inout Ledger,
        _ bound: SessionBound
    ) throws -> [String] {
        let merge = Merge(
            try batch(of: sittings),
            into: ledger,
            base: .nothing,
            syncVersion: 1,
            bound: bound,
            now: .on(day: 10, 0)
        )
        ledger = merge.ledger
        return merge.outcomes.map { $0.reason ?? $0.outcome.rawValue }
    }

    @Test func `with more sessions than there is room for has those refused that are too many`() throws {
        let sittings = [9, 10, 11].map { Sitting(at: .on(day: 1, $0)) }
        let bound = SessionBound(most: 2)
        var ledger = Ledger(eligibleAt: .on(day: -9, 0))
        let first = try send(sittings, into: &ledger, bound)
        #expect(first == ["accepted", "accepted", "tooManySessions"])
        #expect(ledger.sessionsInDetail == 2)
        // One that is there takes no more room.
        let again = try send(sittings, into: &ledger, bound)
        #expect(again == ["duplicate", "duplicate", "tooManySessions"])
        // Of days that were forgotten nothing is stored in detail.
        ledger.detailFrom = LocalDay(of: .on(day: 2, 0), in: .utc)
        let later = try send([Sitting(at: .on(day: 9, 9))], into: &ledger, bound)
        #expect(later == ["accepted"])
        #expect(ledger.sessionsInDetail == 1)
        #expect(Totals(of: ledger).sessions == 3)
    }

    @Test func `has what counts for nothing refused where that is full, and after a clear all that is new`()
        throws
    {
        let (sound, other) = (Sitting(at: .on(day: 1, 9)), Sitting(at: .on(day: 1, 11)))
        let impossible = [12, 13].map { Sitting(at: .on(day: 1, $0), cycles: 9999) }
        var ledger = Ledger(eligibleAt: .on(day: -9, 0))
        let stored = try send([impossible[0]], into: &ledger, SessionBound())
        #expect(stored == ["tooManyCycles"])
        let first = try send([sound] + impossible, into: &ledger, .full(inEpoch: 1))
        #expect(first == ["accepted", "tooManyCycles", "tooManySessions"])
        #expect(ledger.sessions.count == 2)
        let later = try send([sound, other], into: &ledger, .full(inEpoch: 2))
        #expect(later == ["duplicate", "tooManySessions"])
    }

    // MARK: When something was written

    private func writing(_ pattern: String, at label: Instant?) -> [String: Item<SyncBatch.StateClaim>] {
        ["preferredPatterns": .valid(.init(value: .object(["morning": .string(pattern)]), modifiedAt: label))]
    }

    /// The desktop wrote "boxing" at noon, and the laptop was handed that at one.
    private func merge(
        laptopWriting pattern: String,
        at label: Instant?,
        clock: Instant?
    ) -> Merge {
        let noon = Instant.on(day: 8, 12)
        let before = Merge(
            batch(from: "desktop", claiming: 0, state: writing("boxing", at: noon)),
            into: Ledger(eligibleAt: .on(day: -9, 0)),
            base: .nothing,
            syncVersion: 1,
            deviceClock: noon + 1000,
            now: noon + 1000
        )
        return Merge(
            batch(epoch: 1, claiming: 0, state: writing(pattern, at: label)),
            into: before.ledger,
            base: Base(hand: .nothing, at: .on(day: 8, 13), isOwn: true),
            syncVersion: 2,
            deviceClock: clock,
            now: .on(day: 8, 14)
        )
    }

    private func pattern(_ merge: Merge) -> JSONValue? {
        merge.ledger.fields[FieldKey(field: "preferredPatterns", key: "morning")]?.value
    }

    @Test func `of a device whose clock is known has what it wrote before another did lose to that`() {
        // It hadn't sent that yet when it was handed the other's, since preferences wait for a day.
        let late = merge(laptopWriting: "chill", at: .on(day: 8, 10), clock: .on(day: 8, 14))
        #expect(pattern(late) == .string("boxing"))
        let newer = merge(laptopWriting: "chill", at: .on(day: 8, 13, 30), clock: .on(day: 8, 14))
        #expect(pattern(newer) == .string("chill"))
        // Ten years off makes no difference.
        let tenYears = 3652 * 24
        let wrong = merge(
            laptopWriting: "chill",
            at: .on(day: 8, 10 - tenYears),
            clock: .on(day: 8, 14 - tenYears)
        )
        #expect(pattern(wrong) == .string("boxing"))
    }

    @Test func `of a device whose clock isn't known is written after what the device had seen`() {
        let merge = merge(laptopWriting: "chill", at: .on(day: 8, 10), clock: nil)
        #expect(pattern(merge) == .string("chill"))
    }

    @Test func `that writes the same again is no news, and stands all the same`() {
        let again = merge(laptopWriting: "boxing", at: .on(day: 8, 13, 30), clock: .on(day: 8, 14))
        let key = FieldKey(field: "preferredPatterns", key: "morning")
        #expect(again.ledger.fields[key]?.syncVersion == 1)
        #expect(again.ledger.fields[key]?.stamp.writtenAt == .on(day: 8, 13, 30))
        let repeated = Merge(
            batch(epoch: 1, claiming: 0, state: writing("boxing", at: .on(day: 8, 14, 30))),
            into: again.ledger,
            base: .nothing,
            syncVersion: 3,
            now: .on(day: 8, 15)
        )
        #expect(!repeated.changesState)
    }

    // MARK: What it was handed

    @Test func `that echoes what it was handed of another's challenges says nothing of them`() throws {
        func challenges(_ names: [(id: String, device: String)]) -> [String: Item<SyncBatch.StateClaim>] {
            let items = names.map { name in
                JSONValue.object([
                    "id": .string(name.id), "type": .string("minutes"), "date": .string("2026-03-11"),
                    "target": .integer(5), "rewardXP": .integer(9), "deviceId": .string(name.device),
                ])
            }
            return ["activeChallenges": .valid(.init(value: .array(items), modifiedAt: nil))]
        }
        let desktops = merge(
            batch(from: "desktop", claiming: 0, state: challenges([("c1", "desktop")])),
            into: Ledger(eligibleAt: .on(day: -9, 0))
        )
        let echo = merge(
            batch(claiming: 0, state: challenges([("c1", "desktop"), ("c2", "laptop")])),
            into: desktops.ledger
        )
        #expect(
            Set(echo.ledger.challenges.keys) == [
                .init(deviceID: "desktop", challengeID: "c1"), .init(deviceID: "laptop", challengeID: "c2"),
            ]
        )
    }

    @Test func `with a challenge in its state that can't be one takes the others up, and says which it was`()
    {
        func challenge(_ id: String, date: String = "2026-03-11", reward: Int = 9) -> JSONValue {
            .object([
                "id": .string(id), "type": .string("minutes"), "date": .string(date), "target": .integer(5),
                "rewardXP": .integer(reward),
            ])
        }
        func merge(_ items: [JSONValue]) -> Merge {
            let claim = Item.valid(SyncBatch.StateClaim(value: .array(items), modifiedAt: nil))
            return self.merge(
                batch(claiming: 0, state: ["activeChallenges": claim]),
                into: Ledger(eligibleAt: .on(day: -9, 0))
            )
        }
        func told(_ merge: Merge) -> [String?] {
            merge.receipt.filter { $0.field == "activeChallenges" }.flatMap { [$0.rule.rawValue, $0.detail] }
        }
        let bad = challenge("c2", date: "tomorrow")
        let one = merge([challenge("c1"), bad, challenge("c3")])
        #expect(Set(one.ledger.challenges.keys.map(\.challengeID)) == ["c1", "c3"])
        #expect(told(one) == ["union", "[1].date must be a day such as 2026-11-24"])
        let two = merge([challenge("c1"), bad, challenge("c3", reward: 5000)])
        #expect(told(two) == ["union", "[1].date must be a day such as 2026-11-24, and others as well"])
        let all = merge([bad, .string("c1")])
        #expect(all.ledger.challenges.isEmpty)
        #expect(told(all).first == "invalidValue")
    }

    @Test func `after the clear counts what its device earned beside its sessions, whoever earned too`()
        throws
    {
        var ledger = try cleared()
        let sitting = Sitting(at: .on(day: 8, 9), cycles: 32)
        let data = try JSONEncoder().encode(sitting)
        let record = try JSONDecoder().decode(ExtensionExport.SessionRecord.self, from: data)
        func send(
            _ device: String,
            _ epoch: Int,
            _ base: Hand?,
            claiming total: Int,
            _ sessions: [ExtensionExport.SessionRecord] = []
        ) -> Merge {
            Merge(
                SyncBatch(
                    batchID: UUID(),
                    device: DeviceDescription(id: Label(device), name: Label(device), timeZone: .utc),
                    epoch: epoch,
                    baseVersion: 0,
                    since: nil,
                    sessions: Items(all: sessions.map { .valid($0) }),
                    challengeClaims: Items(all: []),
                    state: ["totalXP": .valid(.init(value: .integer(total), modifiedAt: nil))]
                ),
                into: ledger,
                base: base.map { Base(hand: $0, at: .on(day: 8, 0), isOwn: true) },
                syncVersion: 1,
                now: .on(day: 10, 0)
            )
        }
        // The laptop still shows what was cleared.
        let first = send("laptop", 1, nil, claiming: 152, [record])
        #expect(first.hand == Hand(totalXP: 32, earnedXP: 32))
        ledger = first.ledger
        ledger = send("desktop", 2, .nothing, claiming: 50).ledger
        let second = send("laptop", 2, first.hand, claiming: 37)
        #expect(second.totals.totalXP == 32 + 5 + 50)
    }
}
