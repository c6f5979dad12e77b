import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import PGClient
import Testing

@testable import API

/// What was done to a company: all of it, in order, and found out when somebody altered it.
struct OrganizationAuditTests {
    @Test func `the record of a day is what was done on it`() async throws {
        let clock = TestClock(Date(timeIntervalSince1970: 1_772_820_000))
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            let (ada, owner) = try await nobody.practitioner("Ada", at: clock.now)
            let acme = try await server.company("Acme", owner: owner)
            let (ben, his) = try await server.employee("Ben", of: acme, nobody, at: clock.now)
            let path = "/v1/organizations/\(acme.id)"
            _ = try await ada.send(.patch, path, ["leaderboard": ["showRealNames": true]])
            // What changes nothing is no line.
            _ = try await ada.send(.patch, path, ["leaderboard": ["showRealNames": true]])
            _ = try await ada.send(.patch, "\(path)/members/\(his)", ["role": "admin"])
            _ = try await ben.send(.patch, "\(path)/members/\(owner)", ["role": "member"])
            _ = try await ada.send(.put, "\(path)/ownership", ["uid": his])
            _ = try await ben.send(.post, "\(path)/ownership/accept")
            _ = try await ada.send(.delete, "\(path)/membership")

            let answer = try await ben.send(.get, "\(path)/audit")
            let events = try #require(answer.json["events"] as? [[String: Any]])
            let told = events.reversed().map { event in
                ["actor", "action", "target"].map { "\(event[$0] ?? "")" }.joined(separator: " ")
            }
            #expect(
                told == [
                    "operator organization.created organization",
                    "user:\(his) member.joined user:\(his)",
                    "user:\(owner) settings.changed organization",
                    "user:\(owner) member.role-changed user:\(his)",
                    "user:\(owner) ownership.offered user:\(his)",
                    "user:\(his) ownership.accepted user:\(his)",
                    "user:\(owner) member.left user:\(owner)",
                ]
            )
            let changed = try #require(events.first { $0["action"] as? String == "settings.changed" })
            let boards = ["before", "after"].map {
                ((changed[$0] as? [String: Any])?["leaderboard"] as? [String: Any])?["showRealNames"] as? Bool
            }
            #expect(boards == [false, true])
            // Where it came from: the address of who acts for the company, the network of who leaves it.
            #expect((changed["source"] as? String)?.hasSuffix("::/64") == true)
            #expect((events.first?["source"] as? String)?.hasSuffix("::/48") == true)
        }
    }

    @Test func `it is read page by page and by what is asked, by those who may`() async throws {
        let clock = TestClock(Date(timeIntervalSince1970: 1_772_820_000))
        let server = try await TestServer(clock: clock, keepsTokens: true)
        try await server.run { nobody in
            let (ada, owner) = try await nobody.practitioner("Ada", at: clock.now)
            let acme = try await server.company("Acme", owner: owner)
            let (ben, his) = try await server.employee("Ben", of: acme, nobody, at: clock.now)
            let path = "/v1/organizations/\(acme.id)/audit"
            for day in 1...5 {
                clock.advance(by: 86_400)
                _ = try await ada.send(.patch, "/v1/organizations/\(acme.id)", ["name": "Acme \(day)"])
            }
            func numbers(_ query: String) async throws -> [Int] {
                let events = try await ada.send(.get, path + query).json["events"] as? [[String: Any]]
                return try #require(events).compactMap { $0["number"] as? Int }
            }
            #expect(try await numbers("?limit=3") == [7, 6, 5])
            let first = try await ada.send(.get, "\(path)?limit=3&action=settings.changed")
            #expect(
                first.headers[.link] == "<\(path)?limit=3&action=settings.changed&cursor=5>; rel=\"next\""
            )
            #expect(try await numbers("?limit=3&action=settings.changed&cursor=5") == [4, 3])
            #expect(try await numbers("?actor=user:\(his)") == [2])
            #expect(try await numbers("?target=user:\(his)&action=member.joined") == [2])
            #expect(try await numbers("?since=2026-03-09T00:00:00Z&until=2026-03-11T00:00:00Z") == [6, 5])
            #expect(try await ada.send(.get, "\(path)?since=noon").json["field"] as? String == "since")
            #expect(try await ben.send(.get, path).status == 403)
        }
    }

    @Test func `as CSV no cell is a formula, and as JSON Lines each line is one event`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let (ada, _) = try await nobody.newcomer()
            let founded = try await ada.send(.post, "/v1/organizations", ["name": "=cmd|' /C calc'!A0"])
            let path = "/v1/organizations/\(founded.json["organizationId"] ?? "")/audit"
            let csv = try await ada.text(path, accept: "text/csv, application/json;q=0.5")
            #expect(csv.type == "text/csv; charset=utf-8; header=present")
            let rows = csv.text.split(separator: "\r\n")
            #expect(rows.count == 2)
            #expect(rows.first == "number,at,actor,action,target,before,after,source,requestId,hash")
            #expect(rows.last?.hasPrefix("\"1\",") == true)
            #expect(rows.last?.contains("\"{\"\"name\"\": \"\"=cmd|' /C calc'!A0\"\"}\"") == true)
            let lines = try await ada.text(path, accept: "application/x-ndjson")
            let events = try lines.text.split(separator: "\n").map {
                try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
            }
            #expect(lines.type == "application/jsonl")
            #expect(events.map { $0?["action"] as? String } == ["organization.created"])
        }
        for (text, cell) in [
            ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@a", "'@a"), ("\tx", "'\tx"), ("\rx", "'\rx"),
            ("\r\nx", "'\r\nx"), ("a=1", "a=1"), ("", ""), ("a\"b", "a\"\"b"),
            ("a\"\u{301}b", "a\"\"\u{301}b"),
        ] {
            #expect(OrganizationEvent.cell(text) == "\"\(cell)\"")
        }
    }

    @Test func `one altered line is found, and so is one that is missing`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (ada, owner) = try await nobody.practitioner("Ada", at: clock.now)
            let acme = try await server.company("Acme", owner: owner)
            let id = try #require(UUID(uuidString: acme.id))
            for name in ["One", "Two", "Three"] {
                _ = try await ada.send(.patch, "/v1/organizations/\(acme.id)", ["name": name])
            }
            func verdict(after sql: SQL) async throws -> RecordVerdict {
                try await server.asSuperuser { tx in
                    try await tx.execute("set local session_replication_role = replica")
                    try await tx.execute(sql)
                    let verdict = try await tx.verifyOrganizationEvents(of: id)
                    try await tx.execute("rollback")
                    try await tx.execute("begin")
                    return verdict
                }
            }
            let sound = try await verdict(after: "select 1")
            #expect(sound.events == 4)
            #expect(sound.wrong == nil)
            let table: SQL = "app.organization_event"
            let mine: SQL = "organization_id = \(id)"
            #expect(
                try await verdict(after: "update \(table) set source = '' where \(mine) and number = 2").wrong
                    == 2
            )
            // With a hash that fits the line, it doesn't fit the next one.
            let forged: SQL = """
                update \(table) e set source = '', hash = app.organization_event_hash(
                  row(e.organization_id, e.number, e.happened_at, e.actor, e.action, e.target, e.before, e.after, '',
                    e.request_id, null)::app.organization_event,
                  (select p.hash from \(table) p where p.\(mine) and p.number = 1))
                where e.\(mine) and e.number = 2
                """
            #expect(try await verdict(after: forged).wrong == 3)
            #expect(try await verdict(after: "delete from \(table) where \(mine) and number = 3").wrong == 4)
            #expect(try await verdict(after: "delete from \(table) where \(mine) and number = 4").wrong == 4)
            #expect(try await verdict(after: "delete from \(table) where \(mine)").wrong == 4)
        }
    }

    @Test func `a line is kept for as long as its company wants, and the rest still holds together`()
        async throws
    {
        let postgres = try await blocking { try OwnPostgres() }
        defer { postgres.remove() }
        let clock = TestClock()
        let server = try await TestServer(clock: clock, keepsTokens: true, postgres: postgres)
        try await server.run { nobody in
            let (ada, _) = try await nobody.newcomer()
            let founded = try await ada.send(.post, "/v1/organizations", ["name": "Acme"])
            let path = "/v1/organizations/\(founded.json["organizationId"] ?? "")"
            let change = try await ada.send(.patch, path, ["auditRetentionDays": 89])
            #expect(change.json["field"] as? String == "auditRetentionDays")
            _ = try await ada.send(.patch, path, ["auditRetentionDays": 90])
            clock.advance(by: 89 * 86_400)
            _ = try await ada.send(.patch, path, ["name": "Acme again"])
            func forget() async throws -> Int32 {
                try await server.server.pool.transaction {
                    try await $0.forgetOrganizationEvents(at: clock.now)
                }
            }
            #expect(try await forget() == 0)
            clock.advance(by: 2 * 86_400)
            #expect(try await forget() == 2)
            let events = try await ada.send(.get, "\(path)/audit").json["events"] as? [[String: Any]]
            #expect(events?.compactMap { $0["number"] as? Int } == [3])
            let id = try #require(UUID(uuidString: "\(founded.json["organizationId"] ?? "")"))
            let verdict = try await server.asOperator { try await $0.verifyOrganizationEvents(of: id) }
            #expect(verdict.events == 1)
            #expect(verdict.wrong == nil)

            // For ever, from then on.
            let kept = try await ada.send(.patch, path, ["auditRetentionDays": NSNull()])
            #expect(kept.json["auditRetentionDays"] == nil)
            clock.advance(by: 4000 * 86_400)
            #expect(try await forget() == 0)
        }
    }
}

extension Client {
    /// An answer that is no JSON.
    func text(_ path: String, accept: String) async throws -> (text: String, type: String?) {
        var headers: HTTPFields = [.accept: accept]
        if let name = HTTPField.Name("x-forwarded-for") { headers[name] = address }
        if let token { headers[.authorization] = "Bearer \(token)" }
        return try await client.execute(uri: path, method: .get, headers: headers, body: nil) { response in
            (String(buffer: response.body), response.headers[.contentType])
        }
    }
}
