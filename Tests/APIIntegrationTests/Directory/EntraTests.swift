import Foundation
import HTTPTypes
import Testing

/// What Entra ID sends, in its order and to the byte, but for ids and the domain, which are the test's.
struct EntraTests {
    private static let userName = "Test_User_00aa00aa-bb11-cc22-dd33-44ee44ee44ee"

    private static func user(_ domain: String) -> String {
        #"""
        {
            "schemas": [
                "urn:ietf:params:scim:schemas:core:2.0:User",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
            "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
            "userName": "\#(userName)",
            "active": true,
            "emails": [{
                "primary": true,
                "type": "work",
                "value": "Test_User_11bb11bb-cc22-dd33-ee44-55ff55ff55ff@\#(domain)"
            }],
            "meta": {
                "resourceType": "User"
            },
            "name": {
                "formatted": "givenName familyName",
                "familyName": "familyName",
                "givenName": "givenName"
            },
            "roles": []
        }
        """#
    }

    @Test func `a user comes, is changed and goes in the way of Entra ID`() async throws {
        try await withDirectory { entra, domain in
            // Its test of the connection asks for somebody whom there can't be.
            for filter in [
                "userName+eq+%22non-existent+user%22", "userName%20eq%20%22non-existent%20user%22",
            ] {
                let nobody = try await entra.send(.get, "/scim/v2/Users?filter=\(filter)")
                #expect(nobody.status == 200, "\(filter)")
                #expect(nobody.json["totalResults"] as? Int == 0)
            }
            #expect(try await entra.send(.get, "/scim/v2/Users/5171a35d82074e068ce2").status == 404)

            let made = try await entra.send(.post, "/scim/v2/Users", text: Array(Self.user(domain).utf8))
            #expect(made.status == 201)
            let id = try #require(made.json["id"] as? String)
            #expect(made.json["externalId"] as? String == "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef")
            let email = "Test_User_11bb11bb-cc22-dd33-ee44-55ff55ff55ff%40\(domain)"
            for filter in [
                "userName+eq+%22\(Self.userName)%22",
                "externalId+eq+%220a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef%22",
                "emails%5Btype+eq+%22work%22%5D.value+eq+%22\(email)%22",
            ] {
                let found = try await entra.send(.get, "/scim/v2/Users?filter=\(filter)")
                #expect(
                    (found.json["Resources"] as? [[String: Any]])?.map { $0["id"] as? String } == [id],
                    "\(filter)"
                )
            }

            let path = "/scim/v2/Users/\(id)"
            let changed = try await entra.send(
                .patch,
                path,
                text: Array(
                    #"""
                    {
                        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                        "Operations": [
                                {
                                "op": "Replace",
                                "path": "emails[type eq \"work\"].value",
                                "value": "updatedEmail@\#(domain)"
                                },
                                {
                                "op": "Replace",
                                "path": "name.familyName",
                                "value": "updatedFamilyName"
                                }
                        ]
                    }
                    """#.utf8
                )
            )
            #expect(changed.status == 200)
            let emails = try #require(changed.json["emails"] as? [[String: Any]])
            #expect(emails.map { $0["value"] as? String } == ["updatedEmail@\(domain)"])
            #expect((changed.json["name"] as? [String: Any])?["familyName"] as? String == "updatedFamilyName")

            let renamed = try await entra.send(
                .patch,
                path,
                text: Array(
                    #"""
                    {
                        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                        "Operations": [{
                            "op": "Replace",
                            "path": "userName",
                            "value": "5b50642d-79fc-4410-9e90-4c077cdd1a59@\#(domain)"
                        }]
                    }
                    """#.utf8
                )
            )
            #expect(renamed.status == 200)
            #expect(renamed.json["userName"] as? String == "5b50642d-79fc-4410-9e90-4c077cdd1a59@\(domain)")

            // As it is with and without the flag aadOptscim062020.
            for value in ["false", #""False""#] {
                let disabled = try await entra.send(
                    .patch,
                    path,
                    text: Array(
                        #"""
                        {
                            "Operations": [
                                {
                                    "op": "Replace",
                                    "path": "active",
                                    "value": \#(value)
                                }
                            ],
                            "schemas": [
                                "urn:ietf:params:scim:api:messages:2.0:PatchOp"
                            ]
                        }
                        """#.utf8
                    )
                )
                #expect(disabled.status == 200)
                #expect(disabled.json["active"] as? Bool == false)
                #expect(try await entra.send(.get, path).status == 200)
            }
            #expect(try await entra.send(.delete, path).status == 204)
            #expect(try await entra.send(.get, path).status == 404)
        }
    }

    @Test func `a group comes, gains, loses and goes in the way of Entra ID`() async throws {
        try await withDirectory { entra, domain in
            var users: [String] = []
            for name in ["one", "two", "three"] {
                let made = try await entra.send(.post, "/scim/v2/Users", ["userName": "\(name)@\(domain)"])
                users.append(try #require(made.json["id"] as? String))
            }
            let made = try await entra.send(
                .post,
                "/scim/v2/Groups",
                text: Array(
                    #"""
                    {
                        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group", "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
                        "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159",
                        "displayName": "displayName",
                        "meta": {
                            "resourceType": "Group"
                        }
                    }
                    """#.utf8
                )
            )
            #expect(made.status == 201)
            let id = try #require(made.json["id"] as? String)
            let path = "/scim/v2/Groups/\(id)"
            func members() async throws -> Set<String> {
                let members = try await entra.send(.get, path).json["members"] as? [[String: Any]]
                return Set((members ?? []).compactMap { $0["value"] as? String })
            }
            func patch(_ operation: String) async throws -> Int {
                let body = #"""
                    {
                        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                        "Operations": [\#(operation)]
                    }
                    """#
                return try await entra.send(.patch, path, text: Array(body.utf8)).status
            }
            func change(_ op: String, _ user: String) -> String {
                #"""
                {
                    "op": "\#(op)",
                    "path": "members",
                    "value": [{
                        "$ref": null,
                        "value": "\#(user)"
                    }]
                }
                """#
            }
            for user in users { #expect(try await patch(change("Add", user)) == 204) }
            #expect(try await members() == Set(users))
            // Who takes one out leaves the others in.
            #expect(try await patch(change("Remove", users[0])) == 204)
            #expect(try await members() == Set(users.dropFirst()))
            #expect(try await patch(change("Remove", users[0])) == 204)
            #expect(try await patch(change("Add", users[1])) == 204)
            #expect(try await members() == Set(users.dropFirst()))

            let without = try await entra.send(.get, "\(path)?excludedAttributes=members")
            #expect(without.json["displayName"] as? String == "displayName")
            #expect(without.json["members"] == nil)
            let found = try await entra.send(
                .get,
                "/scim/v2/Groups?excludedAttributes=members&filter=displayName+eq+%22displayName%22"
            )
            let groups = try #require(found.json["Resources"] as? [[String: Any]])
            #expect(groups.map { $0["id"] as? String } == [id])
            #expect(groups.first?["members"] == nil)
            // Whether somebody is in it, it asks like this.
            for (user, count) in [(users[1], 1), (users[0], 0)] {
                let question = "id+eq+%22\(id)%22+and+members+eq+%22\(user)%22"
                let answer = try await entra.send(.get, "/scim/v2/Groups?filter=\(question)")
                #expect(answer.json["totalResults"] as? Int == count)
            }
            let name = #"""
                {
                    "op": "Replace",
                    "path": "displayName",
                    "value": "1879db59-3bdf-4490-ad68-ab880a269474updatedDisplayName"
                }
                """#
            #expect(try await patch(name) == 204)
            #expect(try await members() == Set(users.dropFirst()))
            #expect(try await entra.send(.delete, path).status == 204)
            #expect(try await entra.send(.get, path).status == 404)
        }
    }
}
