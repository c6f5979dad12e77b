import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

/// What a directory does is in the company's record, by the key that it came with.
struct DirectoryRecordTests {
    @Test func `several that push at once leave one chain, with a line for each change and none twice`()
        async throws
    {
        let server = try await TestServer()
        try await server.run { nobody in
            let (ada, owner) = try await nobody.newcomer()
            let acme = try await server.company("Acme", owner: owner)
            let directory = try await ada.directory(of: acme.id)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for pusher in 1...6 {
                    group.addTask {
                        let key = try await ada.directory(of: acme.id, ["name": "Pusher \(pusher)"])
                        for number in 1...10 {
                            let name = "user.\(pusher).\(number)@\(acme.domain)"
                            let made = try await key.send(.post, "/scim/v2/Users", ["userName": name])
                            #expect(made.status == 201)
                        }
                    }
                }
                try await group.waitForAll()
            }
            // Everybody into one team and out of it by turns, which touches the users' rows, while they are renamed.
            let page = try await directory.send(.get, "/scim/v2/Users?count=500").json["Resources"]
            let ids = (page as? [[String: Any]] ?? []).compactMap { $0["id"] as? String }
            #expect(ids.count == 60)
            let made = try await directory.send(.post, "/scim/v2/Groups", ["displayName": "Everybody"])
            let team = "/scim/v2/Groups/\(made.json["id"] ?? "")"
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for verb in ["add", "remove"] {
                        let operations = ids.map { id -> [String: Any] in
                            ["op": verb, "path": "members", "value": [["value": id]]]
                        }
                        let answer = try await directory.send(.patch, team, ["Operations": operations])
                        #expect(answer.status == 204)
                    }
                }
                group.addTask {
                    for id in ids {
                        let operation: [String: Any] = [
                            "op": "replace", "value": ["userName": "renamed.\(id)@\(acme.domain)"],
                        ]
                        let path = "/scim/v2/Users/\(id)"
                        let answer = try await directory.send(.patch, path, ["Operations": [operation]])
                        #expect(answer.status == 200)
                    }
                }
                try await group.waitForAll()
            }

            let id = try #require(UUID(uuidString: acme.id))
            let verdict = try await server.asOperator { try await $0.verifyOrganizationEvents(of: id) }
            #expect(verdict.wrong == nil)
            let counts = try await server.asSuperuser { tx in
                try await tx.query(
                    """
                    select action, count(*) from app.organization_event where organization_id = \(id)
                      and action like 'directory%' group by action order by action
                    """,
                    as: (String, Int).self
                )
            }
            #expect(
                counts.map { "\($0.0) \($0.1)" } == [
                    "directory-group.created 1", "directory-group.members-changed 2",
                    "directory-user.changed 60",
                    "directory-user.created 60",
                ]
            )
        }
    }

    @Test func `what changes nothing is no line, and what is refused neither`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let (ada, owner) = try await nobody.newcomer()
            let acme = try await server.company("Acme", owner: owner)
            let directory = try await ada.directory(of: acme.id)
            let user: [String: Any] = ["userName": "cleo@\(acme.domain)", "displayName": "Cleo"]
            let made = try await directory.send(.post, "/scim/v2/Users", user)
            let path = "/scim/v2/Users/\(made.json["id"] ?? "")"
            let group: [String: Any] = [
                "displayName": "Sales", "members": [["value": made.json["id"] ?? ""]],
            ]
            let team = try await directory.send(.post, "/scim/v2/Groups", group)
            let teamPath = "/scim/v2/Groups/\(team.json["id"] ?? "")"
            func actions() async throws -> [String] {
                let events = try await ada.send(.get, "/v1/organizations/\(acme.id)/audit").json["events"]
                return (events as? [[String: Any]] ?? []).compactMap { $0["action"] as? String }
            }
            let before = try await actions()
            #expect(try await directory.send(.put, path, user).status == 200)
            #expect(try await directory.send(.put, teamPath, group).status == 200)
            #expect(try await directory.send(.post, "/scim/v2/Users", user).status == 409)
            let nobodys: [String: Any] = ["displayName": "Others", "members": [["value": UUID().uuidString]]]
            #expect(try await directory.send(.post, "/scim/v2/Groups", nobodys).status == 400)
            #expect(try await actions() == before)
            // Who is deleted leaves their teams by that, which is no line of its own.
            #expect(try await directory.send(.delete, path).status == 204)
            #expect(try await actions() == ["directory-user.deleted"] + before)
        }
    }
}
