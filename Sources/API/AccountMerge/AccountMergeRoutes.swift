import Crypto
import Domain
import Foundation
import HTTPTypes
import Hummingbird
import Tenancy

/// `/v1/me/merge`: two accounts of one person become one, with the word of both.
struct AccountMergeRoutes: Sendable {
    /// Seconds for which a code is good.
    private static let lifetime: TimeInterval = 30 * 60

    let database: TenantDatabase
    let codeKey: SymmetricKey
    let limits: Limits
    let passwords: Passwords
    let doorbell: SyncDoorbell
    let now: @Sendable () -> Date

    private struct Opened: Encodable {
        let code: String
        let goodUntil: Instant
    }

    private struct Confirmation: Decodable {
        let into: UUID
        let currentPassword: String?
    }

    private struct Progress: Encodable {
        let state: String
        let goodUntil: Instant
        /// Nil until the other account has agreed.
        let preview: AccountMergePreview?
    }

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.group("me/merge")
            .post(use: open)
            .get(use: progress)
            .delete(use: withdraw)
            .post("confirm", use: confirm)
        routes.group("me/merges")
            .get(":code", use: preview)
            .post(":code", use: agree)
    }

    /// `POST /v1/me/merge`: this account is to end in another one, which gives back the code.
    @Sendable func open(_ request: Request, in context: MemberContext) async throws -> Response {
        try await limits.take(
            .enterMergeCode,
            from: context.origin.source,
            account: context.principal.uid.text
        )
        let (code, now) = (UserCode(), now())
        let goodUntil = now.addingTimeInterval(Self.lifetime)
        try await database.write(as: context.principal) { tx in
            try await tx.openMerge(showing: code.digest(codeKey), at: now, until: goodUntil)
            try tx.record(.accountMergeOpened, by: context.origin, at: now)
        }
        return try JSON.response(Opened(code: code.text, goodUntil: Instant(goodUntil)), status: .created)
    }

    /// `GET /v1/me/merges/{code}`: what would come of it, for the account that stays.
    @Sendable func preview(_ request: Request, in context: MemberContext) async throws -> Response {
        let (code, now) = (try await code(in: context), now())
        let preview = try await database.read(as: context.principal) { tx in
            let stays = try await tx.mergeSide()
            let goes = try await tx.goOver(toAccountShowing: code, at: now)?.mergeSide()
            return goes.map { AccountMergePreview(from: $0, into: stays, at: Instant(now)) }
        }
        guard let preview else { throw Problem.notFound }
        return try JSON.response(preview)
    }

    /// `POST /v1/me/merges/{code}`: the account that stays agrees.
    @Sendable func agree(_ request: Request, in context: MemberContext) async throws -> Response {
        let (code, now) = (try await code(in: context), now())
        let isAgreed = try await database.write(as: context.principal) { tx in
            guard try await tx.agreeToMerge(code, at: now) else { return false }
            try tx.record(.accountMergeAgreed, by: context.origin, at: now)
            return true
        }
        guard isAgreed else { throw Problem.notFound }
        return Response(status: .noContent)
    }

    /// `GET /v1/me/merge`: how far it is, and, once the other has agreed, what would come of it.
    @Sendable func progress(_ request: Request, in context: MemberContext) async throws -> Response {
        let now = now()
        let progress = try await database.read(as: context.principal) { tx -> Progress? in
            guard let goodUntil = try await tx.ownMergeIsGoodUntil(now) else { return nil }
            let goes = try await tx.mergeSide()
            let stays = try await tx.goOverToAccountThatStays(at: now)?.mergeSide()
            return Progress(
                state: stays == nil ? "waiting" : "agreed",
                goodUntil: goodUntil,
                preview: stays.map { AccountMergePreview(from: goes, into: $0, at: Instant(now)) }
            )
        }
        guard let progress else { throw Problem.notFound }
        return try JSON.response(progress)
    }

    /// `DELETE /v1/me/merge`: nothing comes of it, whichever of the two asks.
    @Sendable func withdraw(_ request: Request, in context: MemberContext) async throws -> Response {
        try await database.write(as: context.principal) { try await $0.withdrawMerge() }
        return Response(status: .noContent)
    }

    /// `POST /v1/me/merge/confirm`: this account ends, and the one that is named has what was practised in it.
    @Sendable func confirm(_ request: Request, in context: MemberContext) async throws -> Response {
        let body = try await JSON.decode(Confirmation.self, from: request)
        try await limits.take(
            .enterMergeCode,
            from: context.origin.source,
            account: context.principal.uid.text
        )
        let merged = try await passwords.confirmed(body.currentPassword, as: context.principal, in: database)
        { tx in
            try await tx.merge(into: body.into, by: context.origin, at: now())
        }
        guard let merged else { throw Problem.mergeNotAgreed }
        if let version = merged.syncVersion {
            doorbell.ring(for: Principal(uid: merged.uid), at: version, by: "")
        }
        return try JSON.response(merged.answer)
    }

    private func code(in context: MemberContext) async throws -> [UInt8] {
        try await limits.take(
            .enterMergeCode,
            from: context.origin.source,
            account: context.principal.uid.text
        )
        guard let code = context.parameters.get("code").flatMap(UserCode.init) else { throw Problem.notFound }
        return code.digest(codeKey)
    }
}

extension Problem {
    fileprivate static let mergeNotAgreed = Problem(
        .conflict,
        "merge_not_agreed",
        "That account has not agreed, or the code is over"
    )
}
