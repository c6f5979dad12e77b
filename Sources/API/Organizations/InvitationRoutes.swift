import Domain
import Foundation
import HTTPTypes
import Hummingbird
import PGClient
import Tenancy

/// `/v1/organizations/{organization}/invitations`: who is asked into a company, by mail. An invitation is bound
/// to its address: who shows that to be theirs can join, and nobody else who gets to read the mail.
struct InvitationRoutes: Sendable {
    let database: TenantDatabase
    let limits: Limits
    let now: @Sendable () -> Date

    struct Invitation: PGRow, Encodable {
        let id: UUID
        let address: String
        let role: String
        let invitedAt: Instant
        let expiresAt: Instant

        /// One that was just made. Members who invite may not read what there is.
        init(_ id: UUID, to address: EmailAddress, as role: MemberRoutes.GivenRole, at now: Date) {
            self.id = id
            self.address = address.description
            self.role = role.rawValue
            invitedAt = Instant(now)
            expiresAt = Instant(now.addingTimeInterval(7 * 86_400))
        }

        init(from row: inout PGRowReader) throws {
            id = try row.next()
            address = try row.next()
            role = try row.next()
            invitedAt = try row.next()
            expiresAt = try row.next()
        }

        private enum CodingKeys: CodingKey {
            case id, address, role, invitedAt, expiresAt
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(id.text, forKey: .id)
            try container.encode(address, forKey: .address)
            try container.encode(role, forKey: .role)
            try container.encode(invitedAt, forKey: .invitedAt)
            try container.encode(expiresAt, forKey: .expiresAt)
        }
    }

    private struct List: Encodable {
        let invitations: [Invitation]
    }

    private struct Wish: Decodable {
        let address: EmailAddress
        let role: MemberRoutes.GivenRole?
    }

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.group("organizations/:organization/invitations")
            .get(use: invitations)
            .post(use: invite)
            .delete(":invitation", use: revokeInvitation)
    }

    /// `GET /v1/organizations/{organization}/invitations`: those that are still good, the newest first.
    @Sendable func invitations(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let invitations = try await database.read(as: context.principal) { tx in
            try await tx.requirePermission("invitations.manage", in: id)
            return try await tx.invitations(to: id, at: now())
        }
        return try JSON.response(List(invitations: invitations))
    }

    /// `POST /v1/organizations/{organization}/invitations`: mails one. Another to the same address takes the
    /// place of the one before.
    @Sendable func invite(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let wish = try await JSON.decode(Wish.self, from: request)
        let invitation = UUID()
        // Who may not, is told so before anything is counted.
        try await database.read(as: context.principal) { tx in
            try await tx.requirePermission("members.invite", in: id)
        }
        try await limits.take(.invite, from: context.origin.source, account: context.principal.uid.text)
        let role = wish.role ?? .member
        let now = now()
        try await database.write(as: context.principal) { tx in
            try await tx.invite(
                wish.address,
                as: role,
                to: id,
                invitation: invitation,
                by: context.origin.address(at: now)
            )
        }
        let sent = Invitation(invitation, to: wish.address, as: role, at: now)
        return try JSON.response(sent, status: .created)
    }

    /// `DELETE /v1/organizations/{organization}/invitations/{invitation}`
    @Sendable func revokeInvitation(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.id("organization")
        let invitation = try context.parameters.id("invitation")
        let revoked = try await database.write(as: context.principal) { tx in
            try await tx.revokeInvitation(invitation, to: id, by: context.origin.address(at: now()))
        }
        guard revoked else { throw Problem.notFound }
        return Response(status: .noContent)
    }
}
