import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

/// A company's day from its founding on, by everybody who acts for it: the record of it is the script of it. Among the
/// tests of domains, as it starts a name server too.
extension DomainClaimTests {
    @Test func `the record of a day is its script, and one altered row of it is found`() async throws {
        let postgres = try await blocking { try OwnPostgres() }
        defer { postgres.remove() }
        let zones = try NameServer()
        let clock = TestClock(Date(timeIntervalSince1970: 1_772_820_000))
        let server = try await TestServer(
            clock: clock,
            keepsTokens: true,
            postgres: postgres,
            lookup: zones.lookup
        )
        try await server.run { nobody in
            var script: [String] = []
            let (ada, owner) = try await nobody.practitioner("Ada", at: clock.now)
            let founded = try await ada.send(.post, "/v1/organizations", ["name": "Acme"])
            let company = try #require(founded.json["organizationId"] as? String)
            let acme = "/v1/organizations/\(company)"
            script.append("user:\(owner) organization.created organization")

            let claimed = try await ada.send(.post, "\(acme)/domains", ["domain": "acme.example"])
            let record = try #require(claimed.json["record"] as? [String: String])
            try await zones.serve(
                ["acme.example"],
                [(name: record["name"] ?? "", strings: [record["value"] ?? ""])]
            )
            _ = try await ada.send(.post, "\(acme)/domains/acme.example/prove")
            script.append("user:\(owner) domain.claimed domain:acme.example")
            script.append("user:\(owner) domain.proved domain:acme.example")

            let (ben, his) = try await nobody.practitioner("Ben", at: clock.now)
            try await server.recordEmail(of: his, "ben@acme.example")
            let invited = try await ada.send(.post, "\(acme)/invitations", ["address": "ben@acme.example"])
            #expect(try await ben.join(company).status == 200)
            script.append("user:\(owner) invitation.sent invitation:\(invited.json["id"] ?? "")")
            script.append("user:\(his) member.joined user:\(his)")
            _ = try await ada.send(.patch, "\(acme)/members/\(his)", ["role": "admin"])
            script.append("user:\(owner) member.role-changed user:\(his)")
            _ = try await ben.send(
                .patch,
                acme,
                ["whoMayInvite": "members", "auditRetentionDays": NSNull(), "maxSignInAgeHours": 720]
            )
            script.append("user:\(his) settings.changed organization")

            let made = try await ben.send(.post, "\(acme)/keys", ["name": "Okta", "scopes": ["scim"]])
            let key = "\(made.json["id"] ?? "")"
            script.append("user:\(his) key.created key:\(key)")
            var directory = nobody
            directory.token = made.json["key"] as? String
            let okta = "key:\(key) Okta"
            let cleo: [String: Any] = [
                "userName": "cleo@acme.example", "title": "Engineer",
                "emails": [["value": "cleo@acme.example", "type": "work"]],
            ]
            let created = try await directory.send(.post, "/scim/v2/Users", cleo)
            let user = "\(created.json["id"] ?? "")"
            script.append("\(okta) directory-user.created directory-user:\(user)")
            func patch(_ path: String, _ operation: [String: Any]) async throws -> Int {
                try await directory.send(.patch, path, ["Operations": [operation]]).status
            }
            for name in ["Cleo", "Cleo"] {
                _ = try await patch(
                    "/scim/v2/Users/\(user)",
                    ["op": "replace", "path": "displayName", "value": name]
                )
            }
            script.append("\(okta) directory-user.changed directory-user:\(user)")
            let grouped = try await directory.send(
                .post,
                "/scim/v2/Groups",
                ["displayName": "Sales", "members": [["value": user]]]
            )
            let group = "\(grouped.json["id"] ?? "")"
            script.append("\(okta) directory-group.created directory-group:\(group)")
            script.append("\(okta) directory-group.members-changed directory-group:\(group)")
            _ = try await patch(
                "/scim/v2/Groups/\(group)",
                ["op": "replace", "value": ["displayName": "Sales EMEA"]]
            )
            script.append("\(okta) directory-group.renamed directory-group:\(group)")
            // What is so already is no line.
            _ = try await patch(
                "/scim/v2/Groups/\(group)",
                ["op": "add", "path": "members", "value": [["value": user]]]
            )
            _ = try await patch(
                "/scim/v2/Groups/\(group)",
                ["op": "remove", "path": "members[value eq \"\(user)\"]"]
            )
            script.append("\(okta) directory-group.members-changed directory-group:\(group)")
            for active in [false, false, true] {
                _ = try await patch("/scim/v2/Users/\(user)", ["op": "replace", "value": ["active": active]])
            }
            script.append("\(okta) directory-user.deactivated directory-user:\(user)")
            script.append("\(okta) directory-user.activated directory-user:\(user)")
            _ = try await directory.send(.delete, "/scim/v2/Groups/\(group)")
            _ = try await directory.send(.delete, "/scim/v2/Users/\(user)")
            script.append("\(okta) directory-group.deleted directory-group:\(group)")
            script.append("\(okta) directory-user.deleted directory-user:\(user)")
            #expect(try await ada.send(.delete, "\(acme)/keys/\(key)").status == 204)
            script.append("user:\(owner) key.revoked key:\(key)")
            #expect(try await directory.send(.get, "/scim/v2/Users").status == 401)

            _ = try await ben.send(.delete, "\(acme)/membership")
            script.append("user:\(his) member.left user:\(his)")
            let id = try #require(UUID(uuidString: company))
            for closed in [true, false] {
                try await server.asOperator { try await $0.suspendOrganization(id, closed, at: clock.now) }
            }
            script.append("operator organization.suspended organization")
            script.append("operator organization.resumed organization")

            let answer = try await ada.send(.get, "\(acme)/audit?limit=1000")
            let events = try #require(answer.json["events"] as? [[String: Any]]).reversed()
            let told = events.map { event in
                ["actor", "action", "target"].map { "\(event[$0] ?? "")" }.joined(separator: " ")
            }
            #expect(told == script)
            let byKey = try await ada.send(.get, "\(acme)/audit?limit=1000&actor=key:\(key)").json["events"]
            #expect((byKey as? [Any])?.count == script.filter { $0.hasPrefix(okta) }.count)

            // What was and what is, as the directory says it and no more, and never what opens anything.
            func line(_ action: String) -> [String: Any] {
                events.first { $0["action"] as? String == action } ?? [:]
            }
            let shown = line("directory-user.created")["after"] as? [String: Any]
            #expect(Set(shown?.keys.map(\.self) ?? []) == ["userName", "emails", "active"])
            let changed = line("directory-user.deactivated")
            #expect(changed["before"] as? [String: Bool] == ["active": true])
            #expect(changed["after"] as? [String: Bool] == ["active": false])
            let came = line("directory-group.members-changed")["after"] as? [String: [String: Any]]
            #expect(came?["added"]?["users"] as? [String] == [user])
            #expect((line("key.created")["after"] as? [String: Any])?["scopes"] as? [String] == ["scim"])
            #expect((line("directory-user.created")["source"] as? String)?.hasSuffix("::/64") == true)
            #expect(line("directory-user.created")["requestId"] as? String == created.requestID)
            let text = "\(answer.json)"
            #expect(!text.contains("bm_org_") && !text.contains("Engineer"))

            let sound = try await breathmaster("audit", "verify", company, on: server.superuser)
            #expect(sound.status == 0, "\(sound.output)")
            try await server.asSuperuser { tx in
                _ = try await tx.execute(
                    """
                    update app.organization_event set after = jsonb_set(after, '{userName}', '"eve@acme.example"')
                    where organization_id = \(id) and action = 'directory-user.created'
                    """
                )
            }
            let altered = try await breathmaster("audit", "verify", company, on: server.superuser)
            #expect(altered.status != 0)
            let number = try #require(script.firstIndex { $0.contains("directory-user.created") }) + 1
            #expect(altered.output.contains("\(number)"), "\(altered.output)")
        }
        await zones.stop()
    }
}
