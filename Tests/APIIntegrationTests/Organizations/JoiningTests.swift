import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

/// Into a company and out of it: by whom one is asked, what one is shown before, and how soon one is gone.
struct JoiningTests {
    @Test func `a company is suggested to whom it concerns, and to nobody else`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (ada, owner) = try await nobody.practitioner("Ada", at: clock.now)
            let acme = try await server.company("Acme", owner: owner)
            let (ben, his) = try await nobody.practitioner("Ben", at: clock.now)
            #expect(try await ben.suggestions() == [])
            try await server.recordEmail(of: his, "ben@\(acme.domain)")
            #expect(try await ben.suggestions() == ["Acme yes"])

            _ = try await ada.send(.patch, "/v1/organizations/\(acme.id)", ["automaticJoining": false])
            #expect(try await ben.suggestions() == ["Acme no"])
            #expect(try await ben.join(acme.id).status == 404)
            let invited = ["address": "Ben@\(acme.domain)"]
            #expect(
                try await ada.send(.post, "/v1/organizations/\(acme.id)/invitations", invited).status == 201
            )
            #expect(try await ben.suggestions() == ["Acme yes"])
            #expect(try await ben.join(acme.id).status == 200)
            #expect(try await ben.suggestions() == [])
            let (cleo, _) = try await nobody.newcomer()
            #expect(try await cleo.suggestions() == [])
        }
    }

    @Test func `one sees what the company will see before one joins, and agrees to that alone`() async throws
    {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (ada, owner) = try await nobody.practitioner("Ada", at: clock.now)
            let acme = try await server.company("Acme", owner: owner)
            let (ben, his) = try await nobody.practitioner("Ben", at: clock.now)
            #expect(try await ben.send(.get, "/v1/organizations/\(acme.id)/preview").status == 404)
            try await server.recordEmail(of: his, "ben@\(acme.domain)")

            func preview() async throws -> (sees: [String: Any], agreement: String) {
                let answer = try await ben.send(.get, "/v1/organizations/\(acme.id)/preview")
                let preview = try #require(answer.json["preview"] as? [String: Any])
                return (preview, try #require(answer.json["agreement"] as? String))
            }
            func join(_ agreement: String) async throws -> String {
                let answer = try await ben.send(
                    .put,
                    "/v1/organizations/\(acme.id)/membership",
                    ["agreement": agreement]
                )
                return answer.json["code"] as? String ?? "\(answer.status)"
            }
            let first = try await preview()
            let shown = try #require(first.sees["colleaguesSee"] as? [String: Any])
            #expect(shown["displayName"] as? String == "Ben")
            #expect(shown["realName"] is NSNull)
            #expect(
                shown["metrics"] as? [String] == [
                    "weeklyMinutes", "weeklyConsistency", "teamChallengeParticipation",
                ]
            )

            // The company asks for more meanwhile, and the person would show it.
            _ = try await ada.send(
                .patch,
                "/v1/organizations/\(acme.id)",
                ["leaderboard": ["showRealNames": true]]
            )
            let real: [String: Any] = [
                "realName": "Ben Birch", "leaderboards": ["company": ["showRealNames": true]],
            ]
            #expect(try await ben.send(.patch, "/v1/me", real).status == 200)
            #expect(try await join(first.agreement) == "agreement_stale")
            let second = try await preview()
            #expect((second.sees["colleaguesSee"] as? [String: Any])?["realName"] as? String == "Ben Birch")

            _ = try await ben.send(.patch, "/v1/me", ["leaderboards": ["company": ["enabled": false]]])
            #expect(try await join(second.agreement) == "agreement_stale")
            let third = try await preview()
            #expect(third.sees["colleaguesSee"] is NSNull)
            #expect(try await join("") == "agreement_stale")
            #expect(try await join(third.agreement) == "200")
            #expect(try await ben.send(.put, "/v1/organizations/\(acme.id)/membership").status == 400)
        }
    }

    @Test func `an invitation is for its address, for seven days and for once`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            let (ada, owner) = try await nobody.practitioner("Ada", at: clock.now)
            let acme = try await server.company("Acme", owner: owner)
            let path = "/v1/organizations/\(acme.id)/invitations"
            let outside = "guest@\(UUID().uuidString.lowercased()).example"
            let refused = try await ada.send(.post, path, ["address": outside])
            #expect(refused.status == 422)
            #expect(refused.json["field"] as? String == "address")
            _ = try await ada.send(.patch, "/v1/organizations/\(acme.id)", ["domainRestricted": false])
            let sent = try await ada.send(.post, path, ["address": outside, "role": "analyst"])
            #expect(sent.status == 201)
            for role in ["owner", "king"] {
                #expect(try await ada.send(.post, path, ["address": outside, "role": role]).status == 422)
            }
            // Who reads the mail and has another address, is asked nothing.
            let (ben, his) = try await nobody.practitioner("Ben", at: clock.now)
            #expect(try await ben.join(acme.id).status == 404)
            try await server.recordEmail(of: his, outside)
            clock.advance(by: 7 * 86_400)
            #expect(try await ben.suggestions() == [])
            #expect(try await ben.send(.get, "/v1/organizations/\(acme.id)/preview").status == 404)
            #expect(try await ben.join(acme.id).status == 404)
            #expect((try await ada.send(.get, path).json["invitations"] as? [Any])?.count == 0)

            _ = try await ada.send(.post, path, ["address": outside, "role": "analyst"])
            let joined = try await ben.join(acme.id)
            let roles = (joined.json["organizations"] as? [[String: Any]])?.compactMap {
                $0["role"] as? String
            }
            #expect(roles == ["analyst"])
            _ = try await ben.send(.delete, "/v1/organizations/\(acme.id)/membership")
            #expect(try await ben.join(acme.id).status == 404)

            let again = try await ada.send(.post, path, ["address": outside])
            let id = try #require(again.json["id"] as? String)
            #expect(try await ada.send(.delete, "\(path)/\(id)").status == 204)
            #expect(try await ada.send(.delete, "\(path)/\(id)").status == 404)
            #expect(try await ben.join(acme.id).status == 404)
        }
    }

    @Test func `who is invited by two addresses joins once, as the preview says, and spends both`()
        async throws
    {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (ada, owner) = try await nobody.practitioner("Ada", at: clock.now)
            let acme = try await server.company("Acme", owner: owner)
            let invitations = "/v1/organizations/\(acme.id)/invitations"
            let (ben, uid) = try await nobody.newcomer()
            for (name, role) in [("ben", "admin"), ("benjamin", "analyst")] {
                try await server.recordEmail(of: uid, "\(name)@\(acme.domain)")
                let wish = ["address": "\(name)@\(acme.domain)", "role": role]
                #expect(try await ada.send(.post, invitations, wish).status == 201)
                clock.advance(by: 60)
            }
            let preview = try await ben.send(.get, "/v1/organizations/\(acme.id)/preview")
            #expect((preview.json["preview"] as? [String: Any])?["role"] as? String == "analyst")
            let joined = try await ben.join(acme.id)
            let roles = (joined.json["organizations"] as? [[String: Any]])?.compactMap {
                $0["role"] as? String
            }
            #expect(roles == ["analyst"])
            let left = try await ada.send(.get, invitations).json["invitations"] as? [Any]
            #expect(left?.isEmpty == true)
        }
    }

    @Test func `before it has proved a domain, a company asks nobody`() async throws {
        try await TestServer().run { nobody in
            let (ada, _) = try await nobody.newcomer()
            let founded = try await ada.send(.post, "/v1/organizations", ["name": "Acme"])
            let path = "/v1/organizations/\(founded.json["organizationId"] ?? "")/invitations"
            let refused = try await ada.send(.post, path, ["address": "someone@acme.example"])
            #expect(refused.status == 409)
            #expect(refused.json["code"] as? String == "domain_not_proved")
        }
    }

    @Test func `an invitation is mailed, and names the company`() async throws {
        let postgres = try await blocking { try OwnPostgres() }
        defer { postgres.remove() }
        let clock = TestClock()
        let server = try await TestServer(clock: clock, postgres: postgres)
        let folder = FileManager.default.temporaryDirectory.appending(path: "outbox-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        try await server.run { nobody in
            let (ada, owner) = try await nobody.practitioner("Ada", at: clock.now)
            let acme = try await server.company("Acme & <Söhne>", owner: owner)
            let invited = ["address": "guest@\(acme.domain)"]
            let sent = try await ada.send(.post, "/v1/organizations/\(acme.id)/invitations", invited)
            #expect(sent.status == 201)
            clock.advance(by: 1)
            try await server.delivery(to: .folder(folder)).deliver()
            let files = try FileManager.default.contentsOfDirectory(
                at: folder,
                includingPropertiesForKeys: nil
            )
            let text = try String(contentsOf: try #require(files.first), encoding: .utf8)
                .replacing("=\r\n", with: "")
            #expect(files.count == 1)
            #expect(text.contains("To: <guest@\(acme.domain)>"))
            #expect(text.contains("Acme & <S=C3=B6hne> would like you to join"))
            #expect(text.contains("Acme &amp; &lt;S=C3=B6hne&gt;</strong> would like"))
        }
    }

    @Test func `who leaves is gone from membership and board in one moment, for everybody`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (_, owner) = try await nobody.practitioner("Ada", at: clock.now)
            let acme = try await server.company("Acme", owner: owner)
            let (_, text) = try await server.employee("Ben", of: acme, nobody, at: clock.now)
            let his = try #require(UUID(uuidString: text))
            let hers = try #require(UUID(uuidString: owner))
            let id = try #require(UUID(uuidString: acme.id))
            // Two connections of the server's role: his, that leaves, and hers, that looks.
            let (leaving, looking) = (
                PGPool(PGConfiguration(server.database)), PGPool(PGConfiguration(server.database))
            )
            func seen() async throws -> [Int64] {
                try await looking.transaction(opening: "select app.bind(\(hers), \(id))") { tx in
                    let (member, rows) = try await tx.queryOne(
                        """
                        select (select count(*) from board.member where uid = \(his)),
                          (select count(distinct uid) from board.company where uid = \(his))
                        """,
                        as: (Int64, Int64).self
                    )
                    return [member, rows]
                }
            }
            #expect(try await seen() == [1, 1])
            try await leaving.transaction(opening: "select app.bind(\(his))") { tx in
                try await tx.execute(
                    "select app.end_membership(\(id), \(his), row(gen_random_uuid(), '', now())::app.origin)"
                )
                #expect(try await seen() == [1, 1])
            }
            #expect(try await seen() == [0, 0])
            await leaving.close()
            await looking.close()
        }
    }
}

extension Client {
    /// The companies that this person could join, and whether by themself.
    fileprivate func suggestions() async throws -> [String] {
        let answer = try await send(.get, "/v1/organizations/suggestions")
        let list = try #require(answer.json["suggestions"] as? [[String: Any]])
        return list.map { "\($0["name"] ?? "") \($0["canJoin"] as? Bool == true ? "yes" : "no")" }
    }
}
