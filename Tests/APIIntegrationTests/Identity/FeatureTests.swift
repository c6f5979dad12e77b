import Foundation
import HTTPTypes
import Testing

struct FeatureTests {
    @Test func `what sync unlocks is unlockable until it is enabled, and there from then on`() async throws {
        try await TestServer().run { nobody in
            let (client, _) = try await nobody.newcomer()
            let unlocked = ["global-leaderboards", "cross-device-sync", "community-challenges"]

            let before = try await client.send(.get, "/v1/features")
            #expect(before.status == 200)
            #expect(Set(before.json.keys) == ["available", "unlockable", "requiresUpgrade"])
            #expect(before.json["unlockable"] as? [String] == unlocked)
            #expect(before.json["requiresUpgrade"] as? [String] == ["premium-presets", "priority-support"])

            _ = try await client.send(.put, "/v1/sync/export", Practice.export(until: Date()))
            let after = try await client.send(.get, "/v1/features").json
            #expect(after["unlockable"] as? [String] == [])
            #expect((after["available"] as? [String])?.suffix(3) == unlocked[...])
            #expect(after["requiresUpgrade"] as? [String] == ["premium-presets", "priority-support"])
        }
    }
}
