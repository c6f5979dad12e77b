import Domain
import Foundation
import PGClient
import Tenancy

/// Two companies and two hundred practitioners to look at. People and companies
/// are made as an operator would; practice comes in as a sync would.
struct Demo: Sendable {
    static let people = 200

    let server: Server
    /// As a role that may create companies.
    let operators: PGPool

    private var database: TenantDatabase { TenantDatabase(pool: server.pool) }

    /// Loads what is missing; loading it again adds the days since.
    func load() async throws {
        try await registerPeople()
        try await createCompanies()
        for person in 0..<Self.people {
            try await practise(person)
        }
        try await befriend()
    }

    /// Commands to try, with tokens of a member, an admin and a stranger.
    func guide(address: String) async throws -> String {
        let (admin, member, stranger) = try await (token(of: 0), token(of: 1), token(of: 199))
        let company = try await companyID()
        return """

            Breath Master serves on \(address), with a demo of two companies. Try:

              TOKEN=\(member)
              curl -s -H "Authorization: Bearer $TOKEN" '\(address)/v1/sync/state'
              curl -s -H "Authorization: Bearer $TOKEN" '\(address)/v1/leaderboards/global?around=me&limit=3'
              curl -s -H "Authorization: Bearer $TOKEN" '\(address)/v1/leaderboards/company?organization=\(company)&limit=3'

            The same by the company's admin, and by a stranger to whom it doesn't exist:

              ADMIN=\(admin)
              STRANGER=\(stranger)

            The whole contract, to be read: \(address)/docs

            The tokens are good for 15 minutes; `make demo` prints new ones.

            """
    }

    private func token(of person: Int) async throws -> String {
        let token = RefreshToken(uid: Self.uid(of: person))
        try await database.write(as: Principal(uid: token.uid)) { tx in
            let now = server.now()
            let end = now.addingTimeInterval(AccessTokens.lifetime)
            try await tx.beginFamily(token, at: now, expiresAt: end, endsAt: end)
        }
        return try await server.tokens.token(for: token.uid, signIn: token.family)
    }

    /// What the records of the companies say of where it came from.
    private static var origin: SQL {
        "row(\(UUID()), 'demo', \(Instant(Date())))::app.origin"
    }

    private func companyID() async throws -> String {
        try await database.read(as: Principal(uid: Self.uid(of: 0))) { tx in
            try await tx.ownMemberships().first?.organizationId ?? ""
        }
    }

    /// Fixed, so that the demo finds its people again.
    private static func uid(of person: Int) -> UUID {
        let digits = String(person)
        let padded = String(repeating: "0", count: 12 - digits.utf8.count) + digits
        return UUID(uuidString: "de300000-0000-4000-8000-\(padded)") ?? UUID()
    }

    private func registerPeople() async throws {
        for person in 0..<Self.people {
            let uid = Self.uid(of: person)
            try await operators.transaction(opening: "set local role breathmaster_owner") { tx in
                try await tx.execute("select set_config('app.uid', \(uid.text), true)")
                try await tx.execute("insert into app.user (uid) values (\(uid)) on conflict do nothing")
                try await tx.execute(
                    "insert into app.game_state (uid) values (\(uid)) on conflict do nothing"
                )
                if let domain = Self.domain(of: person) {
                    try await tx.execute("select app.record_email(\(uid), \("person\(person)@\(domain)"))")
                }
            }
        }
    }

    private func createCompanies() async throws {
        for (name, domain, owner, members) in [
            ("Cedar Works", "cedar.example", 0, 1..<90), ("Harbour Lab", "harbour.example", 90, 91..<150),
        ] {
            let uid = Self.uid(of: owner)
            let memberships = try await database.read(as: Principal(uid: uid)) {
                try await $0.ownMemberships()
            }
            let company: UUID
            if let known = memberships.first.flatMap({ UUID(uuidString: $0.organizationId) }) {
                company = known
            } else {
                company = try await operators.transaction(opening: "set local role breathmaster_owner") {
                    tx in
                    try await tx.queryOne(
                        "select app.create_organization(\(name), \(domain), \(uid))",
                        as: UUID.self
                    )
                }
            }
            try await database.write(as: Principal(uid: uid)) { tx in
                let on = OrganizationChange.boardOn
                try await tx.changeOrganization(company, on, by: Self.origin)
            }
            for member in members {
                try await database.write(as: Principal(uid: Self.uid(of: member))) { tx in
                    let agreement = try await tx.joiningPreview(of: company, at: Date()).agreement
                    try await tx.joinOrganization(company, agreeing: agreement, by: Self.origin)
                }
            }
        }
    }

    private static func domain(of person: Int) -> String? {
        switch person {
        case 0..<90: "cedar.example"
        case 90..<150: "harbour.example"
        default: nil
        }
    }

    /// Shares, and syncs: as often as it takes to pass the gate, then up to now.
    private func practise(_ person: Int) async throws {
        let principal = Principal(uid: Self.uid(of: person))
        try await database.write(as: principal) { tx in
            _ = try await tx.execute(
                """
                update app.user set display_name = \(Self.name(of: person)), share_progress = true,
                  share_streaks = \(person % 4 != 0), allow_friend_requests = \(person % 3 != 0),
                  global_board = \(person % 5 != 0), friends_board = true,
                  share_detailed_progress = \(person % 2 == 0), company_board = \(person % 7 != 0)
                where uid = \(tx.principal.uid)
                """
            )
        }
        let sync = SyncRoutes(database: database, doorbell: server.doorbell, now: server.now)
        let now = Instant(server.now())
        for daysAgo in [0, 1, 2, 3, 4, 5, 6, 7, 9, 11] {
            let asOf = now + .seconds(-86_400 * daysAgo)
            do {
                _ = try await sync.submit(try export(of: person, at: asOf), as: principal)
                if daysAgo > 0 { _ = try await sync.submit(try export(of: person, at: now), as: principal) }
                return
            } catch let problem as Problem where problem.code == "not_eligible" {
                continue
            }
        }
    }

    private func export(of person: Int, at moment: Instant) throws -> ExportSubmission {
        let json = DemoPractice(person: person).export(until: moment)
        return try JSONDecoder().decode(
            ExportSubmission.self,
            from: try JSONSerialization.data(withJSONObject: json)
        )
    }

    /// A circle around the member whose token is printed.
    private func befriend() async throws {
        let member = Self.uid(of: 1)
        for other in [4, 92, 160, 161].map(Self.uid(of:)) {
            for (one, another) in [(member, other), (other, member)] {
                try await database.write(as: Principal(uid: one)) { tx in
                    _ = try await tx.befriend(another)
                }
            }
        }
    }

    private static func name(of person: Int) -> String {
        let manners = [
            "Quiet", "Gentle", "Patient", "Calm", "Bright", "Slow", "Clear", "Warm", "Still", "Soft",
        ]
        let things = [
            "Cedar", "River", "Harbour", "Meadow", "Lantern", "Willow", "Pebble", "Cloud", "Maple", "Tide",
            "Fern",
            "Heron", "Birch", "Dune", "Spruce", "Brook", "Linden", "Moss", "Reed", "Valley",
        ]
        return "\(manners[person % manners.count]) \(things[(person / manners.count) % things.count])"
    }
}
