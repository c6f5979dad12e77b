import Domain
import Foundation
import HTTPTypes
import Testing

@testable import API

/// Postgres finds by a filter what a reader of the filter would, one resource after another.
struct DirectoryFilterTests {
    private static let texts = ["ada", "Ada L", "b%", "b_n", "", "a\"b", "ben \\", "zoë", "1"]

    private static func users(_ random: inout some RandomNumberGenerator) -> [[String: Any]] {
        (1...40).map { number in
            var user: [String: Any] = ["userName": "\(texts[number % texts.count])\(number % 7) \(number)"]
            if Bool.random(using: &random) { user["active"] = Bool.random(using: &random) }
            if Bool.random(using: &random) { user["externalId"] = "X\(number)" }
            if Bool.random(using: &random) { user["displayName"] = texts.randomElement(using: &random) }
            if Bool.random(using: &random) {
                user["name"] = ["familyName": texts.randomElement(using: &random) ?? ""]
            }
            let emails = (0..<Int.random(in: 0...2, using: &random)).map { place -> [String: Any] in
                var email: [String: Any] = ["value": "\(number % 5)@\(place).example"]
                if Bool.random(using: &random) { email["type"] = place == 0 ? "work" : "Home" }
                if Bool.random(using: &random) { email["primary"] = place == 0 }
                return email
            }
            if !emails.isEmpty { user["emails"] = emails }
            return user
        }
    }

    private static func filter(_ depth: Int, _ random: inout some RandomNumberGenerator) -> String {
        func text() -> String {
            let text = (texts + ["a", "ADA", "x1", "X1", "@1.", "0@0.example", "work", "HOME"])
                .randomElement(using: &random)
            let bytes = try? JSONEncoder().encode(text ?? "")
            return String(decoding: bytes ?? Data(), as: UTF8.self)
        }
        let orders = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]
        func order() -> String { orders.randomElement(using: &random) ?? "eq" }
        guard depth > 0, Int.random(in: 0..<3, using: &random) > 0 else {
            switch Int.random(in: 0..<8, using: &random) {
            case 0:
                return "active \(Bool.random(using: &random) ? "eq" : "ne") \(Bool.random(using: &random))"
            case 1:
                let names = [
                    "active", "externalId", "displayName", "name", "name.givenName", "emails", "emails.type",
                ]
                return "\(names.randomElement(using: &random) ?? "name") pr"
            case 2: return "emails \(order()) \(text())"
            case 3: return "emails.type \(order()) \(text())"
            case 4: return "emails[type eq \"work\" and value \(order()) \(text())]"
            case 5: return "emails[not (primary eq true)].value \(order()) \(text())"
            default:
                let names = ["userName", "externalId", "displayName", "name.familyName"]
                return "\(names.randomElement(using: &random) ?? "userName") \(order()) \(text())"
            }
        }
        switch Int.random(in: 0..<3, using: &random) {
        case 0: return "not (\(filter(depth - 1, &random)))"
        case 1: return "(\(filter(depth - 1, &random)) and \(filter(depth - 1, &random)))"
        default: return "\(filter(depth - 1, &random)) or \(filter(depth - 1, &random))"
        }
    }

    @Test func `three hundred filters on forty users`() async throws {
        try await withDirectory { directory, _ in
            var random = SeededGenerator(seed: 7643)
            for user in Self.users(&random) {
                #expect(try await directory.send(.post, "/scim/v2/Users", user).status == 201)
            }
            let everybody = try await directory.send(.get, "/scim/v2/Users?count=500").json["Resources"]
            let bytes = try JSONSerialization.data(withJSONObject: try #require(everybody))
            let users = try JSONDecoder().decode([ScimResource].self, from: bytes)
            #expect(users.count == 40)
            var found = 0
            for _ in 1...300 {
                let text = Self.filter(3, &random)
                let filter = try ScimFilter(text, on: .user)
                let expected = Set(users.filter { filter.holds(for: $0) }.map { $0["id"] })
                let search: [String: Any] = ["filter": text, "count": 500, "attributes": ["id"]]
                let answer = try await directory.send(.post, "/scim/v2/Users/.search", search)
                #expect(answer.status == 200, "\(text)")
                let resources = answer.json["Resources"] as? [[String: Any]] ?? []
                let ids = Set(resources.map { ($0["id"] as? String).map(JSONValue.string) })
                #expect(ids == expected, "\(text)")
                #expect(answer.json["totalResults"] as? Int == expected.count, "\(text)")
                if !(ids.isEmpty || ids.count == 40) { found += 1 }
            }
            // Most of them tell some of the users from others.
            #expect(found > 100)
        }
    }
}

/// The same numbers for the same seed (SplitMix64).
private struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
