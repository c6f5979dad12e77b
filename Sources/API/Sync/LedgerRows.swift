import Domain
import Foundation
import PGClient
import Tenancy

/// What a batch is merged with, and answered from.
struct BatchReading: Sendable {
    let stored: StoredLedger
    let batches: [BatchRow]
    /// One more than an answer takes, if there are more.
    let othersSessions: [StoredSession]

    var replay: BatchRow? { batches.first(where: \.isReplay) }
}

struct BatchRow: PGRow {
    let isReplay: Bool
    let deviceID: String
    let digest: [UInt8]
    let answer: [UInt8]?
    let hand: Hand
    let receivedAt: Instant

    init(from row: inout PGRowReader) throws {
        isReplay = try row.next()
        deviceID = try row.next()
        digest = try row.next()
        answer = try row.next()
        hand = Hand(totalXP: try row.next(), earnedXP: try row.next())
        receivedAt = try row.next()
    }
}

struct GameStateRow: PGRow {
    let epoch: Int
    let epochStartedAt, eligibleAt: Instant?
    let floorXP: Int
    let revision: Revision
    let joinedOn: LocalDay
    let dayStart: DayStart
    let frequency: SyncFrequency
    let detailFrom: LocalDay?

    init(from row: inout PGRowReader) throws {
        epoch = try row.next()
        epochStartedAt = try row.next()
        eligibleAt = try row.next()
        floorXP = try row.next()
        revision = Revision(version: try row.next(), modifiedAt: try row.next(), deviceID: try row.next())
        joinedOn = try row.next()
        dayStart = try row.next()
        frequency = try row.next()
        detailFrom = try row.next()
    }
}

struct DeviceRow: PGRow {
    let device: Device
    let isOfThisSignIn: Bool
    let isRevoked: Bool

    init(from row: inout PGRowReader) throws {
        device = Device(
            id: try row.next(),
            name: try row.next(),
            zone: Zone(try row.next()) ?? .utc,
            epoch: try row.next(),
            lastTakenAt: try row.next(),
            clockOffset: try row.next(),
            sessionXP: try row.next(),
            rewardXP: try row.next(),
            claimedXP: try row.next(),
            heldXP: try row.next(),
            carriedXP: try row.next()
        )
        isOfThisSignIn = try row.next()
        isRevoked = try row.next()
    }
}

struct PracticeDayRow: PGRow {
    let day: PracticeDay

    init(from row: inout PGRowReader) throws {
        day = PracticeDay(
            day: try row.next(),
            xp: try row.next(),
            activeMilliseconds: try row.next(),
            sessions: try row.next(),
            overlapXP: try row.next(),
            firstEndedAt: try row.next(),
            lastEndedAt: try row.next(),
            firstZone: Zone(try row.next()) ?? .utc,
            lastZone: Zone(try row.next()) ?? .utc,
            followsTravel: try row.next()
        )
    }
}

struct SessionRow: PGRow {
    let epoch: Int
    let session: Session
    let judgement: Judgement

    init(from row: inout PGRowReader) throws {
        let key = Session.Key(deviceID: try row.next(), sessionID: try row.next(), startedAt: try row.next())
        epoch = try row.next()
        session = Session(
            key: key,
            endedAt: try row.next(),
            clockOffset: try row.next(),
            localDay: try row.next(),
            zone: Zone(try row.next()) ?? .utc,
            activeMilliseconds: try row.next(),
            cycles: try row.next(),
            goalMinutes: try row.next(),
            goalBonusXP: try row.next(),
            receivedAt: try row.next(),
            isPardoned: try row.next()
        )
        judgement = Judgement(
            verdict: Verdict(rawValue: try row.next()) ?? .sound,
            xp: try row.next(),
            activeMilliseconds: try row.next()
        )
    }
}

struct ChallengeRow: PGRow {
    let epoch: Int
    let challenge: DailyChallenge

    init(from row: inout PGRowReader) throws {
        let key = DailyChallenge.Key(deviceID: try row.next(), challengeID: try row.next())
        epoch = try row.next()
        challenge = DailyChallenge(
            key: key,
            localDay: try row.next(),
            kind: try row.next(),
            target: try row.next(),
            rewardXP: try row.next(),
            isCompleted: try row.next(),
            isExpired: try row.next()
        )
    }
}

struct StateEntryRow: PGRow {
    let key: FieldKey
    let entry: FieldEntry

    init(from row: inout PGRowReader) throws {
        key = FieldKey(field: try row.next(), key: try row.next())
        let json: PGJSON? = try row.next()
        entry = FieldEntry(
            value: try json.map { try JSONDecoder().decode(JSONValue.self, from: Data($0.bytes)) },
            stamp: Stamp(writtenAt: try row.next(), label: try row.next(), deviceID: try row.next()),
            syncVersion: try row.next()
        )
    }
}
