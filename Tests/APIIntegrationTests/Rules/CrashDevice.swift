import Foundation
import Testing

/// A device that sends a batch until it knows the answer, and keeps a record of what it sent.
///
/// `@unchecked`: it holds values that were read from JSON, which nobody changes, and one task has it.
struct CrashDevice: @unchecked Sendable {
    struct Sent {
        /// By the names of the device and of the session.
        let sessions: Set<String>
        let xp: Int
        /// The total that it showed.
        let shownXP: Int
        let epoch: Int
        /// By how many seconds the clock was ahead that it was sent by; nil if it didn't tell.
        let clockError: TimeInterval?
        var isAcknowledged = false
    }

    let id: String
    private let token: String
    private let day: Date
    private let tellsClock: Bool
    private var clockError: TimeInterval = 0
    private(set) var epoch: Int?
    private(set) var totalXP = 0
    private(set) var sent: [Sent] = []
    private(set) var problems: [String] = []
    private var baseVersion = 0
    private var sittings = 0
    private var isChallengeDone = false
    private var answered: [(bytes: Data, answer: [String: Any])] = []

    init(_ id: String, token: String, practisingOn day: Date = Date(), tellsClock: Bool = false) {
        self.id = id
        self.token = token
        self.day = day
        self.tellsClock = tellsClock
    }

    mutating func perform(_ step: CrashPlan.Step, through wreck: Wreck) async throws {
        switch step {
        case .sync(let effort):
            let (sessions, claims) = practise(effort)
            try await sync(sessions, claims: claims, otherXP: effort.otherXP, through: wreck)
        case .syncAndVanish(let effort):
            let (sessions, claims) = practise(effort)
            let bytes = try batch(sessions, claims: claims, otherXP: effort.otherXP)
            let reply = await wreck.send(
                "POST",
                "/v1/sync",
                token: token,
                clockError: toldClockError,
                body: bytes
            )
            sent[sent.count - 1].isAcknowledged = reply?.status == 200
        case .sendAgain(let number):
            let (bytes, answer) = answered[number % answered.count]
            let again = try await send("/v1/sync", bytes, through: wreck)
            if NSDictionary(dictionary: again) != NSDictionary(dictionary: answer) {
                problems.append("\(id) was told something else when it asked again")
            }
        case .reset: try await reset(through: wreck)
        case .clock(let hours): clockError = Double(hours) * 3600
        }
    }

    @discardableResult
    mutating func sync(
        _ sessions: [[String: Any]] = [],
        claims: [[String: Any]] = [],
        otherXP: Int = 0,
        through wreck: Wreck
    ) async throws -> [String: Any] {
        let bytes = try batch(sessions, claims: claims, otherXP: otherXP)
        let answer = try await send("/v1/sync", bytes, through: wreck)
        answered.append((bytes, answer))
        sent[sent.count - 1].isAcknowledged = true
        take(over: answer["state"] as? [String: Any])
        return answer
    }

    private var toldClockError: TimeInterval? { tellsClock ? clockError : nil }

    /// Sittings of its day, one every 20 minutes, as its clock labels them. After a clear, that day is over.
    private mutating func practise(_ effort: CrashPlan.Effort) -> ([[String: Any]], [[String: Any]]) {
        guard epoch == 1 else { return ([], []) }
        let sessions = (sittings..<sittings + effort.sittings).map { sitting in
            var session = Practice.session(
                startedAt: day.addingTimeInterval(Double(sitting) * 1200 + clockError),
                cycles: effort.cycles
            )
            // A clock may show the same time twice.
            session["id"] = "sitting-\(sitting)"
            return session
        }
        // The challenge of a day can be done once.
        let claims = effort.isChallengeDone && !isChallengeDone ? [Practice.challenge(on: day)] : []
        isChallengeDone = isChallengeDone || !claims.isEmpty
        sittings += effort.sittings
        return (sessions, claims)
    }

    private mutating func batch(_ sessions: [[String: Any]], claims: [[String: Any]], otherXP: Int) throws
        -> Data
    {
        let practised = sessions.reduce(0) {
            $0 + ($1["cycles"] as? Int ?? 0) + ($1["goalBonusXP"] as? Int ?? 0)
        }
        let xp = practised + claims.reduce(otherXP) { $0 + ($1["rewardXP"] as? Int ?? 0) }
        totalXP += xp
        sent.append(
            Sent(
                sessions: Set(sessions.map { "\(id) \($0["id"] ?? "")" }),
                xp: xp,
                shownXP: totalXP,
                epoch: epoch ?? 1,
                clockError: toldClockError
            )
        )
        let body: [String: Any] = [
            "batchId": UUID().uuidString, "device": ["id": id, "name": id, "timeZone": "UTC"],
            "epoch": epoch ?? NSNull(), "baseVersion": baseVersion, "sessions": sessions,
            "challengeClaims": claims, "state": ["totalXP": ["value": totalXP]],
        ]
        return try JSONSerialization.data(withJSONObject: body, options: .sortedKeys)
    }

    private mutating func reset(through wreck: Wreck) async throws {
        let body: [String: Any] = [
            "device": ["id": id, "name": id, "timeZone": "UTC"], "epoch": epoch ?? 1,
        ]
        let bytes = try JSONSerialization.data(withJSONObject: body)
        take(over: try await send("/v1/sync/reset", bytes, through: wreck))
    }

    private mutating func take(over state: [String: Any]?) {
        epoch = state?["epoch"] as? Int ?? epoch
        baseVersion = state?["syncVersion"] as? Int ?? baseVersion
        totalXP = state?["totalXP"] as? Int ?? totalXP
    }

    /// Until it is answered.
    private func send(_ path: String, _ bytes: Data, through wreck: Wreck) async throws -> [String: Any] {
        var answer: [String: Any] = [:]
        try await eventually("\(id) is answered", within: .seconds(60)) {
            guard
                let reply = await wreck.send(
                    "POST",
                    path,
                    token: token,
                    clockError: toldClockError,
                    body: bytes
                )
            else { return false }
            answer = reply.json
            return reply.status == 200
        }
        return answer
    }
}
