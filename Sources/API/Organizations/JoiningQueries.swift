import Domain
import Foundation
import PGClient
import Tenancy

extension TenantTransaction {
    func suggestions(at now: Date) async throws -> [JoiningRoutes.Suggestion] {
        try await query(
            """
            select organization_id, name, domain, role, good_until, automatic_joining
            from board.suggestion s
            where (good_until > \(Instant(now)) or domain is not null)
              and not exists (
                select from app.member m where m.organization_id = s.organization_id and m.uid = \(principal.uid)
              )
            order by name, organization_id
            """,
            as: (UUID, String, String?, String?, Instant?, Bool).self
        ).map { id, name, domain, role, goodUntil, automatic in
            let invitation: JoiningRoutes.Suggestion.Invitation? =
                if let role, let goodUntil, goodUntil > Instant(now) {
                    .init(role: role, expiresAt: goodUntil)
                } else {
                    nil
                }
            return JoiningRoutes.Suggestion(
                organizationId: id.text,
                name: name,
                domain: domain,
                invitation: invitation,
                canJoin: invitation != nil || (domain != nil && automatic)
            )
        }
    }

    func joiningPreview(of organization: UUID, at now: Date) async throws -> JoiningRoutes.Preview {
        let (text, agreement) = try await queryOne(
            """
            select app.joining_preview(\(organization), \(Instant(now)))::text,
              app.joining_agreement(\(organization), \(Instant(now)))
            """,
            as: (String, String).self
        )
        let preview = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        return JoiningRoutes.Preview(preview: preview, agreement: agreement)
    }

    func joinOrganization(_ id: UUID, agreeing agreement: String, by origin: SQL) async throws {
        try await execute("select app.join_organization(\(id), \(agreement), \(origin))")
    }

    /// Whether there was a membership to end.
    func endMembership(of uid: UUID, in id: UUID, by origin: SQL) async throws -> Bool {
        try await queryOne("select app.end_membership(\(id), \(uid), \(origin))", as: Bool.self)
    }
}
