import Foundation
import HTTPTypes
import Testing

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
