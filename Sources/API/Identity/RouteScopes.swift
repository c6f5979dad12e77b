import Domain
import HTTPTypes

/// What a personal access token needs for each route. A route that isn't here takes none.
enum RouteScopes {
    static let required: [String: TokenScope] = [
        "GET /v1/me": .readProfile,
        "PATCH /v1/me": .writeProfile,
        "GET /v1/features": .readProfile,
        "POST /v1/sync/enable": .writeSync,
        "PUT /v1/sync/export": .writeSync,
        "GET /v1/sync/state": .readSync,
        "POST /v1/sync": .writeSync,
        "GET /v1/sync/sessions": .readSync,
        "GET /v1/sync/sessions/{id}/appeal": .readSync,
        "GET /v1/sync/receipts/{batch}": .readSync,
        "GET /v1/sync/days/{date}": .readSync,
        "GET /v1/sync/events": .readSync,
        "GET /v1/leaderboards": .readLeaderboards,
        "GET /v1/leaderboards/{scope}": .readLeaderboards,
        "GET /v1/leaderboards/{scope}/seasons": .readLeaderboards,
        "GET /v1/leaderboards/{scope}/seasons/{week}": .readLeaderboards,
        "GET /v1/organizations": .readOrganizations,
        "GET /v1/organizations/{organization}": .readOrganizations,
        "GET /v1/friends": .readFriends,
        "PUT /v1/friends/{uid}": .writeFriends,
        "DELETE /v1/friends/{uid}": .writeFriends,
    ]

    /// - Parameter path: as the router has it, with its parameters' names.
    static func scope(of method: HTTPRequest.Method, _ path: String) -> TokenScope? {
        required["\(method.rawValue) \(path)"]
    }
}
