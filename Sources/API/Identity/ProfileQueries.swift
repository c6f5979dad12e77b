import Domain
import Foundation
import PGClient
import Tenancy

extension TenantTransaction {
    func ownProfile() async throws -> Profile {
        guard
            let profile = try await queryFirst(
                """
                select u.display_name, u.avatar_url, coalesce(newest.time_zone, 'UTC'),
                  u.share_progress, u.share_streaks, u.allow_friend_requests,
                  u.global_board, u.friends_board, u.auto_accept_friends, u.share_detailed_progress, u.company_board,
                  u.hide_from_global_leaderboard, u.friends_only_visible, u.show_detailed_stats, u.real_name,
                  u.anonymized_display, u.stats_sharing, u.show_real_name,
                  u.hides_global_board, u.hides_friends_board, u.hides_company_board,
                  u.preferred_sync_frequency, u.day_starts_at, u.created_at, newest.last_taken_at,
                  u.data_retention, g.eligible_at is not null,
                  (select count(*) from app.device d where d.uid = u.uid and d.revoked_at is null)
                from app.user u
                  join app.game_state g on g.uid = u.uid
                  left join lateral (
                    select time_zone, last_taken_at from app.device d
                    where d.uid = u.uid
                    order by last_taken_at desc
                    limit 1
                  ) as newest on true
                where u.uid = \(principal.uid)
                """,
                as: ProfileRow.self
            )
        else { throw Problem.unauthorized }
        return profile.profile(of: principal.uid)
    }

    func changeProfile(_ change: ProfileChange) async throws {
        let boards = change.leaderboards
        try await execute(
            """
            update app.user set
              display_name = case when \(change.displayName != nil) then \(change.displayName ?? nil) else display_name end,
              avatar_url = case when \(change.avatarURL != nil) then \(change.avatarURL ?? nil) else avatar_url end,
              share_progress = coalesce(\(change.privacy?.shareProgress), share_progress),
              share_streaks = coalesce(\(change.privacy?.shareStreaks), share_streaks),
              allow_friend_requests = coalesce(\(change.privacy?.allowFriendRequests), allow_friend_requests),
              global_board = coalesce(\(boards?.global?.enabled), global_board),
              friends_board = coalesce(\(boards?.friends?.enabled), friends_board),
              auto_accept_friends = coalesce(\(boards?.friends?.autoAcceptFriends), auto_accept_friends),
              share_detailed_progress = coalesce(\(boards?.friends?.shareDetailedProgress), share_detailed_progress),
              company_board = coalesce(\(boards?.company?.enabled), company_board),
              hide_from_global_leaderboard = coalesce(\(change.privacy?.hideFromGlobalLeaderboard), hide_from_global_leaderboard),
              friends_only_visible = coalesce(\(change.privacy?.friendsOnlyVisible), friends_only_visible),
              show_detailed_stats = coalesce(\(change.privacy?.showDetailedStats), show_detailed_stats),
              real_name = case when \(change.realName != nil) then \(change.realName ?? nil) else real_name end,
              anonymized_display = coalesce(\(boards?.global?.anonymizedDisplay), anonymized_display),
              stats_sharing = coalesce(\(boards?.global?.statsSharing), stats_sharing),
              show_real_name = coalesce(\(boards?.company?.showRealNames), show_real_name),
              hides_global_board = coalesce(\(boards?.global?.hidden), hides_global_board),
              hides_friends_board = coalesce(\(boards?.friends?.hidden), hides_friends_board),
              hides_company_board = coalesce(\(boards?.company?.hidden), hides_company_board),
              preferred_sync_frequency = coalesce(\(change.preferredSyncFrequency), preferred_sync_frequency),
              day_starts_at = coalesce(\(change.dayStartsAt), day_starts_at),
              data_retention = coalesce(\(change.privacy?.dataRetention), data_retention)
            where uid = \(principal.uid)
            """
        )
    }
}

private struct ProfileRow: PGRow {
    let displayName: String?
    let avatarURL: String?
    let timeZone: String
    let shareProgress, shareStreaks, allowFriendRequests: Bool
    let global, friends, autoAcceptFriends, shareDetailedProgress, company: Bool
    let hideFromGlobalLeaderboard, friendsOnlyVisible, showDetailedStats: Bool
    let realName: String?
    let anonymizedDisplay: Bool
    let statsSharing: StatsSharing
    let showRealName: Bool
    let hidesGlobal, hidesFriends, hidesCompany: Bool
    let preferredSyncFrequency: SyncFrequency
    let dayStartsAt: DayStart
    let createdAt: Instant
    let lastSyncAt: Instant?
    let dataRetention: DataRetention
    let isSyncEnabled: Bool
    let devices: Int

    init(from row: inout PGRowReader) throws {
        displayName = try row.next()
        avatarURL = try row.next()
        timeZone = try row.next()
        shareProgress = try row.next()
        shareStreaks = try row.next()
        allowFriendRequests = try row.next()
        global = try row.next()
        friends = try row.next()
        autoAcceptFriends = try row.next()
        shareDetailedProgress = try row.next()
        company = try row.next()
        hideFromGlobalLeaderboard = try row.next()
        friendsOnlyVisible = try row.next()
        showDetailedStats = try row.next()
        realName = try row.next()
        anonymizedDisplay = try row.next()
        statsSharing = try row.next()
        showRealName = try row.next()
        hidesGlobal = try row.next()
        hidesFriends = try row.next()
        hidesCompany = try row.next()
        preferredSyncFrequency = try row.next()
        dayStartsAt = try row.next()
        createdAt = try row.next()
        lastSyncAt = try row.next()
        dataRetention = try row.next()
        isSyncEnabled = try row.next()
        devices = try row.next()
    }

    func profile(of uid: UUID) -> Profile {
        Profile(
            uid: uid.text,
            displayName: displayName,
            realName: realName,
            avatarUrl: avatarURL,
            timeZone: timeZone,
            privacy: .init(
                shareProgress: shareProgress,
                shareStreaks: shareStreaks,
                allowFriendRequests: allowFriendRequests,
                hideFromGlobalLeaderboard: hideFromGlobalLeaderboard,
                friendsOnlyVisible: friendsOnlyVisible,
                showDetailedStats: showDetailedStats,
                dataRetention: dataRetention
            ),
            leaderboards: .init(
                global: .init(
                    enabled: global,
                    anonymizedDisplay: anonymizedDisplay,
                    statsSharing: statsSharing,
                    hidden: hidesGlobal
                ),
                friends: .init(
                    enabled: friends,
                    autoAcceptFriends: autoAcceptFriends,
                    shareDetailedProgress: shareDetailedProgress,
                    hidden: hidesFriends
                ),
                company: .init(enabled: company, showRealNames: showRealName, hidden: hidesCompany)
            ),
            // There are no plans yet: everybody is free.
            tier: .free,
            features: ProfileFeatures(tier: .free, isSyncEnabled: isSyncEnabled),
            preferredSyncFrequency: preferredSyncFrequency,
            dayStartsAt: dayStartsAt,
            createdAt: createdAt,
            lastSyncAt: lastSyncAt,
            totalDevices: devices
        )
    }
}
