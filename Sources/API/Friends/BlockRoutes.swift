import Domain
import Foundation
import Hummingbird
import Tenancy

/// `/v1/friends/blocks`: people whom somebody wants to see no more, and who see no more of them.
struct BlockRoutes: Sendable {
    let database: TenantDatabase

    /// No name: whoever is blocked need not have shown theirs.
    struct Block: Encodable, Sendable {
        let uid: String
        let since: Instant
    }

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.group("friends/blocks")
            .get(use: blocks)
            .put(":uid", use: block)
            .delete(":uid", use: unblock)
    }

    /// `GET /v1/friends/blocks`: one's own, the newest first.
    @Sendable func blocks(_ request: Request, in context: MemberContext) async throws -> Response {
        let blocks = try await database.read(as: context.principal) { tx in
            try await tx.ownBlocks()
        }
        return try JSON.response(["blocks": blocks])
    }

    /// `PUT /v1/friends/blocks/{uid}`: nobody is told, and the answer is the same for who doesn't exist.
    @Sendable func block(_ request: Request, in context: MemberContext) async throws -> Response {
        let other = try context.parameters.id("uid")
        try await database.write(as: context.principal) { tx in
            try await tx.block(other)
        }
        return Response(status: .noContent)
    }

    /// `DELETE /v1/friends/blocks/{uid}`: they can meet again; the friendship doesn't come back by itself.
    @Sendable func unblock(_ request: Request, in context: MemberContext) async throws -> Response {
        let other = try context.parameters.id("uid")
        try await database.write(as: context.principal) { tx in
            try await tx.unblock(other)
        }
        return Response(status: .noContent)
    }
}
