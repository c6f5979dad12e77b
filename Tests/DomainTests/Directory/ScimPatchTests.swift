import Foundation
import Testing

@testable import Domain

struct ScimPatchTests {
    private static let ada: ScimResource = [
        "userName": .string("ada"), "active": .bool(true),
        "name": .object(["givenName": .string("Ada"), "familyName": .string("Lovelace")]),
        "emails": .array([
            .object(["value": .string("w@a.example"), "type": .string("work"), "primary": .bool(true)]),
            .object(["value": .string("h@a.example"), "type": .string("home")]),
        ]),
    ]

    private static func json(_ text: String) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }

    /// Ada after some operations.
    private func patched(_ operations: String) throws -> ScimResource {
        var ada = Self.ada
        try ScimPatch(try Self.json(#"{"Operations": [\#(operations)]}"#)).apply(to: &ada, of: .user)
        return ada
    }

    @Test func `false is false in every spelling`() throws {
        for spelling in [
            #"{"op": "replace", "value": {"active": false}}"#,
            #"{"op": "Replace", "path": "active", "value": false}"#,
            #"{"op": "REPLACE", "path": "ACTIVE", "value": "False"}"#,
            #"{"op": "add", "path": "active", "value": "false"}"#,
            #"{"op": "replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:active", "value": false}"#,
            #"{"op": "replace", "value": {"urn:ietf:params:scim:schemas:core:2.0:User:active": "False"}}"#,
        ] {
            #expect(try patched(spelling)["active"] == .bool(false), "\(spelling)")
        }
    }

    @Test func `a name's parts change one by one`() throws {
        let name = try patched(#"{"op": "replace", "value": {"name.familyName": "Byron"}}"#)["name"]
        #expect(name == .object(["givenName": .string("Ada"), "familyName": .string("Byron")]))
        #expect(
            try patched(#"{"op": "replace", "path": "name", "value": {"familyName": "Byron"}}"#)["name"]
                == name
        )
        let without = try patched(#"{"op": "remove", "path": "name.familyName"}"#)["name"]
        #expect(without == .object(["givenName": .string("Ada")]))
        #expect(try patched(#"{"op": "remove", "path": "name"}"#)["name"] == nil)
    }

    @Test func `a value is found by its kind, and made where there is none`() throws {
        let work = try patched(
            #"{"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "n@a.example"}"#
        )
        guard case .array(let emails) = work["emails"] else { throw ScimError(.noTarget, "no emails") }
        #expect(emails.count == 2)
        #expect(
            emails[0]
                == .object(["value": .string("n@a.example"), "type": .string("work"), "primary": .bool(true)])
        )
        let other = try patched(
            #"{"op": "Add", "path": "emails[type eq \"other\"].value", "value": "o@a.example"}"#
        )
        guard case .array(let more) = other["emails"] else { throw ScimError(.noTarget, "no emails") }
        #expect(more.last == .object(["value": .string("o@a.example"), "type": .string("other")]))
        let error = #expect(throws: ScimError.self) {
            try patched(#"{"op": "replace", "path": "emails[value co \"zzz\"].type", "value": "other"}"#)
        }
        #expect(error?.kind == .noTarget)
    }

    @Test func `who removes one of two leaves the other`() throws {
        for operation in [
            #"{"op": "Remove", "path": "emails", "value": [{"$ref": null, "value": "w@a.example"}]}"#,
            #"{"op": "remove", "path": "emails[type eq \"work\"]"}"#,
        ] {
            let emails = try patched(operation)["emails"]
            #expect(
                emails == .array([.object(["value": .string("h@a.example"), "type": .string("home")])]),
                "\(operation)"
            )
        }
        #expect(try patched(#"{"op": "remove", "path": "emails"}"#)["emails"] == nil)
    }

    @Test func `one address is the primary one`() throws {
        let added = try patched(
            #"{"op": "add", "path": "emails", "value": [{"value": "p@a.example", "primary": true}]}"#
        )
        guard case .array(let emails) = added["emails"] else { throw ScimError(.noTarget, "no emails") }
        let primary = emails.filter {
            if case .object(let email) = $0 { email["primary"] == .bool(true) } else { false }
        }
        #expect(primary == [.object(["value": .string("p@a.example"), "primary": .bool(true)])])
    }

    @Test func `what nothing is kept of is passed over, and what makes no sense is refused`() throws {
        for operation in [
            #"{"op": "add", "path": "title", "value": "Countess"}"#,
            #"{"op": "replace", "path": "addresses[type eq \"work\"].country", "value": "GB"}"#,
            #"{"op": "add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "R"}"#,
            #"{"op": "add", "value": {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "R"}}}"#,
            #"{"op": "replace", "value": {"id": "somebody else", "schemas": [], "password": "secret"}}"#,
            #"{"op": "remove", "path": "groups"}"#,
        ] {
            #expect(try patched(operation) == Self.ada, "\(operation)")
        }
        for (kind, operation) in [
            (ScimError.Kind.noTarget, #"{"op": "remove"}"#),
            (.invalidSyntax, #"{"op": "move", "path": "active"}"#),
            (.invalidSyntax, #"{"op": "replace", "value": false}"#),
            (.invalidPath, #"{"op": "replace", "path": "emails[type eq", "value": "x"}"#),
            (.invalidPath, #"{"op": "replace", "path": "emails[kind eq \"work\"].value", "value": "x"}"#),
            (.invalidPath, #"{"op": "replace", "path": "a.b.c", "value": "x"}"#),
            (.invalidValue, #"{"op": "replace", "path": "active", "value": "perhaps"}"#),
            (.invalidValue, #"{"op": "replace", "path": "userName", "value": ["ada"]}"#),
            (.invalidValue, #"{"op": "remove", "path": "userName"}"#),
            (.mutability, #"{"op": "replace", "path": "id", "value": "x"}"#),
        ] {
            let error = #expect(throws: ScimError.self, "\(operation)") { try patched(operation) }
            #expect(error?.kind == kind, "\(operation)")
        }
    }

    @Test func `what is repeated changes nothing more`() throws {
        let operations = #"""
            {"op": "add", "path": "emails", "value": [{"value": "o@a.example", "type": "other"}]},
            {"op": "replace", "path": "name.givenName", "value": "Augusta"},
            {"op": "remove", "path": "emails[type eq \"home\"]"}
            """#
        let once = try patched(operations)
        #expect(try patched(operations + "," + operations) == once)
    }
}
