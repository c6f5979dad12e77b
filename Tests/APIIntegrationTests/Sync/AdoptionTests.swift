import Foundation
import HTTPTypes
import Testing

@testable import API

/// The recordings of the real extension, on devices that sync in batches and take over one another's totals.
struct AdoptionTests {
    enum Endpoint: CaseIterable {
        case batches
        case exports
    }

    @Test(
        arguments: [
            ("ana-restart", 3608, 39), ("chie-two-devices", 9023, 86), ("dan-dst-gaps", 2222, 29),
            ("finn-micro-clear", 3, 1),
        ],
        Endpoint.allCases
    )
    func `a recording ends in what was really practised, and every device shows it`(
        recording: (name: String, xp: Int, sessions: Int),
        endpoint: Endpoint
    ) async throws {
        let (name, xp, sessions) = recording
        let clock = TestClock(try #require(try Self.events(of: name).first?.at))
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let signIn = try await nobody.send(.post, "/v1/auth/anonymous").json
            let refresh = try #require(RefreshToken("\(signIn["refreshToken"] ?? "")"))
            var client = nobody
            var devices: [String: RecordedDevice] = [:]
            for event in try Self.events(of: name) {
                clock.advance(by: event.at.timeIntervalSince(clock.now))
                client.token = try await server.server.tokens.token(for: refresh.uid, signIn: refresh.family)
                var device =
                    devices[event.device] ?? RecordedDevice(event.device, in: event.zone, by: endpoint)
                try await device.live(through: event, as: client)
                devices[event.device] = device
            }
            // Until nobody has news for another.
            for _ in 1...2 {
                for id in devices.keys.sorted() { try await devices[id]?.sync(as: client) }
            }
            for device in devices.values { #expect(device.totalXP == xp, "\(device.id)") }
            let state = try await client.send(.get, "/v1/sync/state").json
            #expect(state["totalXP"] as? Int == xp)
            #expect(state["totalSessions"] as? Int == sessions)
        }
    }

    private static func events(of name: String) throws -> [RecordedEvent] {
        let path = try #require(
            Bundle.module.path(forResource: name, ofType: "jsonl", inDirectory: "Fixtures")
        )
        return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { line in
            let json = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            return try #require(RecordedEvent(json))
        }
    }
}

private struct RecordedEvent {
    let at: Date
    let device: String
    let zone: String
    let isClear: Bool
    let totalXP: Int
    let sessions: [[String: Any]]
    let completed: [[String: Any]]
    let meditation: [String: Any]

    init?(_ json: [String: Any]) {
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        guard let at = (json["at"] as? String).flatMap({ try? style.parse($0) }),
            let export = (json["export"] as? [String: Any])?["breathMaster"] as? [String: Any],
            let meditation = export["meditation"] as? [String: Any]
        else { return nil }
        self.at = at
        self.meditation = meditation
        device = "\(json["device"] ?? "")"
        zone = "\(json["tz"] ?? "")"
        isClear = json["event"] as? String == "clearData"
        totalXP = meditation["totalXP"] as? Int ?? 0
        sessions = meditation["sessions"] as? [[String: Any]] ?? []
        completed = (meditation["dailyChallenges"] as? [[String: Any]] ?? []).filter {
            $0["completed"] as? Bool == true
        }
    }
}

/// An editor of a recording that, unlike the real one, takes over what it is handed.
private struct RecordedDevice {
    let id: String
    private let zone: String
    private let endpoint: AdoptionTests.Endpoint
    private(set) var totalXP = 0
    private var epoch: Int?
    private var baseVersion = 0
    /// What the recording's editor shows, which takes nothing over.
    private var recordedXP = 0
    private var sessions: [[String: Any]] = []
    private var completed: [[String: Any]] = []
    private var acknowledged: Set<String> = []

    private var newest: RecordedEvent?

    init(_ id: String, in zone: String, by endpoint: AdoptionTests.Endpoint) {
        self.id = id
        self.zone = zone
        self.endpoint = endpoint
    }

    mutating func live(through event: RecordedEvent, as client: Client) async throws {
        newest = event
        if event.isClear { return try await clear(as: client) }
        totalXP += event.totalXP - recordedXP
        recordedXP = event.totalXP
        sessions = event.sessions
        completed += event.completed
        try await sync(as: client)
    }

    mutating func sync(as client: Client) async throws {
        switch endpoint {
        case .batches: try await sendBatch(as: client)
        case .exports: try await sendExport(as: client)
        }
    }

    /// All that the editor holds, with the total that it took over.
    private mutating func sendExport(as client: Client) async throws {
        let event = try #require(newest)
        var meditation = event.meditation
        meditation["totalXP"] = totalXP
        let answer = try await client.send(
            .put,
            "/v1/sync/export",
            [
                "device": ["id": id, "name": id, "timeZone": zone], "takenAt": Practice.timestamp(event.at),
                "baseVersion": baseVersion, "export": ["breathMaster": ["meditation": meditation]],
            ]
        )
        guard answer.status == 200 else {
            return #expect(answer.json["code"] as? String == "not_eligible")
        }
        baseVersion = answer.state["syncVersion"] as? Int ?? baseVersion
        totalXP = answer.state["totalXP"] as? Int ?? totalXP
    }

    /// Sends what isn't acknowledged; before the gate nothing is.
    private mutating func sendBatch(as client: Client) async throws {
        let news = sessions.filter { !acknowledged.contains("\($0["id"] ?? "")") }
        let claims = completed.filter { !acknowledged.contains("\($0["id"] ?? "")") }
        var device = BatchDevice(id, of: client, in: zone)
        (device.epoch, device.baseVersion, device.totalXP) = (epoch, baseVersion, totalXP)
        let answer = try await client.send(.post, "/v1/sync", device.body(news, claims: claims))
        guard answer.status == 200 else {
            return #expect(answer.json["code"] as? String == "not_eligible")
        }
        device.take(answer)
        (epoch, baseVersion, totalXP) = (device.epoch, device.baseVersion, device.totalXP)
        acknowledged.formUnion((news + claims).map { "\($0["id"] ?? "")" })
    }

    private mutating func clear(as client: Client) async throws {
        if endpoint == .exports {
            (totalXP, recordedXP, baseVersion) = (0, 0, 0)
            return try await sendExport(as: client)
        }
        let answer = try await client.send(
            .post,
            "/v1/sync/reset",
            ["device": ["id": id, "name": id, "timeZone": zone], "epoch": epoch ?? 1]
        )
        epoch = answer.json["epoch"] as? Int
        baseVersion = answer.json["syncVersion"] as? Int ?? 0
        (totalXP, recordedXP, sessions, completed) = (0, 0, [], [])
    }
}
