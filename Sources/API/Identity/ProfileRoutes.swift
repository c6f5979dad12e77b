import Domain
import Foundation
import Hummingbird
import Tenancy

/// `/v1/me`: what a person says about themself, and what they agreed to show.
struct ProfileRoutes: Sendable {
    let database: TenantDatabase

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.group("me")
            .get(use: profile)
            .patch(use: changeProfile)
    }

    /// `GET /v1/me`
    @Sendable func profile(_ request: Request, in context: MemberContext) async throws -> Response {
        let profile = try await database.read(as: context.principal) { tx in
            try await tx.ownProfile()
        }
        return try JSON.response(profile)
    }

    /// `PATCH /v1/me`: changes what is named, leaves what is not (RFC 7396: null
    /// removes). A change of sharing is on every board in the same transaction.
    @Sendable func changeProfile(_ request: Request, in context: MemberContext) async throws -> Response {
        let change = try await JSON.decode(ProfileChange.self, from: request)
        let profile = try await database.write(as: context.principal) { tx in
            try await tx.changeProfile(change)
            return try await tx.ownProfile()
        }
        return try JSON.response(profile)
    }
}

/// The product brief's `UserProfile`, and the boards this person agreed to be on.
struct Profile: Encodable, Sendable {
    struct Privacy: Encodable, Sendable {
        let shareProgress: Bool
        let shareStreaks: Bool
        let allowFriendRequests: Bool
    }

    struct Board: Encodable, Sendable {
        let enabled: Bool
    }

    struct Boards: Encodable, Sendable {
        let global: Board
        let friends: Board
        let company: Board
    }

    let uid: String
    let displayName: String?
    let avatarUrl: String?
    let timeZone: String
    let privacy: Privacy
    let leaderboards: Boards
    let createdAt: Instant
    let lastSyncAt: Instant?
    let totalDevices: Int
}

struct ProfileChange: Decodable, Sendable {
    struct Privacy: Decodable, Sendable {
        let shareProgress: Bool?
        let shareStreaks: Bool?
        let allowFriendRequests: Bool?
    }

    struct Board: Decodable, Sendable {
        let enabled: Bool?
    }

    struct Boards: Decodable, Sendable {
        let global: Board?
        let friends: Board?
        let company: Board?
    }

    /// Nil where the body says nothing, `.some(nil)` where it says null.
    let displayName: String??
    let privacy: Privacy?
    let leaderboards: Boards?

    private enum CodingKeys: String, CodingKey {
        case displayName, privacy, leaderboards
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        displayName =
            container.contains(.displayName)
            ? .some(try Self.name(in: container)) : nil
        privacy = try container.decodeIfPresent(Privacy.self, forKey: .privacy)
        leaderboards = try container.decodeIfPresent(Boards.self, forKey: .leaderboards)
    }

    private static func name(in container: KeyedDecodingContainer<CodingKeys>) throws -> String? {
        guard let text = try container.decodeIfPresent(String.self, forKey: .displayName) else { return nil }
        guard let name = DisplayName(text) else {
            throw DecodingError.dataCorruptedError(
                forKey: .displayName,
                in: container,
                debugDescription: "must have 1 to 40 visible characters"
            )
        }
        return name.text
    }
}
