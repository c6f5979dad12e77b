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

    /// What an organization's key needs for each route: one of these. A route that isn't here takes none.
    static let requiredOfKeys: [String: [KeyScope]] = [
        "POST /scim/v2/.search": [.scim, .readScim],
        "GET /scim/v2/Users": [.scim, .readScim],
        "POST /scim/v2/Users": [.scim],
        "POST /scim/v2/Users/.search": [.scim, .readScim],
        "GET /scim/v2/Users/{id}": [.scim, .readScim],
        "PUT /scim/v2/Users/{id}": [.scim],
        "PATCH /scim/v2/Users/{id}": [.scim],
        "DELETE /scim/v2/Users/{id}": [.scim],
        "GET /scim/v2/Groups": [.scim, .readScim],
        "POST /scim/v2/Groups": [.scim],
        "POST /scim/v2/Groups/.search": [.scim, .readScim],
        "GET /scim/v2/Groups/{id}": [.scim, .readScim],
        "PUT /scim/v2/Groups/{id}": [.scim],
        "PATCH /scim/v2/Groups/{id}": [.scim],
        "DELETE /scim/v2/Groups/{id}": [.scim],
    ]

    /// - Parameter path: as for ``scope(of:_:)``.
    static func keyScopes(of method: HTTPRequest.Method, _ path: String) -> [KeyScope]? {
        requiredOfKeys["\(method.rawValue) \(path)"]
    }
}
