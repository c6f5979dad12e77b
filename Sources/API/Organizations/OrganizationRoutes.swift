import Domain
import Foundation
import HTTPTypes
import Hummingbird
import PGClient
import Tenancy

/// `/v1/organizations`: the companies that a person chose to be seen by, or founded.
struct OrganizationRoutes: Sendable {
    let database: TenantDatabase
    let limits: Limits
    let now: @Sendable () -> Date

    struct Membership: Encodable, Sendable {
        let organizationId: String
        let name: String
        let role: String
        /// Whether the person wants to be seen there. The company's directory puts people in who haven't said so yet.
        let agreed: Bool
        let leaderboard: Board
    }

    /// What the company has decided about its board.
    struct Board: Encodable, Sendable {
        let enabled: Bool
        let showRealNames: Bool
    }

    struct List: Encodable, Sendable {
        let organizations: [Membership]
    }

    /// One company, as a member of it sees it.
    struct Organization: Encodable, Sendable {
        let organizationId: String
        let name: String
        let role: String
        /// What that role may do here.
        let permissions: [String]
        let leaderboard: Board
        /// Whether only addresses in its domains are invited.
        let domainRestricted: Bool
        /// Whether an address in one of its domains is enough to join.
        let automaticJoining: Bool
        /// `admins`, which owners are too, or `members`.
        let whoMayInvite: String
        /// How old a sign-in may be that sees anything of the company; nil where that doesn't matter.
        let maxSignInAgeHours: Int?
        /// For how long a line of the record is kept; nil for ever.
        let auditRetentionDays: Int?
        let createdAt: Instant
        /// Whether the operator has it closed.
        let suspended: Bool
        /// When it is deleted, where that was asked for; it is closed until then.
        let deletionDueAt: Instant?
        /// Whether it holds a domain. Until then nobody can be asked into it.
        let proved: Bool
        /// Set where the viewer offered the company to somebody, or is offered it.
        let ownershipOffer: OwnershipRoutes.Offer?
    }

    private struct Wish: Decodable {
        let name: OrganizationName
    }

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.group("organizations")
            .get(use: memberships)
            .post(use: found)
            .get(":organization", use: organization)
            .patch(":organization", use: changeSettings)
    }

    /// `GET /v1/organizations`: those that the person belongs to.
    @Sendable func memberships(_ request: Request, in context: MemberContext) async throws -> Response {
        let memberships = try await database.read(as: context.principal) { tx in
            try await tx.ownMemberships()
        }
        return try JSON.response(List(organizations: memberships))
    }

    /// `POST /v1/organizations`: one of the person's own.
    @Sendable func found(_ request: Request, in context: MemberContext) async throws -> Response {
        let name = try await JSON.decode(Wish.self, from: request).name
        try await limits.take(
            .foundOrganization,
            from: context.origin.source,
            account: context.principal.uid.text
        )
        let organization = try await database.write(as: context.principal) { tx in
            let id = try await tx.foundOrganization(name, by: context.origin.address(at: now()))
            return try await tx.organization(id)
        }
        return try JSON.response(organization, status: .created)
    }

    /// `GET /v1/organizations/{organization}`
    @Sendable func organization(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let organization = try await database.read(as: context.principal.member(of: id)) { tx in
            try await tx.organization(id)
        }
        return try JSON.response(organization)
    }

    /// `PATCH /v1/organizations/{organization}`: its name, how long its record is kept, who gets in, who
    /// invites, how old a sign-in may be, whether it has a board and with which names. The board is so for everyone from this answer on.
    @Sendable func changeSettings(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let change = try await JSON.decode(OrganizationChange.self, from: request)
        let organization = try await database.write(as: context.principal.member(of: id)) { tx in
            try await tx.changeOrganization(id, change, by: context.origin.address(at: now()))
            return try await tx.organization(id)
        }
        return try JSON.response(organization)
    }
}

/// What a `PATCH` of an organization changes. What it doesn't say stays, and what it says null of is as for a
/// company that is new; the record is kept for ever then.
struct OrganizationChange: Decodable, Sendable {
    /// As the database has them, by the names of the API.
    private(set) var settings: [String: JSONValue] = [:]

    private enum Inviting: String, Decodable {
        case admins, members
    }

    private struct Board: Decodable {
        let settings: [String: JSONValue]

        init(from decoder: any Decoder) throws {
            let members = try Members(decoder, known: ["enabled", "showRealNames"])
            settings = try ["enabled", "showRealNames"].reduce(into: [:]) { settings, name in
                settings[name] = try members.flag(name).map(JSONValue.bool)
            }
        }
    }

    /// One whose board is on, and nothing else.
    static let boardOn: OrganizationChange = {
        var change = OrganizationChange()
        change.settings["leaderboard"] = .object(["enabled": .bool(true)])
        return change
    }()

    private init() {}

    init(from decoder: any Decoder) throws {
        let members = try Members(
            decoder,
            known: [
                "name", "leaderboard", "auditRetentionDays", "domainRestricted", "automaticJoining",
                "whoMayInvite", "maxSignInAgeHours",
            ]
        )
        settings["name"] = try members.value("name", as: OrganizationName.self).map { .string($0.text) }
        settings["leaderboard"] = try members.value("leaderboard", as: Board.self).map {
            .object($0.settings)
        }
        settings["domainRestricted"] = try members.value("domainRestricted", orWhenNull: true)
            .map(JSONValue.bool)
        settings["automaticJoining"] = try members.flag("automaticJoining").map(JSONValue.bool)
        settings["whoMayInvite"] = try members.value("whoMayInvite", orWhenNull: Inviting.admins)
            .map { .string($0.rawValue) }
        for name in ["auditRetentionDays", "maxSignInAgeHours"] where members.has(name) {
            // One that is no 32-bit number is refused as one that is too large.
            let number = try members.value(name, as: Int.self).map { Int(Int32(clamping: $0)) }
            settings[name] = number.map(JSONValue.integer) ?? .null
        }
    }
}

extension Origin {
    /// For the record of a company: the address, of those who act for the company.
    func address(at now: Date) -> SQL {
        "row(\(UUID(uuidString: requestID)), \(source.limited), \(Instant(now)))::app.origin"
    }

    /// The network alone, of those who act for themselves, from wherever they live.
    func network(at now: Date) -> SQL {
        "row(\(UUID(uuidString: requestID)), \(source.coarse), \(Instant(now)))::app.origin"
    }
}

extension Parameters {
    /// An id in the path; one that isn't an id is one that doesn't exist.
    func id(_ name: String) throws -> UUID {
        guard let id = get(name).flatMap(UUID.init(uuidString:)) else { throw Problem.notFound }
        return id
    }
}
