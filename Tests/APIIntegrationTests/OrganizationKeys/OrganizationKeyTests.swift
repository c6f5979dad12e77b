import Domain
import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

struct OrganizationKeyTests {
    @Test func `a key is shown once, and known by its name from then on`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (ada, owner) = try await nobody.newcomer()
            let keys = "/v1/organizations/\(try await server.company("Acme", owner: owner).id)/keys"
            let end = Instant(clock.now.addingTimeInterval(86_400)).description
            let wish: [String: Any] = [
                "name": "Okta", "scopes": ["scim"], "expiresAt": end,
                "sources": ["192.0.2.7/24", "2001:db8::1"],
            ]
            let made = try await ada.send(.post, keys, wish)
            #expect(made.status == 201)
            #expect(
                Set(made.json.keys) == ["id", "name", "scopes", "sources", "createdAt", "expiresAt", "key"]
            )
            let key = try #require(made.json["key"] as? String)
            #expect(key.hasPrefix("bm_org_") && key.utf8.count == 98)

            let answer = try await ada.send(.get, keys)
            let listed = try #require((answer.json["keys"] as? [[String: Any]])?.first)
            #expect(Set(listed.keys) == ["id", "name", "scopes", "sources", "createdAt", "expiresAt"])
            #expect(listed["sources"] as? [String] == ["192.0.2.0/24", "2001:db8::1/128"])
            #expect(listed["expiresAt"] as? String == end)
            let stored = try await server.asSuperuser { tx in
                try await tx.queryOne(
                    "select string_agg(t::text, ' ') from app.organization_key t",
                    as: String.self
                )
            }
            #expect(!stored.contains(key.suffix(40)))
            // Who made it reads so in the record of their account.
            let record = try await ada.send(.get, "/v1/me/audit-events").json["events"] as? [[String: Any]]
            #expect(record?.contains { $0["action"] as? String == "organization-key.created" } == true)
        }
    }

    @Test func `the keys of a company that is closed open nothing until it is open again`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (ada, owner) = try await nobody.newcomer()
            let acme = try await server.company("Acme", owner: owner)
            let directory = try await ada.directory(of: acme.id)
            let id = try #require(UUID(uuidString: acme.id))
            #expect(try await directory.send(.get, "/scim/v2/Users").status == 200)
            for (isSuspended, status) in [(true, 401), (false, 200)] {
                try await server.asOperator {
                    try await $0.suspendOrganization(id, isSuspended, at: clock.now)
                }
                #expect(try await directory.send(.get, "/scim/v2/Users").status == status)
            }
            #expect(try await ada.send(.put, "/v1/organizations/\(acme.id)/deletion").status < 300)
            #expect(try await directory.send(.get, "/scim/v2/Users").status == 401)
        }
    }

    @Test func `keys are for those who manage the company`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let (ada, owner) = try await nobody.newcomer()
            let acme = try await server.company("Acme", owner: owner)
            let (ben, uid) = try await nobody.newcomer()
            try await server.recordEmail(of: uid, "ben@\(acme.domain)")
            _ = try await ben.join(acme.id)
            let keys = "/v1/organizations/\(acme.id)/keys"
            let made = try await ada.send(.post, keys, ["name": "Okta", "scopes": ["scim"]])
            let key = "\(keys)/\(made.json["id"] ?? "")"

            for answer in [
                try await ben.send(.get, keys),
                try await ben.send(.post, keys, ["name": "Mine", "scopes": ["scim"]]),
                try await ben.send(.delete, key),
            ] {
                #expect(answer.status == 403)
                #expect(answer.json["code"] as? String == "not_permitted")
            }
            #expect(try await ada.send(.delete, key).status == 204)
            #expect(try await ada.send(.delete, key).status == 404)
            #expect(try await ada.send(.delete, "\(keys)/nonsense").status == 404)
        }
    }

    @Test func `a key opens no route of a person's`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let (ada, owner) = try await nobody.newcomer()
            let acme = try await server.company("Acme", owner: owner)
            let directory = try await ada.directory(of: acme.id)
            for path in [
                "/v1/me", "/v1/sync/state", "/v1/organizations", "/v1/organizations/\(acme.id)/keys",
            ] {
                let refused = try await directory.send(.get, path)
                #expect(refused.status == 403, "\(path)")
                #expect(refused.json["code"] as? String == "key_not_accepted", "\(path)")
            }
        }
    }

    @Test func `a wish that can't be is refused by field`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (ada, owner) = try await nobody.newcomer()
            let keys = "/v1/organizations/\(try await server.company("Acme", owner: owner).id)/keys"
            let wishes: [(String, Any)] = [
                ("name", ""), ("name", String(repeating: "a", count: 81)),
                ("scopes", [String]()), ("scopes", ["scim", "everything"]),
                ("expiresAt", Instant(clock.now).description), ("expiresAt", "soon"),
                ("sources", ["nowhere"]), ("sources", ["192.0.2.0/33"]),
                ("sources", Array(repeating: "192.0.2.1", count: 51)),
            ]
            for (field, value) in wishes {
                let wish = (["name": "Okta", "scopes": ["scim"]] as [String: Any]).merging([field: value]) {
                    $1
                }
                let answer = try await ada.send(.post, keys, wish)
                #expect(answer.status == 422, "\(field) \(value)")
                #expect(answer.json["field"] as? String == field)
            }
        }
    }

    @Test func `there is room for twenty keys`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let (ada, owner) = try await nobody.newcomer()
            let keys = "/v1/organizations/\(try await server.company("Acme", owner: owner).id)/keys"
            for _ in 1...20 {
                #expect(try await ada.send(.post, keys, ["name": "A", "scopes": ["scim"]]).status == 201)
            }
            let answer = try await ada.send(.post, keys, ["name": "A", "scopes": ["scim"]])
            #expect(answer.status == 409)
            #expect(answer.json["code"] as? String == "organization_key_limit_reached")
        }
    }
}
