import Foundation
import HTTPTypes
import Testing

/// `/v1/sync/sessions` and `/days`.
struct PracticeTests {
    private let end = Practice.noon

    @Test func `sessions are listed page by page, each once`() async throws {
        try await TestServer(clock: TestClock(Practice.noon)).run { nobody in
            let (laptop, _) = try await nobody.veteran(until: end)
            var seen: [String] = []
            var cursor = ""
            repeat {
                let page = try await laptop.client.send(.get, "/v1/sync/sessions?limit=7\(cursor)").json
                seen += (page["sessions"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? String }
                cursor = (page["nextCursor"] as? String).map { "&cursor=\($0)" } ?? ""
            } while !cursor.isEmpty
            #expect(seen.count == 30)
            #expect(Set(seen).count == 30)
            let day = Practice.timestamp(end).prefix(10)
            let today = try await laptop.client.send(.get, "/v1/sync/sessions?from=\(day)&to=\(day)").json
            #expect(
                (today["sessions"] as? [[String: Any]])?.allSatisfy { $0["localDay"] as? String == "\(day)" }
                    == true
            )
            let bad = try await laptop.client.send(.get, "/v1/sync/sessions?from=yesterday")
            #expect(bad.status == 422)
            #expect(bad.json["field"] as? String == "from")
        }
    }

    @Test func `each day says why it counts`() async throws {
        try await TestServer(clock: TestClock(Practice.noon)).run { nobody in
            let (laptop, _) = try await nobody.veteran(until: end)
            let day = Practice.timestamp(end.addingTimeInterval(-3 * 86_400)).prefix(10)
            let practised = try await laptop.client.send(.get, "/v1/sync/days/\(day)").json
            #expect(practised["reason"] as? String == "practised")
            #expect(practised["counts"] as? Bool == true)
            let before = try await laptop.client.send(.get, "/v1/sync/days/2020-01-01").json
            #expect(before["reason"] as? String == "beforeFirst")
            #expect(try await laptop.client.send(.get, "/v1/sync/days/tomorrow").status == 422)
        }
    }
}
