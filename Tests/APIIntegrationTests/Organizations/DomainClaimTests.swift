import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

/// A company shows by a record in the DNS that a domain is its own, on real zones. On a database of its own,
/// as the job looks at every company's; one after the other, since each starts servers.
@Suite(.serialized, .timeLimit(.minutes(3))) struct DomainClaimTests {
    @Test func `a domain is proved by its record, whole or in pieces, and by no other`() async throws {
        try await withZones { world in
            let (ada, _) = try await world.nobody.newcomer()
            let acme = try await world.company("Acme", by: ada)
            let claimed = try await ada.send(.post, "\(acme)/domains", ["domain": "Acme.Example."])
            #expect(claimed.status == 201)
            #expect(claimed.json["domain"] as? String == "acme.example")
            #expect(claimed.json["state"] as? String == "pending")
            let record = try #require(claimed.json["record"] as? [String: String])
            #expect(record["type"] == "TXT")
            let name = try #require(record["name"])
            let value = try #require(record["value"])
            #expect(name == "_breathmaster-challenge.acme.example")
            let again = try await ada.send(.post, "\(acme)/domains", ["domain": "acme.example"])
            #expect((again.json["record"] as? [String: String])?["value"] == value)

            let token = value.dropFirst("token=".count).prefix(26)
            let wrong: [[(String, [String])]] = [
                [], [(name, ["v=spf1 -all"])],
                [(name, ["token=\(token.reversed().map(String.init).joined())"])],
                [(name, ["token=\(token.dropLast()) expiry=never"])],
                [(name, ["token=\(token) expiry=2026-03-05"])], [(name, ["token=\(token) expiry=soon"])],
                [("acme.example", [value])],
            ]
            for records in wrong {
                try await world.zones.serve(["acme.example"], records.map { (name: $0.0, strings: $0.1) })
                let answer = try await ada.send(.post, "\(acme)/domains/acme.example/prove")
                #expect(answer.status == 200)
                #expect(answer.json["state"] as? String == "pending", "\(records)")
            }
            // Among others, and cut where it hurts.
            let pieces = ["tok", "en=\(token.prefix(9))", "\(token.dropFirst(9)) exp", "iry=2026-03-06"]
            try await world.zones.serve(
                ["acme.example"],
                [(name: name, strings: ["v=spf1 -all"]), (name: name, strings: pieces)]
            )
            let proved = try await ada.send(.post, "\(acme)/domains/acme.example/prove")
            #expect(proved.json["state"] as? String == "proved")
            #expect(try await ada.send(.get, acme).json["proved"] as? Bool == true)
        }
    }

    /// Whether this machine has an IPv6 address of its own, `::1`.
    private static var hasIPv6: Bool {
        let addresses = try? String(contentsOfFile: "/proc/net/if_inet6", encoding: .utf8)
        return addresses?.contains("00000000000000000000000000000001 ") == true
    }

    @Test(.enabled(if: hasIPv6)) func `a resolver may have an IPv6 address`() async throws {
        let zones = try NameServer(on: "::1")
        try await zones.serve(["acme.example"], [(name: "acme.example", strings: ["one ", "text"])])
        #expect(try await zones.lookup.texts(of: "acme.example") == ["one text"])
        #expect(try await zones.lookup.texts(of: "b.acme.example") == [])
        await zones.stop()
        await #expect(throws: TXTLookup.Unanswered.self) {
            try await zones.lookup.texts(of: "acme.example")
        }
    }

    @Test func `nobody's servers answering proves nothing and loses nothing`() async throws {
        try await withZones { world in
            let (ada, _) = try await world.nobody.newcomer()
            let acme = try await world.company("Acme", by: ada)
            try await world.prove("acme.example", for: acme, by: ada)
            _ = try await ada.send(.post, "\(acme)/domains", ["domain": "other.example"])
            // It doesn't answer for that one.
            let unanswered = try await ada.send(.post, "\(acme)/domains/other.example/prove")
            #expect(unanswered.status == 503)
            #expect(unanswered.json["code"] as? String == "domain_unanswered")

            await world.zones.stop()
            for _ in 1...20 {
                world.clock.advance(by: 86_400)
                try await world.tend()
            }
            #expect(try await world.state(of: "acme.example", in: acme, by: ada) == "proved")
        }
    }

    @Test func `a record that is lost warns, comes back, and lapses after seven days with who hangs on it`()
        async throws
    {
        try await withZones { world in
            let (ada, hers) = try await world.nobody.practitioner("Ada", at: world.clock.now)
            for address in ["ada@home.example", "ada@acme.example"] {
                try await world.server.recordEmail(of: hers, address)
            }
            let acme = try await world.company("Acme", by: ada)
            _ = try await ada.send(.patch, acme, ["leaderboard": ["enabled": true]])
            try await world.prove("acme.example", for: acme, by: ada)
            let id = String(acme.split(separator: "/").last ?? "")
            let company = (id: id, domain: "acme.example")
            let (ben, _) = try await world.server.employee(
                "Ben",
                of: company,
                world.nobody,
                at: world.clock.now
            )
            let board = "company?organization=\(id)"
            #expect(try await ada.board(board).contains("Ben"))

            try await world.zones.serve(["acme.example"])
            // Not before a day is over.
            world.clock.advance(by: 86_000)
            try await world.tend()
            #expect(try await world.state(of: "acme.example", in: acme, by: ada) == "proved")
            world.clock.advance(by: 1000)
            try await world.tend()
            #expect(try await world.state(of: "acme.example", in: acme, by: ada) == "lost")

            try await world.record("acme.example", for: acme, by: ada)
            world.clock.advance(by: 86_400)
            try await world.tend()
            #expect(try await world.state(of: "acme.example", in: acme, by: ada) == "proved")

            try await world.zones.serve(["acme.example"])
            for day in 1...7 {
                world.clock.advance(by: 86_400)
                try await world.tend()
                #expect(try await world.state(of: "acme.example", in: acme, by: ada) == "lost", "day \(day)")
                #expect(try await ben.send(.get, acme).status == 200)
            }
            world.clock.advance(by: 86_400)
            try await world.tend()
            #expect(try await world.state(of: "acme.example", in: acme, by: ada) == "none")
            #expect(try await ben.send(.get, acme).status == 404)
            #expect(try await ben.board(board) == "404")
            #expect(!(try await ada.board(board)).contains("Ben"))
            let events = try await ada.send(.get, "\(acme)/audit?actor=system").json["events"]
            let actions = (events as? [[String: Any]] ?? []).compactMap { $0["action"] as? String }
            #expect(actions == ["domain.lapsed", "domain.lost", "domain.found", "domain.lost"])

            // The owner is mailed of each loss and of the end, at each address and once, and the member of none.
            let mails = try await world.server.asSuperuser { tx in
                try await tx.query(
                    "select kind, recipient from app.outbox where about = 'acme.example' order by written_at, recipient",
                    as: (String, String).self
                )
            }
            let told = ["domainLost", "domainLost", "domainLapsed"].flatMap { kind in
                ["ada@acme.example", "ada@home.example"].map { "\(kind) \($0)" }
            }
            #expect(mails.map { "\($0.0) \($0.1)" } == told)
        }
    }

    @Test func `a domain that is taken over takes nobody along, and revives nobody when it comes back`()
        async throws
    {
        try await withZones { world in
            let (ada, _) = try await world.nobody.newcomer()
            let (eve, _) = try await world.nobody.newcomer()
            let acme = try await world.company("Acme", by: ada)
            let umbrella = try await world.company("Umbrella", by: eve)
            try await world.prove("acme.example", for: acme, by: ada)
            let id = String(acme.split(separator: "/").last ?? "")
            let company = (id: id, domain: "acme.example")
            let (ben, _) = try await world.server.employee(
                "Ben",
                of: company,
                world.nobody,
                at: world.clock.now
            )

            // Claiming tells nothing, and proving waits until the one before has lapsed.
            try await world.record("acme.example", for: umbrella, by: eve)
            let taken = try await eve.send(.post, "\(umbrella)/domains/acme.example/prove")
            #expect(taken.status == 409)
            #expect(taken.json["code"] as? String == "domain_taken")
            for _ in 1...9 {
                world.clock.advance(by: 86_400)
                try await world.tend()
            }
            #expect(try await ben.send(.get, acme).status == 404)
            let proved = try await eve.send(.post, "\(umbrella)/domains/acme.example/prove")
            #expect(proved.json["state"] as? String == "proved")
            let members = try await eve.send(.get, "\(umbrella)/members").json["members"] as? [[String: Any]]
            #expect(members?.count == 1)
            #expect(try await ben.send(.get, umbrella).status == 404)

            // And back again.
            #expect(try await eve.send(.delete, "\(umbrella)/domains/acme.example").status == 204)
            try await world.prove("acme.example", for: acme, by: ada)
            #expect(try await ben.send(.get, acme).status == 404)
            let own = try await ada.send(.get, "\(acme)/members").json["members"] as? [[String: Any]]
            #expect(own?.count == 1)
        }
    }

    @Test func `what everybody can have a name or an address in is no company's`() async throws {
        try await withZones { world in
            let (ada, _) = try await world.nobody.newcomer()
            let acme = try await world.company("Acme", by: ada)
            for domain in [
                "gmail.com", "GoogleMail.com", "proton.me", "mail.gmx.de", "hey.com", "co.uk", "github.io",
                "рф", "example", "", "a b.example", "acme.example/x", "user@acme.example", "-a.example",
                "127.0.0.1", "acme..example", "*.acme.example",
                String(repeating: "a.", count: 120) + "example",
            ] {
                let refused = try await ada.send(.post, "\(acme)/domains", ["domain": domain])
                #expect(refused.status == 422, "\(domain)")
                #expect(refused.json["field"] as? String == "domain", "\(domain)")
            }
            let claimed = try await ada.send(.post, "\(acme)/domains", ["domain": "BÜCHER.example"])
            #expect(claimed.json["domain"] as? String == "xn--bcher-kva.example")
            let path = "\(acme)/domains/xn--bcher-kva.example"
            #expect(try await ada.send(.delete, path).status == 204)
            #expect(try await ada.send(.delete, path).status == 404)
        }
    }

    @Test func `a claim that nobody proves is forgotten after thirty days`() async throws {
        try await withZones { world in
            let (ada, _) = try await world.nobody.newcomer()
            let acme = try await world.company("Acme", by: ada)
            _ = try await ada.send(.post, "\(acme)/domains", ["domain": "acme.example"])
            world.clock.advance(by: 29 * 86_400)
            try await world.tend()
            #expect(try await world.state(of: "acme.example", in: acme, by: ada) == "pending")
            world.clock.advance(by: 86_400)
            try await world.tend()
            #expect(try await world.state(of: "acme.example", in: acme, by: ada) == "none")
        }
    }

    private func withZones(_ body: @Sendable (World) async throws -> Void) async throws {
        let postgres = try await blocking { try OwnPostgres() }
        defer { postgres.remove() }
        let zones = try NameServer()
        // 2026-03-06.
        let clock = TestClock(Date(timeIntervalSince1970: 1_772_820_000))
        let server = try await TestServer(
            clock: clock,
            keepsTokens: true,
            postgres: postgres,
            lookup: zones.lookup
        )
        try await server.run { nobody in
            try await body(World(server: server, nobody: nobody, zones: zones, clock: clock))
        }
        await zones.stop()
    }
}

private struct World {
    let server: TestServer
    let nobody: Client
    let zones: NameServer
    let clock: TestClock

    /// The path of a company that somebody founds.
    func company(_ name: String, by client: Client) async throws -> String {
        let founded = try await client.send(.post, "/v1/organizations", ["name": name])
        let path = "/v1/organizations/\(try #require(founded.json["organizationId"] as? String))"
        _ = try await client.send(.patch, path, ["automaticJoining": true])
        return path
    }

    /// Claims a domain, and serves its record and nothing else.
    func record(_ domain: String, for company: String, by client: Client) async throws {
        let claimed = try await client.send(.post, "\(company)/domains", ["domain": domain])
        let record = try #require(claimed.json["record"] as? [String: String])
        try await zones.serve([domain], [(name: record["name"] ?? "", strings: [record["value"] ?? ""])])
    }

    func prove(_ domain: String, for company: String, by client: Client) async throws {
        try await record(domain, for: company, by: client)
        let proved = try await client.send(.post, "\(company)/domains/\(domain)/prove")
        try #require(proved.json["state"] as? String == "proved")
    }

    func tend() async throws {
        try await server.server.tending.tend()
    }

    func state(of domain: String, in company: String, by client: Client) async throws -> String {
        let list = try await client.send(.get, "\(company)/domains").json["domains"] as? [[String: Any]]
        return list?.first { $0["domain"] as? String == domain }?["state"] as? String ?? "none"
    }
}
