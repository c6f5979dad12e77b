import Domain
import Foundation
import Hummingbird
import Tenancy

/// `/v1/me/emails`: addresses that a person has shown to be theirs, or is about to.
struct EmailRoutes: Sendable {
    let database: TenantDatabase
    let codes: EmailCodes
    let now: @Sendable () -> Date

    struct Email: Encodable, Sendable {
        let address: String
        /// Nil until its code came back; until then it gives nothing.
        let verifiedAt: Instant?
        /// Until when the code that was mailed is good.
        let codeExpiresAt: Instant?
    }

    private struct List: Encodable {
        let emails: [Email]
    }

    private struct Named: Decodable {
        let address: EmailAddress
    }

    private struct Proof: Decodable {
        let address: EmailAddress
        let code: String
    }

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.group("me/emails")
            .get(use: emails)
            .post(use: addEmail)
            .post("verify", use: verifyEmail)
            .post("remove", use: removeEmail)
    }

    /// `GET /v1/me/emails`
    @Sendable func emails(_ request: Request, in context: MemberContext) async throws -> Response {
        let emails = try await database.read(as: context.principal) { tx in
            try await tx.ownEmails(at: now())
        }
        return try JSON.response(List(emails: emails))
    }

    /// `POST /v1/me/emails`: mails a code there, and says the same whoever has the address.
    @Sendable func addEmail(_ request: Request, in context: MemberContext) async throws -> Response {
        let address = try await JSON.decode(Named.self, from: request).address
        let (seed, askedAt) = (UUID(), now())
        let digest = codes.digest(of: codes.code(from: seed), for: address, of: context.principal.uid)
        let wait = try await database.write(as: context.principal) { tx in
            try await tx.askEmail(address, seed: seed, digest: digest, at: askedAt)
        }
        if let wait { throw Problem.tooMuchMail(retryAfter: wait) }
        let email = Email(
            address: address.description,
            verifiedAt: nil,
            codeExpiresAt: Instant(askedAt.addingTimeInterval(EmailCodes.lifetime))
        )
        return try JSON.response(email, status: .accepted)
    }

    /// `POST /v1/me/emails/verify`: the address is the person's, by the code that was mailed there.
    @Sendable func verifyEmail(_ request: Request, in context: MemberContext) async throws -> Response {
        let proof = try await JSON.decode(Proof.self, from: request)
        let code = proof.code.filter { !$0.isWhitespace }
        let digest = codes.digest(of: code, for: proof.address, of: context.principal.uid)
        // Thrown only after the commit, which keeps the count of wrong ones.
        let isVerified = try await database.write(as: context.principal) { tx in
            let isVerified = try await tx.verifyEmail(proof.address, digest: digest, at: now())
            if isVerified { try tx.record(.emailVerified, by: context.origin, at: now()) }
            return isVerified
        }
        guard isVerified else { throw Problem.codeNotGood }
        return Response(status: .noContent)
    }

    /// `POST /v1/me/emails/remove`: an address in the path would be in the log of every request.
    @Sendable func removeEmail(_ request: Request, in context: MemberContext) async throws -> Response {
        let address = try await JSON.decode(Named.self, from: request).address
        let removed = try await database.write(as: context.principal) { tx in
            let removed = try await tx.removeEmail(address.description)
            if removed { try tx.record(.emailRemoved, by: context.origin, at: now()) }
            return removed
        }
        guard removed else { throw Problem.notFound }
        return Response(status: .noContent)
    }
}

extension Problem {
    fileprivate static func tooMuchMail(retryAfter: Int) -> Problem {
        Problem(
            .tooManyRequests,
            "too_much_mail",
            "That was as much mail as can be asked for within an hour",
            retryAfter: retryAfter
        )
    }

    static let codeNotGood = Problem(
        .unprocessableContent,
        "code_not_good",
        "That code is not, or no longer, good",
        field: "code"
    )
}
