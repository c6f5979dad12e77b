import Domain
import Foundation
import Hummingbird
import Tenancy

/// `/v1/me`: what a person says about themself, and what they agreed to show.
struct ProfileRoutes: Sendable {
    let database: TenantDatabase
    let now: @Sendable () -> Date

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

    /// `PATCH /v1/me`: changes what is named, leaves what is not (RFC 7396). A change of sharing is on every board in the same transaction.
    @Sendable func changeProfile(_ request: Request, in context: MemberContext) async throws -> Response {
        let change = try await JSON.decode(ProfileChange.self, from: request)
        let profile = try await database.write(as: context.principal) { tx in
            try await tx.changeProfile(change)
            let profile = try await tx.ownProfile()
            if let sharing = change.sharing {
                try tx.record(.privacyChanged, sharing, by: context.origin, at: now())
            }
            return profile
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

    struct FriendsBoard: Encodable, Sendable {
        let enabled: Bool
        let autoAcceptFriends: Bool
        let shareDetailedProgress: Bool
    }

    struct Boards: Encodable, Sendable {
        let global: Board
        let friends: FriendsBoard
        let company: Board
    }

    let uid: String
    let displayName: String?
    let avatarUrl: String?
    let timeZone: String
    let privacy: Privacy
    let leaderboards: Boards
    let preferredSyncFrequency: SyncFrequency
    let dayStartsAt: DayStart
    let createdAt: Instant
    let lastSyncAt: Instant?
    let totalDevices: Int
}

/// What a `PATCH /v1/me` changes: nil where it says nothing. Null puts a thing
/// back to where it began: no name, everything off, syncs in real time and days
/// from midnight. A member that isn't known is refused, since a misspelt one must
/// not look like a yes or a no.
struct ProfileChange: Decodable, Sendable {
    struct Privacy: Decodable, Sendable {
        let shareProgress, shareStreaks, allowFriendRequests: Bool?

        init(from decoder: any Decoder) throws {
            let members = try Members(
                decoder,
                known: ["shareProgress", "shareStreaks", "allowFriendRequests"]
            )
            shareProgress = try members.flag("shareProgress")
            shareStreaks = try members.flag("shareStreaks")
            allowFriendRequests = try members.flag("allowFriendRequests")
        }
    }

    struct Board: Decodable, Sendable {
        let enabled: Bool?

        init(from decoder: any Decoder) throws {
            enabled = try Members(decoder, known: ["enabled"]).flag("enabled")
        }
    }

    struct FriendsBoard: Decodable, Sendable {
        let enabled, autoAcceptFriends, shareDetailedProgress: Bool?

        init(from decoder: any Decoder) throws {
            let members = try Members(
                decoder,
                known: ["enabled", "autoAcceptFriends", "shareDetailedProgress"]
            )
            enabled = try members.flag("enabled")
            autoAcceptFriends = try members.flag("autoAcceptFriends")
            shareDetailedProgress = try members.flag("shareDetailedProgress")
        }
    }

    struct Boards: Decodable, Sendable {
        let global, company: Board?
        let friends: FriendsBoard?

        init(from decoder: any Decoder) throws {
            let members = try Members(decoder, known: ["global", "friends", "company"])
            global = try members.value("global")
            friends = try members.value("friends")
            company = try members.value("company")
        }
    }

    /// Nil where the body says nothing, `.some(nil)` where it says null.
    let displayName: String??
    let privacy: Privacy?
    let leaderboards: Boards?
    let preferredSyncFrequency: SyncFrequency?
    let dayStartsAt: DayStart?

    init(from decoder: any Decoder) throws {
        let members = try Members(
            decoder,
            known: ["displayName", "privacy", "leaderboards", "preferredSyncFrequency", "dayStartsAt"]
        )
        displayName =
            members.has("displayName")
            ? .some(try members.value("displayName", as: DisplayName.self)?.text) : nil
        privacy = try members.value("privacy")
        leaderboards = try members.value("leaderboards")
        preferredSyncFrequency = try members.value("preferredSyncFrequency", orWhenNull: .realtime)
        dayStartsAt = try members.value("dayStartsAt", orWhenNull: .midnight)
    }
}

extension ProfileChange {
    /// What it says of who sees what, for the record; nil where that is nothing.
    fileprivate var sharing: String? {
        let said: [(String, Bool?)] = [
            ("shareProgress", privacy?.shareProgress),
            ("shareStreaks", privacy?.shareStreaks),
            ("allowFriendRequests", privacy?.allowFriendRequests),
            ("leaderboards.global", leaderboards?.global?.enabled),
            ("leaderboards.friends", leaderboards?.friends?.enabled),
            ("leaderboards.company", leaderboards?.company?.enabled),
            ("autoAcceptFriends", leaderboards?.friends?.autoAcceptFriends),
            ("shareDetailedProgress", leaderboards?.friends?.shareDetailedProgress),
        ]
        let words = said.compactMap { name, value in value.map { "\(name) \($0 ? "on" : "off")" } }
        return words.isEmpty ? nil : words.joined(separator: ", ")
    }
}

/// The members of a JSON object, none of which is unknown.
private struct Members {
    private let container: KeyedDecodingContainer<Name>

    init(_ decoder: any Decoder, known: Set<String>) throws {
        container = try decoder.container(keyedBy: Name.self)
        if let unknown = container.allKeys.first(where: { !known.contains($0.stringValue) }) {
            throw DecodingError.dataCorruptedError(
                forKey: unknown,
                in: container,
                debugDescription: "is not a member that can be changed"
            )
        }
    }

    func has(_ name: String) -> Bool {
        container.contains(Name(stringValue: name))
    }

    func value<Value: Decodable>(_ name: String, as: Value.Type = Value.self) throws -> Value? {
        try container.decodeIfPresent(Value.self, forKey: Name(stringValue: name))
    }

    /// Nil where it isn't there.
    func value<Value: Decodable>(_ name: String, orWhenNull initial: Value) throws -> Value? {
        has(name) ? try value(name) ?? initial : nil
    }

    func flag(_ name: String) throws -> Bool? {
        try value(name, orWhenNull: false)
    }

    private struct Name: CodingKey {
        let stringValue: String
        let intValue: Int? = nil

        init(stringValue: String) {
            self.stringValue = stringValue
        }

        init?(intValue: Int) {
            return nil
        }
    }
}
