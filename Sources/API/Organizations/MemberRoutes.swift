import Domain
import Foundation
import HTTPTypes
import Hummingbird
import PGClient
import Tenancy

/// `/v1/organizations/{organization}/members`: who belongs to a company, for those who answer for it.
/// Their practice is not theirs to see.
struct MemberRoutes: Sendable {
    let database: TenantDatabase
    let now: @Sendable () -> Date

    struct Member: PGRow, Encodable {
        let uid: UUID
        /// As they chose to be seen; nil for those who never said.
        let displayName: String?
        let avatarUrl: String?
        let role: String
        let joinedAt: Instant

        init(from row: inout PGRowReader) throws {
            uid = try row.next()
            displayName = try row.next()
            avatarUrl = try row.next()
            role = try row.next()
            joinedAt = try row.next()
        }

        private enum CodingKeys: CodingKey {
            case uid, displayName, avatarUrl, role, joinedAt
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(uid.text, forKey: .uid)
            try container.encodeIfPresent(displayName, forKey: .displayName)
            try container.encodeIfPresent(avatarUrl, forKey: .avatarUrl)
            try container.encode(role, forKey: .role)
            try container.encode(joinedAt, forKey: .joinedAt)
        }
    }

    private struct Page: Encodable {
        let members: [Member]
        let nextCursor: String?
    }

    private struct Change: Decodable {
        let role: GivenRole
    }

    /// One that somebody can be given; an owner is one who said yes.
    enum GivenRole: String, Decodable {
        case admin, analyst, member
    }

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.group("organizations/:organization/members")
            .get(use: members)
            .patch(":uid", use: changeRole)
            .delete(":uid", use: removeMember)
    }

    /// `GET /v1/organizations/{organization}/members`: who joined first comes first.
    @Sendable func members(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let parameters = request.uri.queryParameters
        let limit = try parameters.wholeNumber("limit", in: 1...500) ?? 100
        let cursor = try parameters.get("cursor").map { text in
            guard let cursor = MemberCursor(text) else {
                throw Problem.invalid("cursor", "is not one of ours")
            }
            return cursor
        }
        let members = try await database.read(as: context.principal) { tx in
            try await tx.requirePermission("members.read", in: id)
            return try await tx.members(of: id, after: cursor, limit: limit)
        }
        let page = Array(members.prefix(limit))
        let hasMore = members.count > page.count
        return try JSON.response(
            Page(members: page, nextCursor: hasMore ? page.last.map(MemberCursor.init)?.text : nil)
        )
    }

    /// `PATCH /v1/organizations/{organization}/members/{uid}`: another role, but no owner's.
    @Sendable func changeRole(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let uid = try context.parameters.id("uid")
        let role = try await JSON.decode(Change.self, from: request).role
        let member = try await database.write(as: context.principal) { tx in
            try await tx.changeRole(of: uid, in: id, to: role, by: context.origin.address(at: now()))
            return try await tx.members(of: id, uid: uid, after: nil, limit: 1).first
        }
        // Whoever gave their own role away sees no members any more.
        guard let member else { return Response(status: .noContent) }
        return try JSON.response(member)
    }

    /// `DELETE /v1/organizations/{organization}/members/{uid}`: out of the company and its boards, at once.
    @Sendable func removeMember(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let uid = try context.parameters.id("uid")
        let removed = try await database.write(as: context.principal) { tx in
            try await tx.endMembership(of: uid, in: id, by: context.origin.address(at: now()))
        }
        guard removed else { throw Problem.notFound }
        return Response(status: .noContent)
    }
}

/// Where a page of members ends.
struct MemberCursor: PageCursor {
    let joinedAt: Instant
    let uid: UUID

    init(_ member: MemberRoutes.Member) {
        joinedAt = member.joinedAt
        uid = member.uid
    }
}
