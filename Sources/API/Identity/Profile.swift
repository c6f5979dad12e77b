import Domain

/// The product brief's `UserProfile`, and what this person shows on which board.
struct Profile: Encodable, Sendable {
    struct Privacy: Encodable, Sendable {
        let shareProgress: Bool
        let shareStreaks: Bool
        let allowFriendRequests: Bool
        let hideFromGlobalLeaderboard: Bool
        let friendsOnlyVisible: Bool
        let showDetailedStats: Bool
        let dataRetention: DataRetention
    }

    struct GlobalBoard: Encodable, Sendable {
        let enabled: Bool
        let anonymizedDisplay: Bool
        let statsSharing: StatsSharing
        /// From oneself.
        let hidden: Bool
    }

    struct FriendsBoard: Encodable, Sendable {
        let enabled: Bool
        let autoAcceptFriends: Bool
        let shareDetailedProgress: Bool
        let hidden: Bool
    }

    struct CompanyBoard: Encodable, Sendable {
        let enabled: Bool
        let showRealNames: Bool
        let hidden: Bool
    }

    struct Boards: Encodable, Sendable {
        let global: GlobalBoard
        let friends: FriendsBoard
        let company: CompanyBoard
    }

    let uid: String
    let displayName: String?
    let realName: String?
    let avatarUrl: String?
    let timeZone: String
    let privacy: Privacy
    let leaderboards: Boards
    let tier: Tier
    let features: ProfileFeatures
    let preferredSyncFrequency: SyncFrequency
    let dayStartsAt: DayStart
    let createdAt: Instant
    let lastSyncAt: Instant?
    let totalDevices: Int
}

/// What a `PATCH /v1/me` changes: nil where it says nothing. Null puts a thing
/// back to where it began: no name and no picture, everything off, detail for a year, syncs
/// in real time and days from midnight. A member that isn't known is refused, since a misspelt one must
/// not look like a yes or a no.
struct ProfileChange: Decodable, Sendable {
    struct Privacy: Decodable, Sendable {
        let shareProgress, shareStreaks, allowFriendRequests: Bool?
        let hideFromGlobalLeaderboard, friendsOnlyVisible, showDetailedStats: Bool?
        let dataRetention: DataRetention?

        init(from decoder: any Decoder) throws {
            let members = try Members(
                decoder,
                known: [
                    "shareProgress", "shareStreaks", "allowFriendRequests", "hideFromGlobalLeaderboard",
                    "friendsOnlyVisible", "showDetailedStats", "dataRetention",
                ]
            )
            shareProgress = try members.flag("shareProgress")
            shareStreaks = try members.flag("shareStreaks")
            allowFriendRequests = try members.flag("allowFriendRequests")
            hideFromGlobalLeaderboard = try members.flag("hideFromGlobalLeaderboard")
            friendsOnlyVisible = try members.flag("friendsOnlyVisible")
            showDetailedStats = try members.flag("showDetailedStats")
            dataRetention = try members.value("dataRetention", orWhenNull: .standard)
        }
    }

    struct GlobalBoard: Decodable, Sendable {
        let enabled, anonymizedDisplay, hidden: Bool?
        let statsSharing: StatsSharing?

        init(from decoder: any Decoder) throws {
            let members = try Members(
                decoder,
                known: ["enabled", "anonymizedDisplay", "statsSharing", "hidden"]
            )
            enabled = try members.flag("enabled")
            anonymizedDisplay = try members.flag("anonymizedDisplay")
            statsSharing = try members.value("statsSharing", orWhenNull: .minimal)
            hidden = try members.flag("hidden")
        }
    }

    struct FriendsBoard: Decodable, Sendable {
        let enabled, autoAcceptFriends, shareDetailedProgress, hidden: Bool?

        init(from decoder: any Decoder) throws {
            let members = try Members(
                decoder,
                known: ["enabled", "autoAcceptFriends", "shareDetailedProgress", "hidden"]
            )
            enabled = try members.flag("enabled")
            autoAcceptFriends = try members.flag("autoAcceptFriends")
            shareDetailedProgress = try members.flag("shareDetailedProgress")
            hidden = try members.flag("hidden")
        }
    }

    struct CompanyBoard: Decodable, Sendable {
        let enabled, showRealNames, hidden: Bool?

        init(from decoder: any Decoder) throws {
            let members = try Members(decoder, known: ["enabled", "showRealNames", "hidden"])
            enabled = try members.flag("enabled")
            showRealNames = try members.flag("showRealNames")
            hidden = try members.flag("hidden")
        }
    }

    struct Boards: Decodable, Sendable {
        let global: GlobalBoard?
        let friends: FriendsBoard?
        let company: CompanyBoard?

        init(from decoder: any Decoder) throws {
            let members = try Members(decoder, known: ["global", "friends", "company"])
            global = try members.value("global")
            friends = try members.value("friends")
            company = try members.value("company")
        }
    }

    /// Nil where the body says nothing, `.some(nil)` where it says null.
    let displayName, realName, avatarURL: String??
    let privacy: Privacy?
    let leaderboards: Boards?
    let preferredSyncFrequency: SyncFrequency?
    let dayStartsAt: DayStart?

    init(from decoder: any Decoder) throws {
        let members = try Members(
            decoder,
            known: [
                "displayName", "realName", "avatarUrl", "privacy", "leaderboards", "preferredSyncFrequency",
                "dayStartsAt",
            ]
        )
        displayName = try members.name("displayName", as: DisplayName.self) { $0.text }
        realName = try members.name("realName", as: RealName.self) { $0.text }
        avatarURL = try members.name("avatarUrl", as: AvatarURL.self) { $0.text }
        privacy = try members.value("privacy")
        leaderboards = try members.value("leaderboards")
        preferredSyncFrequency = try members.value("preferredSyncFrequency", orWhenNull: .realtime)
        dayStartsAt = try members.value("dayStartsAt", orWhenNull: .midnight)
    }
}
