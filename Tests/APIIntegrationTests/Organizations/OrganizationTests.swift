import Foundation
import HTTPTypes
import Testing

struct OrganizationTests {
    @Test func `an address in a proved domain opens the company, and nothing else does`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let (_, owner) = try await nobody.newcomer()
            let acme = try await server.company("Acme", owner: owner)
            let (ben, uid) = try await nobody.newcomer()

            #expect(try await ben.join(acme.id).status == 404)
            #expect(try await ben.join("\(UUID())").status == 404)
            try await server.recordEmail(of: uid, "ben@sub.\(acme.domain)")
            #expect(try await ben.join(acme.id).status == 404)

            try await server.recordEmail(of: uid, "Ben@\(acme.domain)")
            let joined = try await ben.join(acme.id)
            let list = try #require(joined.json["organizations"] as? [[String: Any]])
            #expect(
                list.map { $0.compactMapValues { $0 as? String } } == [
                    ["organizationId": acme.id, "name": "Acme", "role": "member"]
                ]
            )
        }
    }

    @Test func `leaving is immediate, and who never belonged finds nothing to leave`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (ada, owner) = try await nobody.practitioner("Ada", at: clock.now)
            let acme = try await server.company("Acme", owner: owner)
            let (ben, uid) = try await nobody.practitioner("Ben", at: clock.now)
            #expect(try await ben.send(.delete, "/v1/organizations/\(acme.id)/membership").status == 404)

            try await server.recordEmail(of: uid, "ben@\(acme.domain)")
            _ = try await ben.join(acme.id)
            let board = "company?organization=\(acme.id)"
            #expect(try await ada.board(board).contains("Ben"))

            #expect(try await ben.send(.delete, "/v1/organizations/\(acme.id)/membership").status == 204)
            let (hers, his) = try await (ada.board(board), ben.board(board))
            #expect(hers == "1 Ada")
            #expect(his == "404")
        }
    }
}
