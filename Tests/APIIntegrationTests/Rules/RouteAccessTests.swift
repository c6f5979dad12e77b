import Domain
import Foundation
import HTTPTypes
import Hummingbird
import Testing

@testable import API

/// Every route there is × who may use it. A new route without its row fails.
struct RouteAccessTests {
    /// Who reaches a route: everybody, or people with a token; and, where an
    /// organization is in the path, its members alone.
    private enum Access {
        case everybody
        case people
        case members
        /// Programs with an organization's key, and no person.
        case keys
    }

    private static let access: [String: Access] = [
        "GET /health/live": .everybody,
        "GET /health/ready": .everybody,
        "GET /.well-known/jwks.json": .everybody,
        "GET /openapi.yaml": .everybody,
        "GET /docs": .everybody,
        "POST /v1/auth/anonymous": .everybody,
        "POST /v1/auth/refresh": .everybody,
        "POST /v1/auth/register": .everybody,
        "POST /v1/auth/sign-in": .everybody,
        "POST /v1/auth/password/forgotten": .everybody,
        "POST /v1/auth/password/reset": .everybody,
        "POST /v1/auth/recover": .everybody,
        "POST /v1/auth/google": .everybody,
        "POST /v1/auth/google/nonce": .everybody,
        "POST /v1/auth/device": .everybody,
        "POST /v1/auth/device/token": .everybody,
        "GET /device": .everybody,
        "POST /device": .everybody,
        "POST /device/answer": .everybody,
        "POST /device/google": .everybody,
        "GET /sign-in/google": .everybody,
        "GET /email": .everybody,
        "POST /email": .everybody,
        "GET /password": .everybody,
        "POST /password": .everybody,
        "POST /v1/auth/sign-out": .people,
        "POST /v1/auth/sign-out-everywhere": .people,
        "GET /v1/me": .people,
        "PATCH /v1/me": .people,
        "DELETE /v1/me": .people,
        "GET /v1/me/export": .people,
        "GET /v1/me/tokens": .people,
        "POST /v1/me/tokens": .people,
        "DELETE /v1/me/tokens/{token}": .people,
        "GET /v1/me/audit-events": .people,
        "PUT /v1/me/password": .people,
        "GET /v1/me/device-requests/{code}": .people,
        "POST /v1/me/device-requests/{code}": .people,
        "DELETE /v1/me/device-requests/{code}": .people,
        "POST /v1/me/recovery-code": .people,
        "GET /v1/me/identities": .people,
        "POST /v1/me/identities/google": .people,
        "DELETE /v1/me/identities/google": .people,
        "POST /v1/me/merge": .people,
        "GET /v1/me/merge": .people,
        "DELETE /v1/me/merge": .people,
        "POST /v1/me/merge/confirm": .people,
        "GET /v1/me/merges/{code}": .people,
        "POST /v1/me/merges/{code}": .people,
        "GET /v1/me/emails": .people,
        "POST /v1/me/emails": .people,
        "POST /v1/me/emails/verify": .people,
        "POST /v1/me/emails/remove": .people,
        "GET /v1/features": .people,
        "GET /v1/devices": .people,
        "PATCH /v1/devices/{device}": .people,
        "DELETE /v1/devices/{device}": .people,
        "POST /v1/sync/eligibility": .everybody,
        "POST /v1/sync/enable": .people,
        "PUT /v1/sync/export": .people,
        "GET /v1/sync/state": .people,
        "POST /v1/sync": .people,
        "POST /v1/sync/reset": .people,
        "GET /v1/sync/sessions": .people,
        "GET /v1/sync/sessions/{id}/appeal": .people,
        "POST /v1/sync/sessions/{id}/appeal": .people,
        "GET /v1/sync/receipts/{batch}": .people,
        "GET /v1/sync/days/{date}": .people,
        "GET /v1/sync/events": .people,
        "GET /v1/leaderboards": .people,
        "GET /v1/leaderboards/{scope}": .people,
        "GET /v1/leaderboards/{scope}/seasons": .people,
        "GET /v1/leaderboards/{scope}/seasons/{week}": .people,
        "GET /v1/organizations": .people,
        "POST /v1/organizations": .people,
        "GET /v1/organizations/{organization}": .members,
        "PATCH /v1/organizations/{organization}": .members,
        "GET /v1/organizations/{organization}/members": .members,
        "PATCH /v1/organizations/{organization}/members/{uid}": .members,
        "DELETE /v1/organizations/{organization}/members/{uid}": .members,
        "PUT /v1/organizations/{organization}/ownership": .members,
        "DELETE /v1/organizations/{organization}/ownership": .members,
        "POST /v1/organizations/{organization}/ownership/accept": .members,
        "GET /v1/organizations/{organization}/audit": .members,
        "GET /v1/organizations/{organization}/overview": .members,
        "PUT /v1/organizations/{organization}/deletion": .members,
        "DELETE /v1/organizations/{organization}/deletion": .members,
        "GET /v1/organizations/suggestions": .people,
        "GET /v1/organizations/{organization}/preview": .members,
        "GET /v1/organizations/{organization}/invitations": .members,
        "POST /v1/organizations/{organization}/invitations": .members,
        "DELETE /v1/organizations/{organization}/invitations/{invitation}": .members,
        "GET /v1/organizations/{organization}/teams": .members,
        "POST /v1/organizations/{organization}/teams": .members,
        "PATCH /v1/organizations/{organization}/teams/{team}": .members,
        "DELETE /v1/organizations/{organization}/teams/{team}": .members,
        "GET /v1/organizations/{organization}/teams/{team}/members": .members,
        "PUT /v1/organizations/{organization}/teams/{team}/members/{uid}": .members,
        "DELETE /v1/organizations/{organization}/teams/{team}/members/{uid}": .members,
        "GET /v1/organizations/{organization}/domains": .members,
        "POST /v1/organizations/{organization}/domains": .members,
        "POST /v1/organizations/{organization}/domains/{domain}/prove": .members,
        "DELETE /v1/organizations/{organization}/domains/{domain}": .members,
        "PUT /v1/organizations/{organization}/membership": .members,
        "DELETE /v1/organizations/{organization}/membership": .members,
        "GET /v1/organizations/{organization}/keys": .members,
        "POST /v1/organizations/{organization}/keys": .members,
        "DELETE /v1/organizations/{organization}/keys/{key}": .members,
        "GET /v1/friends": .people,
        "POST /v1/friends": .people,
        "GET /v1/friends/code": .people,
        "POST /v1/friends/code": .people,
        "DELETE /v1/friends/code": .people,
        "GET /v1/friends/blocks": .people,
        "PUT /v1/friends/blocks/{uid}": .people,
        "DELETE /v1/friends/blocks/{uid}": .people,
        "PUT /v1/friends/{uid}": .people,
        "DELETE /v1/friends/{uid}": .people,
        "GET /scim/v2/ServiceProviderConfig": .everybody,
        "GET /scim/v2/ResourceTypes": .everybody,
        "GET /scim/v2/ResourceTypes/{id}": .everybody,
        "GET /scim/v2/Schemas": .everybody,
        "GET /scim/v2/Schemas/{id}": .everybody,
        "POST /scim/v2/.search": .keys,
        "GET /scim/v2/Users": .keys,
        "POST /scim/v2/Users": .keys,
        "POST /scim/v2/Users/.search": .keys,
        "GET /scim/v2/Users/{id}": .keys,
        "PUT /scim/v2/Users/{id}": .keys,
        "PATCH /scim/v2/Users/{id}": .keys,
        "DELETE /scim/v2/Users/{id}": .keys,
        "GET /scim/v2/Groups": .keys,
        "POST /scim/v2/Groups": .keys,
        "POST /scim/v2/Groups/.search": .keys,
        "GET /scim/v2/Groups/{id}": .keys,
        "PUT /scim/v2/Groups/{id}": .keys,
        "PATCH /scim/v2/Groups/{id}": .keys,
        "DELETE /scim/v2/Groups/{id}": .keys,
    ]

    @Test func `every route has its row here`() async throws {
        let routes = try await TestServer().server.router().routes.map { "\($0.method.rawValue) \($0.path)" }
        #expect(Set(routes) == Set(Self.access.keys))
    }

    @Test func `every route is in openapi.yaml, and nothing else is`() async throws {
        let root = URL(filePath: #filePath).appending(path: "../../../..").standardized
        var path = ""
        var described: Set<String> = []
        for line in try String(contentsOf: root.appending(path: "openapi.yaml"), encoding: .utf8).split(
            separator: "\n"
        ) {
            if line.hasPrefix("components:") { break }
            if line.hasPrefix("  /"), line.hasSuffix(":") {
                path = String(line.dropFirst(2).dropLast())
            } else if let method = ["get", "put", "post", "patch", "delete"].first(where: {
                line == "    \($0):"
            }) {
                described.insert("\(method.uppercased()) \(path)")
            }
        }
        #expect(described == Set(Self.access.keys))
    }

    @Test func `nobody gets past a token, and a stranger past a membership`() async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (admin, owner) = try await nobody.practitioner("Admin", at: clock.now)
            let acme = try await server.company("Acme", owner: owner)
            let (stranger, _) = try await nobody.newcomer()
            let (otherAdmin, otherOwner) = try await nobody.newcomer()
            _ = try await server.company("Umbrella", owner: otherOwner)

            let directory = try await admin.directory(of: acme.id)
            for (route, access) in Self.access where access != .everybody {
                let (method, path) = try Self.request(route, organization: acme.id)
                #expect(try await nobody.send(method, path).status == 401, "\(route)")
                if access == .keys {
                    #expect(try await admin.send(method, path).status == 401, "\(route)")
                    #expect(![401, 403].contains(try await directory.send(method, path).status), "\(route)")
                } else {
                    #expect(try await directory.send(method, path).status == 403, "\(route)")
                }
                guard access == .members else { continue }
                // Good ones, or the answer would be about the body.
                let body = Self.bodies[route] ?? (method == .patch ? [:] : nil)
                #expect(try await stranger.send(method, path, body).status == 404, "\(route)")
                #expect(try await otherAdmin.send(method, path, body).status == 404, "\(route)")
            }
            // The membership itself is reachable, or the 404s above would say nothing.
            #expect(try await admin.send(.get, "/v1/organizations/\(acme.id)").status == 200)
        }
    }

    @Test func `a program's token opens what its scope says, and no route that doesn't name one`()
        async throws
    {
        let keys = Self.access.filter { $0.value == .keys }.keys
        #expect(Set(RouteScopes.requiredOfKeys.keys) == Set(keys))
        let declared = RouteScopes.required.keys
        #expect(Set(declared).isSubset(of: Self.access.keys))
        // What would let a program make itself at home.
        for path in [
            "/v1/auth", "/v1/me/tokens", "/v1/me/password", "/v1/me/recovery-code", "/v1/me/device-requests",
            "/v1/me/identities", "/v1/me/merge",
            "/v1/me/export", "DELETE /v1/me",
            "/v1/me/audit-events",
            "/v1/devices", "/v1/friends/code",
        ] {
            #expect(declared.allSatisfy { !$0.contains(path) }, "\(path)")
        }
        let clock = TestClock()
        try await TestServer(clock: clock).run { nobody in
            let (person, _) = try await nobody.practitioner("Person", at: clock.now)
            let everything = TokenScope.allCases
            let program = try await person.program(everything.map(\.rawValue), at: clock.now)
            var without: [TokenScope: Client] = [:]
            for scope in everything {
                let others = everything.filter { $0 != scope }.map(\.rawValue)
                without[scope] = try await person.program(others, at: clock.now)
            }
            for (route, access) in Self.access where access != .everybody {
                let (method, path) = try Self.request(route, organization: UUID().uuidString)
                guard let scope = RouteScopes.required[route] else {
                    let refused = try await program.send(method, path)
                    #expect(refused.status == 403, "\(route)")
                    guard access != .keys else { continue }
                    #expect(refused.json["code"] as? String == "token_not_accepted", "\(route)")
                    continue
                }
                // Where a body is needed, it is looked at before the database is asked.
                let refused = try await #require(without[scope]).send(method, path)
                #expect([400, 403, 422].contains(refused.status), "\(route)")
                if refused.status == 403 {
                    #expect(refused.json["code"] as? String == "insufficient_scope", "\(route)")
                    #expect(
                        refused.headers[.wwwAuthenticate]?.contains("scope=\"\(scope.rawValue)\"") == true
                    )
                } else {
                    #expect(method != .get && method != .delete, "\(route)")
                }
                // A stream would never end here.
                guard route != "GET /v1/sync/events" else { continue }
                #expect(![401, 403].contains(try await program.send(method, path).status), "\(route)")
            }
        }
    }

    @Test func `what is answered in JSON stays nowhere on the way, unless it is asked for again by its tag`()
        async throws
    {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (admin, owner) = try await nobody.practitioner("Admin", at: clock.now)
            let acme = try await server.company("Acme", owner: owner)
            let directory = try await admin.directory(of: acme.id)
            var refused: [String] = []
            // A stream would never end here, and is no JSON.
            for (route, access) in Self.access where route.hasPrefix("GET ") && route != "GET /v1/sync/events"
            {
                let (_, path) = try Self.request(route, organization: acme.id)
                let token = try #require(access == .keys ? directory.token : admin.token)
                let answer = try await nobody.look(path, headers: [.authorization: "Bearer \(token)"])
                guard answer.headers[.contentType]?.contains("json") == true else { continue }
                let isTagged = answer.headers[.eTag] != nil
                #expect(answer.headers[.cacheControl] == (isTagged ? "no-cache" : "no-store"), "\(route)")
                if answer.status != 200 { refused.append(route) }
            }
            // What a path names by chance isn't there; of the rest, these wait for somebody to begin.
            let begun = ["/v1/me/merge", "/v1/friends/code", "/v1/organizations/{organization}/preview"]
            let missing = refused.filter { !Self.namesSomething($0) }
            #expect(Set(missing) == Set(begun.map { "GET \($0)" }))
        }
    }

    private static func namesSomething(_ route: String) -> Bool {
        route.replacing("{organization}", with: "").replacing("{scope}", with: "").contains("{")
    }

    private static var bodies: [String: [String: Any]] {
        [
            "PATCH /v1/organizations/{organization}/members/{uid}": ["role": "admin"],
            "PUT /v1/organizations/{organization}/ownership": ["uid": UUID().uuidString],
            "PUT /v1/organizations/{organization}/membership": ["agreement": "nothing"],
            "POST /v1/organizations/{organization}/invitations": ["address": "someone@acme.example"],
            "POST /v1/organizations/{organization}/domains": ["domain": "acme.example"],
            "POST /v1/organizations/{organization}/teams": ["name": "A team"],
            "PATCH /v1/organizations/{organization}/teams/{team}": ["name": "A team"],
            "POST /v1/organizations/{organization}/keys": ["name": "A key", "scopes": ["scim"]],
        ]
    }

    private static func request(_ route: String, organization: String) throws -> (HTTPRequest.Method, String)
    {
        let parts = route.split(separator: " ").map(String.init)
        let path = parts[1]
            .replacing("{scope}", with: "global")
            .replacing("{organization}", with: organization)
            .replacing("{invitation}", with: UUID().uuidString)
            .replacing("{domain}", with: "acme.example")
            .replacing("{uid}", with: UUID().uuidString)
            .replacing("{team}", with: UUID().uuidString)
            .replacing("{batch}", with: UUID().uuidString)
            .replacing("{key}", with: UUID().uuidString)
            .replacing("{token}", with: UUID().uuidString)
            .replacing("{device}", with: "laptop")
            .replacing("{week}", with: "2026-W10")
            .replacing("{date}", with: "2026-03-06")
            .replacing("{id}/appeal", with: "s1/appeal?deviceId=laptop")
            .replacing("{id}", with: UUID().uuidString)
        return (try #require(HTTPRequest.Method(parts[0])), path)
    }
}
