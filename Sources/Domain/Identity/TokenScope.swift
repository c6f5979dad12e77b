/// What a personal access token may be allowed to do. A scope that writes does not
/// read: who wants both names both.
///
/// What isn't here, no such token does: signing in and out, devices, tokens, and the
/// record of what happened to the account.
package enum TokenScope: String, CaseIterable, Codable, Sendable {
    case readProfile = "profile:read"
    case writeProfile = "profile:write"
    case readSync = "sync:read"
    case writeSync = "sync:write"
    case readLeaderboards = "leaderboards:read"
    case readFriends = "friends:read"
    case writeFriends = "friends:write"
    case readOrganizations = "organizations:read"
}
