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

extension ProfileChange {
    /// What it says of who sees what, and for how long it is kept, for the record; nil where that is nothing.
    fileprivate var sharing: String? {
        let (global, friends, company) = (leaderboards?.global, leaderboards?.friends, leaderboards?.company)
        let said: [(String, Bool?)] = [
            ("shareProgress", privacy?.shareProgress),
            ("shareStreaks", privacy?.shareStreaks),
            ("allowFriendRequests", privacy?.allowFriendRequests),
            ("hideFromGlobalLeaderboard", privacy?.hideFromGlobalLeaderboard),
            ("friendsOnlyVisible", privacy?.friendsOnlyVisible),
            ("showDetailedStats", privacy?.showDetailedStats),
            ("leaderboards.global", global?.enabled),
            ("leaderboards.friends", friends?.enabled),
            ("leaderboards.company", company?.enabled),
            ("anonymizedDisplay", global?.anonymizedDisplay),
            ("autoAcceptFriends", friends?.autoAcceptFriends),
            ("shareDetailedProgress", friends?.shareDetailedProgress),
            ("showRealNames", company?.showRealNames),
        ]
        let words =
            said.compactMap { name, value in value.map { "\(name) \($0 ? "on" : "off")" } }
            + (global?.statsSharing.map { ["statsSharing \($0.rawValue)"] } ?? [])
            + (privacy?.dataRetention.map { ["dataRetention \($0.days)"] } ?? [])
        return words.isEmpty ? nil : words.joined(separator: ", ")
    }
}
