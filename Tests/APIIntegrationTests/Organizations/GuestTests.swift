import Domain
import Foundation
import HTTPTypes
import Testing

@testable import API

/// A company that restricts itself to its domain, and those who are in it for another reason.
struct GuestTests {
    @Test func `who is in a company for another reason than its domain has no board there, nor a place`()
        async throws
    {
        let season = Season(try #require(Week("2086-W20")))
        let clock = TestClock(season.endsAt.date.addingTimeInterval(-30 * 3600))
        let server = try await TestServer(clock: clock, keepsTokens: true, isAlone: true)
        try await server.run { nobody in
            let ada = try await nobody.practitioner("Ada", at: clock.now)
            let acme = try await server.company("Acme", owner: ada.uid)
            let path = "/v1/organizations/\(acme.id)"
            func change(_ wish: [String: Any]) async throws {
                try #require(try await ada.client.send(.patch, path, wish).status == 200)
            }
            let (ben, _) = try await server.employee("Ben", of: acme, nobody, at: clock.now)

            // Gail has practised more than they have, and is invited by an address elsewhere.
            let gail = try await nobody.practitioner("Gail", at: clock.now)
            var phone = BatchDevice("phone", of: gail.client)
            try await phone.sync([
                Practice.session(startedAt: clock.now.addingTimeInterval(-3 * 3600), cycles: 40)
            ])
            let elsewhere = "gail@\(UUID().uuidString.lowercased()).example"
            try await change(["domainRestricted": false])
            let invited = try await ada.client.send(.post, "\(path)/invitations", ["address": elsewhere])
            #expect(invited.status == 201)
            try await server.recordEmail(of: gail.uid, elsewhere)
            #expect(try await gail.client.join(acme.id).status == 200)

            // As Ada, Ben and Gail see it; who ties is sorted by name.
            func seen(_ season: String = "") async throws -> [String] {
                var seen: [String] = []
                for client in [ada.client, ben, gail.client] {
                    let found = try await client.board("company\(season)?organization=\(acme.id)")
                    seen.append(found.split(separator: ", ").sorted().joined(separator: ", "))
                }
                return seen
            }
            func isListed(for client: Client) async throws -> Bool {
                let answer = try await client.send(.get, "/v1/leaderboards")
                let boards = try #require(answer.json["boards"] as? [[String: Any]])
                return boards.contains { $0["organizationId"] as? String == acme.id }
            }
            let board = "/v1/leaderboards/company?organization=\(acme.id)"
            let everybody = "1 Gail, 2 Ada, 2 Ben"
            #expect(try await seen() == [everybody, everybody, everybody])
            #expect(try await isListed(for: gail.client))

            try await change(["domainRestricted": true])
            #expect(try await seen() == ["1 Ada, 1 Ben", "1 Ada, 1 Ben", "empty"])
            #expect(try await ada.client.send(.get, board).json["total"] as? Int == 2)
            #expect(try await isListed(for: ben))
            #expect(try await !isListed(for: gail.client))
            #expect(try await gail.client.board("global").contains("Gail"), "That is nobody's company's.")
            #expect(try await gail.client.send(.get, path).status == 200, "A guest is a member still.")

            // For a guest it is as for everybody where the board is off.
            let asGuest = try await gail.client.send(.get, board)
            try await change(["leaderboard": ["enabled": false]])
            let whereItIsOff = try await gail.client.send(.get, board)
            #expect(asGuest.status == whereItIsOff.status)
            #expect(Set(asGuest.json.keys) == Set(whereItIsOff.json.keys))
            #expect(asGuest.json["total"] as? Int == 0)
            try await change(["leaderboard": ["enabled": true]])

            // In history a guest's place is kept, and shown to nobody.
            clock.advance(by: season.finalAt.date.timeIntervalSince(clock.now))
            try await server.finalise(season)
            let week = "/seasons/2086-W20"
            #expect(try await seen(week) == ["2 Ada, 2 Ben", "2 Ada, 2 Ben", "empty"])
            #expect(try await server.boardDifferences() == [])

            // Who shows an address of the company's is back with the next answer.
            try await server.recordEmail(of: gail.uid, "gail@\(acme.domain)")
            #expect(try await seen(week) == [everybody, everybody, everybody])
            #expect(try await isListed(for: gail.client))
            #expect(try await server.boardDifferences() == [])
        }
    }
}
