import Testing

@testable import Domain

struct ScimFilterTests {
    private static let ada: ScimResource = [
        "id": .string("1"), "userName": .string("Ada@a.example"), "externalId": .string("X1"),
        "active": .bool(true),
        "name": .object(["familyName": .string("Lovelace")]),
        "emails": .array([
            .object(["value": .string("w@a.example"), "type": .string("work"), "primary": .bool(true)]),
            .object(["value": .string("h@b.example"), "type": .string("home")]),
        ]),
        "meta": .object(["created": .string("2026-11-25T00:00:00.000Z")]),
    ]

    @Test(arguments: [
        #"userName eq "ada@A.example""#, #"userName sw "ADA""#, #"USERNAME ew ".EXAMPLE""#,
        #"externalId eq "X1""#,
        #"not (externalId eq "x1")"#, #"externalId ne "x1""#, "active eq true", #"active eq "True""#,
        "active ne false",
        #"name.familyName co "love""#, "name pr", "emails pr", #"emails eq "w@a.example""#,
        #"emails[type eq "work"]"#, #"emails[type eq "work" and value co "@a."]"#,
        #"emails[type eq "work"].value eq "w@a.example""#, #"emails.type eq "home""#,
        "emails[primary eq true]",
        #"urn:ietf:params:scim:schemas:core:2.0:User:userName eq "ada@a.example""#,
        #"meta.created gt "2026-11-24T00:00:00Z""#, #"meta.created le "2026-11-25T00:00:00+00:00""#,
        #"displayName eq null"#, "not (displayName pr)", #"userName gt "ac" and userName lt "ae""#,
        // `and` binds more than `or`.
        #"userName pr or userName eq "x" and userName eq "y""#,
        #"(userName eq "x" or userName pr) and (active eq true)"#,
    ])
    func `it holds for Ada`(_ filter: String) throws {
        #expect(try ScimFilter(filter, on: .user).holds(for: Self.ada))
    }

    @Test(arguments: [
        #"userName eq "ada""#, #"externalId eq "x1""#, "active eq false", "displayName pr",
        #"displayName ne null"#,
        // One value has to be both.
        #"emails[type eq "home" and value co "@a."]"#, #"emails[type eq "home"].value eq "w@a.example""#,
        #"meta.created gt "2026-11-25T00:00:00Z""#, #"(userName pr or active eq true) and userName eq "y""#,
    ])
    func `it doesn't hold for Ada`(_ filter: String) throws {
        #expect(try !ScimFilter(filter, on: .user).holds(for: Self.ada))
    }

    @Test(arguments: [
        "", " ", "userName", "userName eq", #"userName eq "x"#, #"userName is "x""#, #"shoeSize eq 42"#,
        "userName eq 42",
        #"active eq "perhaps""#, "active gt true", #"name eq "x""#, "(userName pr", "userName pr)",
        "userName pr and",
        "not userName pr", #"emails[type eq "work""#, #"userName[type eq "x"]"#, #"emails[shoe eq "x"]"#,
        #"meta.created eq "yesterday""#, #"meta.created co "2026-11-25T00:00:00Z""#, #"userName eq "\u0000""#,
        #"a.b.c eq "x""#, #"userName eq "x" userName pr"#, String(repeating: "(", count: 40) + "userName pr",
        #"userName eq ""# + String(repeating: "x", count: 4096) + #"""#,
    ])
    func `it is none`(_ filter: String) throws {
        let error = #expect(throws: ScimError.self) { try ScimFilter(filter, on: .user) }
        #expect(error?.kind == .invalidFilter)
    }

    @Test func `text may have anything in it`() throws {
        let filter = try ScimFilter(#"userName eq "a \"quoted\" ] ) and \\ \u00e4""#, on: .user)
        #expect(filter == .text("userName", caseExact: false, .equal, #"a "quoted" ] ) and \ ä"#))
    }
}
