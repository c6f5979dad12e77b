import Foundation
import HTTPTypes
import Testing

/// A device that syncs in batches, as a good client does: it takes over what it is handed.
struct BatchDevice {
    let client: Client
    let id: String
    var zone = "UTC"
    var epoch: Int?
    var baseVersion = 0
    /// What it shows.
    var totalXP = 0

    init(_ id: String, of client: Client, in zone: String = "UTC") {
        self.client = client
        self.id = id
        self.zone = zone
    }

    func body(
        _ sessions: [[String: Any]] = [],
        claims: [[String: Any]] = [],
        state: [String: Any] = [:],
        batchID: UUID = UUID()
    ) -> [String: Any] {
        var state = state
        state["totalXP"] = state["totalXP"] ?? ["value": totalXP]
        var body: [String: Any] = [
            "batchId": batchID.uuidString, "device": ["id": id, "name": id, "timeZone": zone],
            "baseVersion": baseVersion, "sessions": sessions, "challengeClaims": claims, "state": state,
        ]
        body["epoch"] = epoch
        return body
    }

    /// Practises, and syncs that; the answer is taken over.
    @discardableResult
    mutating func sync(
        _ sessions: [[String: Any]] = [],
        claims: [[String: Any]] = [],
        state: [String: Any] = [:],
        clock: Date? = nil
    ) async throws -> Client.Answer {
        totalXP += sessions.reduce(0) { $0 + ($1["cycles"] as? Int ?? 0) + ($1["goalBonusXP"] as? Int ?? 0) }
        totalXP += claims.reduce(0) { $0 + ($1["rewardXP"] as? Int ?? 0) }
        var headers = HTTPFields()
        if let clock, let name = HTTPField.Name("X-Device-Clock") {
            headers[name] = Practice.timestamp(clock)
        }
        let answer = try await client.send(
            .post,
            "/v1/sync",
            body(sessions, claims: claims, state: state),
            headers: headers
        )
        take(answer)
        return answer
    }

    mutating func take(_ answer: Client.Answer) {
        guard answer.status == 200 else { return }
        epoch = answer.json["epoch"] as? Int
        baseVersion = answer.json["syncVersion"] as? Int ?? baseVersion
        totalXP = (answer.json["state"] as? [String: Any])?["totalXP"] as? Int ?? totalXP
    }
}

extension Client.Answer {
    var state: [String: Any] { json["state"] as? [String: Any] ?? [:] }

    /// What became of each item, in short.
    var outcomes: [String] {
        (json["outcomes"] as? [[String: Any]] ?? []).map { outcome in
            ["list", "index", "outcome", "reason", "field"].compactMap { outcome[$0].map { "\($0)" } }
                .joined(separator: " ")
        }
    }

    /// The rule by which each field was merged.
    var rules: [String: String] {
        Dictionary(
            (json["receipt"] as? [[String: Any]] ?? []).map {
                ("\($0["field"] ?? "")", "\($0["rule"] ?? "")")
            }
        ) { first, _ in first }
    }
}

extension Client {
    /// Somebody whose practice has passed the gate, in the first batch of a device.
    func veteran(until end: Date, _ device: String = "laptop") async throws -> (BatchDevice, uid: String) {
        let (client, uid) = try await newcomer()
        var laptop = BatchDevice(device, of: client)
        let first = try await laptop.sync(Practice.sessions(until: end, days: 10, cycles: 40))
        #expect(first.status == 200)
        return (laptop, uid)
    }
}
