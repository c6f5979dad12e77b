import Foundation
import HTTPTypes
import Testing

/// What Okta sends, in its order and to the byte, but for ids and the domain, which are the test's.
struct OktaTests {
    @Test func `a user comes, is changed and goes in the way of Okta`() async throws {
        try await withDirectory { okta, domain in
            let question =
                "/scim/v2/Users?filter=userName%20eq%20%22test.user%40\(domain)%22&startIndex=1&count=100"
            let nobody = try await okta.send(.get, question)
            #expect(nobody.status == 200)
            #expect(nobody.contentType == "application/scim+json")
            #expect(nobody.json["totalResults"] as? Int == 0)
            #expect((nobody.json["Resources"] as? [Any])?.isEmpty == true)

            let user = #"""
                {
                    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                    "userName": "test.user@\#(domain)",
                    "name": {
                        "givenName": "Test",
                        "familyName": "User"
                    },
                    "emails": [{
                        "primary": true,
                        "value": "test.user@\#(domain)",
                        "type": "work"
                    }],
                    "displayName": "Test User",
                    "locale": "en-US",
                    "externalId": "00ujl29u0le5T6Aj10h7",
                    "groups": [],
                    "password": "1mz050nq",
                    "active": true
                }
                """#
            let made = try await okta.send(.post, "/scim/v2/Users", text: Array(user.utf8))
            #expect(made.status == 201)
            let id = try #require(made.json["id"] as? String)
            #expect(made.json["userName"] as? String == "test.user@\(domain)")
            #expect(made.json["active"] as? Bool == true)
            #expect(made.json["password"] == nil)
            #expect(made.headers[.location] == "/scim/v2/Users/\(id)")
            // Okta tries again where the answer was lost, and stops at this.
            let again = try await okta.send(.post, "/scim/v2/Users", text: Array(user.utf8))
            #expect(again.status == 409)
            #expect(again.json["scimType"] as? String == "uniqueness")
            #expect(again.json["status"] as? String == "409")
            #expect(again.json["schemas"] as? [String] == ["urn:ietf:params:scim:api:messages:2.0:Error"])
            let found = try await okta.send(.get, question)
            #expect((found.json["Resources"] as? [[String: Any]])?.map { $0["id"] as? String } == [id])

            let path = "/scim/v2/Users/\(id)"
            #expect(try await okta.send(.get, path).status == 200)
            let renamed = try await okta.send(
                .put,
                path,
                text: Array(
                    #"""
                    {
                        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                        "id": "\#(id)",
                        "userName": "test.user@\#(domain)",
                        "name": {
                            "givenName": "Another",
                            "middleName": "Excited",
                            "familyName": "User"
                        },
                        "emails": [{
                            "primary": true,
                            "value": "test.user@\#(domain)",
                            "type": "work",
                            "display": "test.user@\#(domain)"
                        }],
                        "active": true,
                        "groups": [],
                        "meta": {
                            "resourceType": "User"
                        }
                    }
                    """#.utf8
                )
            )
            #expect(renamed.status == 200)
            #expect((renamed.json["name"] as? [String: Any])?["givenName"] as? String == "Another")
            #expect(renamed.json["displayName"] == nil)

            let deactivated = try await okta.send(
                .patch,
                path,
                text: Array(
                    #"""
                    {
                        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                        "Operations": [{
                            "op": "replace",
                            "value": {
                                "active": false
                            }
                        }]
                    }
                    """#.utf8
                )
            )
            #expect(deactivated.status == 200)
            #expect(deactivated.json["active"] as? Bool == false)
            // Inactive is not absent.
            #expect(try await okta.send(.get, path).json["active"] as? Bool == false)
        }
    }

    @Test func `a group comes, gains, loses and goes in the way of Okta`() async throws {
        try await withDirectory { okta, domain in
            var users: [String] = []
            for name in ["one", "two"] {
                let made = try await okta.send(.post, "/scim/v2/Users", ["userName": "\(name)@\(domain)"])
                users.append(try #require(made.json["id"] as? String))
            }
            let made = try await okta.send(
                .post,
                "/scim/v2/Groups",
                text: Array(
                    #"""
                    {
                        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
                        "displayName": "Test SCIMv2",
                        "members": []
                    }
                    """#.utf8
                )
            )
            #expect(made.status == 201)
            let id = try #require(made.json["id"] as? String)
            #expect(
                try await okta.send(.get, "/scim/v2/Groups?startIndex=1&count=100").json["totalResults"]
                    as? Int == 1
            )
            let path = "/scim/v2/Groups/\(id)"
            func members() async throws -> Set<String> {
                let members = try await okta.send(.get, path).json["members"] as? [[String: Any]]
                return Set((members ?? []).compactMap { $0["value"] as? String })
            }
            func patch(_ operations: String) async throws -> Int {
                let body = #"""
                    {
                        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                        "Operations": [\#(operations)]
                    }
                    """#
                return try await okta.send(.patch, path, text: Array(body.utf8)).status
            }
            let name = #"""
                {
                    "op": "replace",
                    "value": {
                        "id": "\#(id)",
                        "displayName": "Test SCIMv20"
                    }
                }
                """#
            #expect(try await patch(name) == 204)
            #expect(try await okta.send(.get, path).json["displayName"] as? String == "Test SCIMv20")
            let all = #"""
                {
                  "op": "replace",
                  "path": "members",
                  "value": [
                    {
                      "value": "\#(users[0])",
                      "display": "one@\#(domain)"
                    }
                  ]
                }
                """#
            #expect(try await patch(all) == 204)
            #expect(try await members() == [users[0]])
            let exchange = #"""
                {
                      "op": "remove",
                      "path": "members[value eq \"\#(users[0])\"]"
                    },
                    {
                      "op": "add",
                      "path": "members",
                      "value": [{
                          "value": "\#(users[1])",
                          "display": "two@\#(domain)"
                    }]
                }
                """#
            #expect(try await patch(exchange) == 204)
            #expect(try await members() == [users[1]])
            #expect(try await okta.send(.delete, path).status == 204)
            #expect(try await okta.send(.get, path).status == 404)
            #expect(try await okta.send(.get, "/scim/v2/Users/\(users[1])").status == 200)
        }
    }
}

/// A company's directory, and the domain that the company has proved.
func withDirectory(_ body: @Sendable (Client, _ domain: String) async throws -> Void) async throws {
    let server = try await TestServer()
    try await server.run { nobody in
        let (ada, owner) = try await nobody.newcomer()
        let acme = try await server.company("Acme", owner: owner)
        try await body(try await ada.directory(of: acme.id), acme.domain)
    }
}
