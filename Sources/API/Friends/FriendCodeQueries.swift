import Domain
import Foundation
import PGClient
import Tenancy

/// A person's code as the database has it.
struct FriendCodeRow: PGRow {
    let seed: UUID
    let digest: [UInt8]
    let madeAt, expiresAt: Instant

    init(from row: inout PGRowReader) throws {
        seed = try row.next()
        digest = try row.next()
        madeAt = try row.next()
        expiresAt = try row.next()
    }
}

/// What came of a code that somebody gave.
enum Redemption: Sendable {
    case found(FriendRoutes.Standing)
    case nothing
    /// Too many were given; the seconds to wait.
    case tooMany(Int)
}

extension TenantTransaction {
    /// Nil where there is none, or it is over.
    func ownFriendCode() async throws -> FriendCodeRow? {
        try await queryFirst(
            """
            select seed, digest, made_at, made_at + interval '30 days'
            from app.friend_code
            where uid = \(principal.uid) and made_at > now() - interval '30 days'
            """
        )
    }

    /// Takes the place of the one before.
    func makeFriendCode(seed: UUID, digest: [UInt8]) async throws -> FriendCodeRow? {
        try await queryFirst(
            """
            insert into app.friend_code (uid, seed, digest) values (\(principal.uid), \(seed), \(digest))
            on conflict (uid) do update
              set (seed, digest, made_at) = (excluded.seed, excluded.digest, excluded.made_at)
            returning seed, digest, made_at, made_at + interval '30 days'
            """
        )
    }

    func takeFriendCodeBack() async throws {
        try await execute("delete from app.friend_code where uid = \(principal.uid)")
    }

    /// Counts the attempt, whatever comes of it, unless the transaction fails.
    func redeemFriendCode(_ digest: [UInt8]) async throws -> Redemption {
        let (friend, state, wait) = try await queryOne(
            "select friend, state, retry_after from app.redeem_friend_code(\(digest))",
            as: (UUID?, String?, Int?).self
        )
        if let wait { return .tooMany(wait) }
        guard let friend, let state else { return .nothing }
        return .found(FriendRoutes.Standing(uid: friend.text, state: state))
    }
}
