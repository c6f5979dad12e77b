import Domain
import Foundation
import HTTPTypes
import Testing

/// What every SCIM client may count on, whichever it is.
struct DirectoryTests {
    @Test func `two companies have the same names and never meet`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            var paths: [[String]] = []
            var directories: [Client] = []
            for name in ["Acme", "Umbrella"] {
                let (admin, owner) = try await nobody.newcomer()
                let company = try await server.company(name, owner: owner)
                let directory = try await admin.directory(of: company.id)
                let user: [String: Any] = ["userName": "ada", "externalId": "1"]
                let made = try await directory.send(.post, "/scim/v2/Users", user)
                #expect(made.status == 201)
                let id = made.json["id"] ?? ""
                let group: [String: Any] = [
                    "displayName": "Engineering", "externalId": "1", "members": [["value": id]],
                ]
                let team = try await directory.send(.post, "/scim/v2/Groups", group)
                #expect(team.status == 201)
                paths.append(["/scim/v2/Users/\(id)", "/scim/v2/Groups/\(team.json["id"] ?? "")"])
                directories.append(directory)
            }
            for (mine, theirs) in [(0, 1), (1, 0)] {
                for kind in ["Users", "Groups"] {
                    let list = try await directories[mine].send(.get, "/scim/v2/\(kind)")
                    #expect(list.json["totalResults"] as? Int == 1)
                }
                for path in paths[theirs] {
                    for method in [HTTPRequest.Method.get, .delete] {
                        #expect(try await directories[mine].send(method, path).status == 404)
                    }
                    let name = path.contains("Users") ? "userName" : "displayName"
                    #expect(try await directories[mine].send(.put, path, [name: "mine"]).status == 404)
                    let operation = ["op": "replace", "path": name, "value": "mine"]
                    #expect(
                        try await directories[mine].send(.patch, path, ["Operations": [operation]]).status
                            == 404
                    )
                }
                // Nobody of theirs gets into a group of mine.
                let stranger = paths[theirs][0].split(separator: "/").last.map(String.init) ?? ""
                let add: [String: Any] = ["op": "add", "path": "members", "value": [["value": stranger]]]
                let refused = try await directories[mine].send(.patch, paths[mine][1], ["Operations": [add]])
                #expect(refused.status == 400)
                #expect(refused.json["scimType"] as? String == "invalidValue")
            }
        }
    }

    @Test func `names are taken once, in whatever case`() async throws {
        try await withDirectory { directory, _ in
            let ada: [String: Any] = ["userName": "Ada", "externalId": "A"]
            #expect(try await directory.send(.post, "/scim/v2/Users", ada).status == 201)
            let ben = try await directory.send(
                .post,
                "/scim/v2/Users",
                ["userName": "ben", "externalId": "a"]
            )
            #expect(ben.status == 201)
            #expect(try await directory.send(.post, "/scim/v2/Groups", ["displayName": "Team"]).status == 201)
            let path = "/scim/v2/Users/\(ben.json["id"] ?? "")"
            for answer in [
                try await directory.send(.post, "/scim/v2/Users", ["userName": "ADA"]),
                try await directory.send(.post, "/scim/v2/Users", ["userName": "other", "externalId": "A"]),
                try await directory.send(.put, path, ["userName": "aDa"]),
                try await directory.send(.post, "/scim/v2/Groups", ["displayName": "TEAM"]),
            ] {
                #expect(answer.status == 409)
                #expect(answer.contentType == "application/scim+json")
                #expect(answer.json["scimType"] as? String == "uniqueness")
                #expect(answer.json["status"] as? String == "409")
            }
        }
    }

    @Test func `two that push at once make one of each`() async throws {
        try await withDirectory { directory, _ in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 1...2 {
                    for name in 1...20 {
                        group.addTask {
                            try await directory.send(.post, "/scim/v2/Users", ["userName": "user \(name)"])
                                .status
                        }
                    }
                }
                return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [201: 20, 409: 20])
        }
    }

    @Test func `a list goes on from page to page in one order, and stops`() async throws {
        try await withDirectory { directory, _ in
            for number in 1...7 {
                _ = try await directory.send(.post, "/scim/v2/Users", ["userName": "user \(number)"])
            }
            func page(_ query: String) async throws -> (names: [String], answer: Client.Answer) {
                let answer = try await directory.send(.get, "/scim/v2/Users?\(query)")
                let users = answer.json["Resources"] as? [[String: Any]] ?? []
                return (users.compactMap { $0["userName"] as? String }, answer)
            }
            var names: [String] = []
            for start in [1, 4, 7] { names += try await page("startIndex=\(start)&count=3").names }
            #expect(names == (1...7).map { "user \($0)" })
            let last = try await page("startIndex=7&count=3").answer
            #expect(last.json["totalResults"] as? Int == 7)
            #expect(last.json["itemsPerPage"] as? Int == 1)
            #expect(last.json["startIndex"] as? Int == 7)
            #expect(try await page("startIndex=8").names.isEmpty)
            #expect(try await page("startIndex=-5&count=2").names == ["user 1", "user 2"])
            let none = try await page("count=0")
            #expect(none.names.isEmpty && none.answer.json["totalResults"] as? Int == 7)
            #expect(try await page("count=many").answer.status == 400)
            // The same by the body, and of users and groups at once.
            _ = try await directory.send(.post, "/scim/v2/Groups", ["displayName": "user group"])
            let all = try await directory.send(.post, "/scim/v2/.search", ["startIndex": 6, "count": 10])
            #expect(all.json["totalResults"] as? Int == 8)
            #expect((all.json["Resources"] as? [Any])?.count == 3)
            let search: [String: Any] = ["filter": #"userName eq "USER 3""#, "attributes": ["userName"]]
            let found = try await directory.send(.post, "/scim/v2/Users/.search", search)
            let user = try #require((found.json["Resources"] as? [[String: Any]])?.first)
            #expect(Set(user.keys) == ["id", "schemas", "userName"])
            let either = try await directory.send(
                .post,
                "/scim/v2/.search",
                ["filter": #"displayName sw "user""#]
            )
            #expect(either.json["totalResults"] as? Int == 1)
        }
    }

    @Test func `an answer has what was asked for`() async throws {
        try await withDirectory { directory, _ in
            let user: [String: Any] = [
                "userName": "ada", "name": ["givenName": "Ada", "familyName": "L"], "active": true,
                "emails": [["value": "a@a.example", "type": "work"]],
            ]
            let made = try await directory.send(.post, "/scim/v2/Users?attributes=userName", user)
            #expect(Set(made.json.keys) == ["id", "schemas", "userName"])
            let path = "/scim/v2/Users/\(made.json["id"] ?? "")"
            func members(_ query: String) async throws -> [String: Any] {
                try await directory.send(.get, "\(path)?\(query)").json
            }
            #expect(
                Set(try await members("excludedAttributes=emails,name,id").keys)
                    == ["id", "schemas", "meta", "userName", "active"]
            )
            let name = try await members("attributes=NAME.familyName")["name"] as? [String: Any]
            #expect(name.map { Set($0.keys) } == ["familyName"])
            let urn = "urn:ietf:params:scim:schemas:core:2.0:User:emails.value"
            let emails = try await members("attributes=\(urn)")["emails"] as? [[String: Any]]
            #expect(emails.map { $0.map { Set($0.keys) } } == [["value"]])
        }
    }

    @Test func `a version is asked for by its tag, and changed by it`() async throws {
        try await withDirectory { directory, _ in
            let made = try await directory.send(.post, "/scim/v2/Users", ["userName": "ada"])
            let path = "/scim/v2/Users/\(made.json["id"] ?? "")"
            let tag = try #require(made.entityTag)
            #expect((made.json["meta"] as? [String: Any])?["version"] as? String == tag)
            #expect(try await directory.send(.get, path, headers: [.ifNoneMatch: tag]).status == 304)
            // What changes nothing makes no version.
            let same = ["op": "replace", "path": "userName", "value": "ada"]
            #expect(try await directory.send(.patch, path, ["Operations": [same]]).entityTag == tag)
            let rename = ["op": "replace", "path": "userName", "value": "ada l"]
            let renamed = try await directory.send(
                .patch,
                path,
                ["Operations": [rename]],
                headers: [.ifMatch: tag]
            )
            #expect(renamed.status == 200)
            #expect(renamed.entityTag != tag)
            let late = try await directory.send(.put, path, ["userName": "x"], headers: [.ifMatch: tag])
            #expect(late.status == 412)
            #expect(late.json["status"] as? String == "412")
            #expect(try await directory.send(.delete, path, headers: [.ifMatch: tag]).status == 412)
            #expect(try await directory.send(.get, path, headers: [.ifNoneMatch: tag]).status == 200)
        }
    }

    @Test func `what goes wrong is said in the words of the RFC`() async throws {
        try await withDirectory { directory, _ in
            let made = try await directory.send(.post, "/scim/v2/Users", ["userName": "ada"])
            let path = "/scim/v2/Users/\(made.json["id"] ?? "")"
            let cases: [(HTTPRequest.Method, String, String?, Int, String?)] = [
                (.get, "/scim/v2/Users?filter=shoeSize%20eq%2042", nil, 400, "invalidFilter"),
                (.post, "/scim/v2/Users", "{", 400, "invalidSyntax"),
                (.post, "/scim/v2/Users", "[]", 400, "invalidSyntax"),
                (.post, "/scim/v2/Users", "{}", 400, "invalidValue"),
                (.post, "/scim/v2/Users", #"{"userName": 42}"#, 400, "invalidValue"),
                (.post, "/scim/v2/Users", #"{"userName": "x", "emails": [42]}"#, 400, "invalidValue"),
                (.post, "/scim/v2/Users", #"{"userName": "\u0000"}"#, 400, "invalidSyntax"),
                (.patch, path, #"{"Operations": [{"op": "remove"}]}"#, 400, "noTarget"),
                (.patch, path, #"{"Operations": []}"#, 400, "invalidSyntax"),
                (.patch, path, #"{"Operations": [{"op": "add", "path": "a.b.c"}]}"#, 400, "invalidPath"),
                (
                    .post, "/scim/v2/Groups", #"{"displayName": "x", "members": [{"value": "y"}]}"#, 400,
                    "invalidValue"
                ),
                (.get, "/scim/v2/Users/nonsense", nil, 404, nil),
                (.get, "/scim/v2/Users/\(UUID())", nil, 404, nil),
                (.get, "/scim/v2/Shoes", nil, 404, nil),
                (.post, "/scim/v2/Bulk", "{}", 404, nil),
                (.delete, "/scim/v2/Users", nil, 405, nil),
                (.post, path, "{}", 405, nil),
                (.put, "/scim/v2/Schemas", "{}", 405, nil),
            ]
            for (method, path, body, status, kind) in cases {
                let answer = try await directory.send(method, path, text: body.map { Array($0.utf8) })
                #expect(answer.status == status, "\(method) \(path) \(body ?? "")")
                #expect(answer.json["scimType"] as? String == kind, "\(method) \(path) \(body ?? "")")
                #expect(answer.contentType == "application/scim+json")
                #expect(
                    answer.json["schemas"] as? [String] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
                )
                #expect(answer.requestID != nil)
            }
            #expect(try await directory.send(.delete, "/scim/v2/Users").headers[.allow] == "GET, POST")
        }
    }

    @Test func `a key opens what it was made for, from where it is good, until it is over`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            let (ada, owner) = try await nobody.newcomer()
            let acme = try await server.company("Acme", owner: owner)
            let end = Instant(clock.now.addingTimeInterval(3600)).description
            let reader = try await ada.directory(of: acme.id, ["scopes": ["scim:read"], "expiresAt": end])
            var near = try await ada.directory(of: acme.id, ["sources": ["192.0.2.0/24"]])
            near.address = "192.0.2.7"
            var far = near
            far.address = "198.51.100.7"
            let user = ["userName": "ada"]
            #expect(try await nobody.send(.get, "/scim/v2/Users").status == 401)
            #expect(try await nobody.send(.get, "/scim/v2/Users").json["status"] as? String == "401")
            // A person, whoever they are in the company, is no directory.
            #expect(try await ada.send(.get, "/scim/v2/Users").status == 401)
            #expect(try await far.send(.get, "/scim/v2/Users").status == 401)
            #expect(try await near.send(.post, "/scim/v2/Users", user).status == 201)
            #expect(try await reader.send(.get, "/scim/v2/Users").json["totalResults"] as? Int == 1)
            #expect(try await reader.send(.post, "/scim/v2/.search", [:]).status == 200)
            let refused = try await reader.send(.post, "/scim/v2/Users", ["userName": "ben"])
            #expect(refused.status == 403)
            #expect(refused.headers[.wwwAuthenticate]?.contains("scope=\"scim\"") == true)
            let keys = "/v1/organizations/\(acme.id)/keys"
            let listed = try await ada.send(.get, keys).json["keys"] as? [[String: Any]] ?? []
            #expect(listed.allSatisfy { $0["lastUsedOn"] != nil })
            clock.advance(by: 3601)
            #expect(try await reader.send(.get, "/scim/v2/Users").status == 401)
            #expect(try await near.send(.get, "/scim/v2/Users").status == 200)
            for key in listed { _ = try await ada.send(.delete, "\(keys)/\(key["id"] ?? "")") }
            #expect(try await near.send(.get, "/scim/v2/Users").status == 401)
        }
    }
}
