import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

/// The recordings of the real extension, sent as its devices would send them.
struct ReplayTests {
    @Test(arguments: [
        ("ana-restart", 39, 3608, 39, 37_397_186, 21),
        ("chie-two-devices", 67, 9023, 86, 101_671_081, 21),
        ("dan-dst-gaps", 42, 2222, 29, 22_923_608, 5),
        ("finn-micro-clear", 37, 3, 1, 300_000, 1),
    ])
    func `a recording ends in what was really practised, and sending it twice changes nothing`(
        name: String,
        gate: Int,
        xp: Int,
        sessions: Int,
        activeMilliseconds: Int,
        longestStreak: Int
    ) async throws {
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            let exports = try Self.exports(of: name)

            var passedAt: Int?
            for (number, export) in exports.enumerated() {
                let answer = try await client.send(.put, "/v1/sync/export", export)
                if answer.status == 200 {
                    passedAt = passedAt ?? number + 1
                } else {
                    #expect(passedAt == nil)
                    #expect(answer.json["code"] as? String == "not_eligible")
                }
            }
            #expect(passedAt == gate)

            let state = try await client.send(.get, "/v1/sync/state").json
            #expect(state["totalXP"] as? Int == xp)
            #expect(state["totalSessions"] as? Int == sessions)
            #expect(state["totalActiveMs"] as? Int == activeMilliseconds)
            #expect(state["longestStreak"] as? Int == longestStreak)

            for export in exports {
                let again = try await client.send(.put, "/v1/sync/export", export)
                #expect(again.status == 200)
            }
            let after = try await client.send(.get, "/v1/sync/state").json
            #expect(NSDictionary(dictionary: after) == NSDictionary(dictionary: state))
        }
    }

    @Test func `cycles are those of the recording, each counted once`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            for (name, cycles) in [("ana-restart", 2784), ("chie-two-devices", 7559), ("dan-dst-gaps", 1861)]
            {
                let (client, uid) = try await nobody.newcomer()
                for export in try Self.exports(of: name) {
                    _ = try await client.send(.put, "/v1/sync/export", export)
                }
                let person = try #require(UUID(uuidString: uid))
                let stored = try await server.asSuperuser { tx in
                    try await tx.queryOne(
                        "select sum(cycles)::bigint from app.session where uid = \(person) and verdict = 'sound'",
                        as: Int.self
                    )
                }
                #expect(stored == cycles, "\(name)")
            }
        }
    }

    @Test(arguments: [1, 2, 3, 4])
    func `two devices add up, however their exports are interleaved`(seed: UInt64) async throws {
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            let exports = try Self.exports(of: "chie-two-devices")
            let deviceOf = { (export: [String: Any]) in (export["device"] as? [String: Any])?["id"] as? String
            }
            var queues = ["laptop", "desktop"].map { name in exports.filter { deviceOf($0) == name }[...] }
            var generator = SplitMix64(seed: seed)
            while let index = queues.indices.filter({ !queues[$0].isEmpty }).randomElement(using: &generator)
            {
                let export = queues[index].removeFirst()
                // Until the gate is passed an export is refused; who is told to come again does so.
                try await eventually("the export is answered") {
                    let status = try await client.send(.put, "/v1/sync/export", export).status
                    return [200, 403].contains(status)
                }
            }
            let state = try await client.send(.get, "/v1/sync/state").json
            #expect(state["totalXP"] as? Int == 9023)
            #expect(state["totalSessions"] as? Int == 86)
        }
    }

    @Test func `an export out of order never lowers anything`() async throws {
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            let exports = try Self.exports(of: "ana-restart")
            var generator = SplitMix64(seed: 7)
            var last: [String: Int] = [:]
            for export in exports.suffix(1) + exports.shuffled(using: &generator) {
                _ = try await client.send(.put, "/v1/sync/export", export)
                let state = try await client.send(.get, "/v1/sync/state").json
                for field in ["totalXP", "currentLevel", "longestStreak", "totalSessions", "totalMinutes"] {
                    let value = try #require(state[field] as? Int)
                    #expect(value >= last[field, default: 0], "\(field)")
                    last[field] = value
                }
            }
        }
    }

    @Test func `what was cleared does not return with an older export`() async throws {
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            let exports = try Self.exports(of: "finn-micro-clear")
            for export in exports.prefix(43) {
                _ = try await client.send(.put, "/v1/sync/export", export)
            }
            #expect(try await client.send(.get, "/v1/sync/state").json["totalXP"] as? Int == 3735)

            _ = try await client.send(.put, "/v1/sync/export", exports[43])
            let late = try await client.send(.put, "/v1/sync/export", exports[42])
            #expect(late.status == 200)
            let receipt = try #require(late.json["receipt"] as? [[String: Any]])
            #expect(receipt.allSatisfy { $0["rule"] as? String == "takenBeforeClear" })
            let state = try await client.send(.get, "/v1/sync/state").json
            #expect(state["totalXP"] as? Int == 0)
            #expect(state["totalSessions"] as? Int == 0)
            #expect(state["epoch"] as? Int == 2)
        }
    }

    private static func exports(of name: String) throws -> [[String: Any]] {
        let path = try #require(
            Bundle.module.path(forResource: name, ofType: "jsonl", inDirectory: "Fixtures")
        )
        return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { line in
            let event = try #require(
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            )
            let device = event["device"] ?? ""
            return [
                "device": ["id": device, "name": device, "timeZone": event["tz"] ?? ""],
                "takenAt": event["at"] ?? "",
                "export": event["export"] ?? [:],
            ]
        }
    }
}
