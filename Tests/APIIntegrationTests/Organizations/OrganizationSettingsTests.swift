import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

/// What a company decides for its members: who may invite, and how old a sign-in may be.
struct OrganizationSettingsTests {
    @Test func `members invite where the company lets them, plain members and nothing more`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (ada, owner) = try await nobody.practitioner("Ada", at: clock.now)
            let acme = try await server.company("Acme", owner: owner)
            let (ben, _) = try await server.employee("Ben", of: acme, nobody, at: clock.now)
            let path = "/v1/organizations/\(acme.id)"
            func invite(_ name: String, as role: String = "member", by client: Client) async throws
                -> Client.Answer
            {
                try await client.send(
                    .post,
                    "\(path)/invitations",
                    ["address": "\(name)@\(acme.domain)", "role": role]
                )
            }
            #expect(try await ada.send(.get, path).json["whoMayInvite"] as? String == "admins")
            #expect(try await invite("cleo", by: ben).json["code"] as? String == "not_permitted")
            #expect(
                try await ada.send(.patch, path, ["whoMayInvite": "anybody"]).json["field"] as? String
                    == "whoMayInvite"
            )

            let changed = try await ada.send(.patch, path, ["whoMayInvite": "members"])
            #expect(changed.json["whoMayInvite"] as? String == "members")
            #expect(try await ben.send(.get, path).json["permissions"] as? [String] == ["members.invite"])
            let sent = try await invite("cleo", by: ben)
            #expect(sent.status == 201)
            #expect(sent.json["role"] as? String == "member")
            for role in ["admin", "analyst"] {
                #expect(try await invite("dan", as: role, by: ben).json["code"] as? String == "not_permitted")
            }
            // Whom others have invited is not theirs to see, to end or to make less of.
            let listed =
                try await ada.send(.get, "\(path)/invitations").json["invitations"] as? [[String: Any]]
            #expect(listed?.map { $0["id"] as? String } == [sent.json["id"] as? String])
            #expect(listed?.first?["expiresAt"] as? String == sent.json["expiresAt"] as? String)
            #expect(try await ben.send(.get, "\(path)/invitations").status == 403)
            #expect(try await ben.send(.delete, "\(path)/invitations/\(sent.json["id"] ?? "")").status == 403)
            #expect(try await invite("eve", as: "admin", by: ada).status == 201)
            #expect(try await invite("eve", by: ben).status == 403)

            _ = try await ada.send(.patch, path, ["whoMayInvite": NSNull()])
            #expect(try await invite("frank", by: ben).status == 403)
            #expect(try await invite("frank", by: ada).status == 201)
        }
    }

    @Test func `a sign-in that is too old sees nothing of the company, and all that is the person's own`()
        async throws
    {
        let clock = TestClock()
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            let (ada, owner) = try await nobody.practitioner("Ada", at: clock.now)
            let acme = try await server.company("Acme", owner: owner)
            let (ben, _) = try await server.employee("Ben", of: acme, nobody, at: clock.now)
            let program = try await ben.program(["leaderboards:read", "organizations:read"], at: clock.now)
            let path = "/v1/organizations/\(acme.id)"
            for hours in [0, 8761, -1, 1 << 40] {
                let refused = try await ada.send(.patch, path, ["maxSignInAgeHours": hours])
                #expect(refused.json["field"] as? String == "maxSignInAgeHours", "\(hours)")
            }
            #expect(
                try await ada.send(.patch, path, ["maxSignInAgeHours": 12]).json["maxSignInAgeHours"] as? Int
                    == 12
            )

            let board = "/v1/leaderboards/company?organization=\(acme.id)"
            clock.advance(by: 12 * 3600 - 60)
            for client in [ada, ben, program] { #expect(try await client.send(.get, board).status == 200) }
            clock.advance(by: 120)
            // A token is as old as the sign-in by which it was made.
            let late = try await ben.program(["leaderboards:read", "organizations:read"], at: clock.now)
            for client in [ada, ben, program, late] {
                for route in [board, path] {
                    let refused = try await client.send(.get, route)
                    #expect(refused.status == 403, "\(route)")
                    #expect(refused.json["code"] as? String == "sign_in_too_old", "\(route)")
                }
            }
            for route in ["members", "overview", "audit", "domains", "keys", "invitations", "teams"] {
                let refused = try await ada.send(.get, "\(path)/\(route)")
                #expect(refused.json["code"] as? String == "sign_in_too_old", "\(route)")
            }
            #expect(
                try await ada.send(.patch, path, ["name": "Mine"]).json["code"] as? String
                    == "sign_in_too_old"
            )
            // Who stays isn't hidden from who goes: nobody is left without an owner.
            let deletion = try await ada.send(.delete, "/v1/me", ["confirm": "delete my account"])
            #expect(deletion.json["code"] as? String == "last_owner")
            // Practice, the boards of others and leaving are theirs however old it is.
            for route in ["/v1/sync/state", "/v1/me", "/v1/leaderboards/global", "/v1/organizations"] {
                #expect(try await ben.send(.get, route).status == 200, "\(route)")
            }
            let practised = Practice.export(until: clock.now)
            #expect(try await ben.send(.put, "/v1/sync/export", practised).status == 200)
            // Signed in again, all is there again.
            var again = nobody
            let code = try await ada.send(.post, "/v1/me/recovery-code").json["recoveryCode"] ?? ""
            let entered = try await nobody.send(.post, "/v1/auth/recover", ["recoveryCode": code])
            again.token = entered.json["accessToken"] as? String
            #expect(try await again.send(.get, board).status == 200)
            #expect(
                try await again.send(.patch, path, ["maxSignInAgeHours": NSNull()]).json["maxSignInAgeHours"]
                    == nil
            )
            #expect(try await ben.send(.get, board).status == 200)
            #expect(try await ben.send(.delete, "\(path)/membership").status == 204)
        }
    }
}
