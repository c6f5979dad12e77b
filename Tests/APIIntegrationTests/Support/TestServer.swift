import Crypto
import Domain
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import PGClient
import Synchronization
import Testing

@testable import API

/// The server on a real Postgres: one freshly migrated database for the whole
/// run, in which every test makes its own people.
struct TestServer {
    /// Migrated once, and copied for those who want one to themselves.
    private static let template = Task {
        let superuser = try #require(
            ProcessInfo.processInfo.environment["TEST_DATABASE_URL"],
            "TEST_DATABASE_URL must name a server and its superuser; `make test` sets it"
        )
        return (superuser, try await makeDatabase(on: superuser, name: "\(databaseName)_template"))
    }

    private static let shared = Task { try await copy(named: databaseName) }

    private static let databaseName = "breathmaster_swift_\(ProcessInfo.processInfo.processIdentifier)"

    private static func copy(named name: String) async throws -> (api: String, superuser: String) {
        let (administrator, _) = try await template.value
        let administration = patientPool(administrator)
        try await administration.execute(
            "create database \(identifier: name) template \(identifier: databaseName + "_template")"
        )
        await administration.close()
        return try urls(of: name, on: administrator)
    }

    let server: Server

    /// The database, as the API's role and as its superuser.
    let database, superuser: String

    /// What is between the server and its database, where a test wants to hear what they say.
    let proxy: Proxy?

    /// What it signs with at first.
    let keys: KeyRing

    /// Where its clients come from, which nobody else does: what one test does too often, others may do.
    let address = Self.anyAddress()

    static func anyAddress() -> String {
        let groups = (0..<6).map { _ in String(UInt16.random(in: 0...UInt16.max), radix: 16) }
        return "2001:db8:" + groups.joined(separator: ":")
    }

    /// - Parameter postgres: a server to make a database of one's own on; without
    ///   it, the one that all tests share.
    /// - Parameter isAlone: in a database of its own, on the server that all tests share.
    /// - Parameter keepsTokens: access tokens last, however far the clock goes.
    /// - Parameter isBehindProxy: it has one connection, through a proxy that counts.
    init(
        clock: TestClock? = nil,
        keepsTokens: Bool = false,
        postgres: OwnPostgres? = nil,
        passwordCost: PasswordHashing.Cost = .standard,
        isAlone: Bool = false,
        isBehindProxy: Bool = false,
        eventBounds: SyncEvents.Bounds = SyncEvents.Bounds(),
        connections: ConnectionBounds = ConnectionBounds(),
        site: String = "http://breathmaster.test",
        lookup: TXTLookup = .ofThisMachine,
        google: OpenIDSettings? = nil
    ) async throws {
        let made: (api: String, superuser: String)
        if let postgres {
            made = try await Self.makeDatabase(on: try postgres.url(), name: Self.databaseName)
        } else if isAlone {
            made = try await Self.copy(named: "\(Self.databaseName)_\(UInt32.random(in: 0...UInt32.max))")
        } else {
            made = try await Self.shared.value
        }
        (database, superuser) = made
        proxy = try isBehindProxy ? Proxy(before: database) : nil
        var configuration = PGConfiguration(proxy?.url ?? database)
        if isBehindProxy { configuration.maximumConnections = 1 }
        // With all tests at once a connection may take its time; what goes wrong with a Postgres of one's
        // own has to be heard of as soon as it is by others.
        if postgres == nil { configuration.acquireTimeout = .seconds(30) }
        let pool = PGPool(configuration)
        let now: @Sendable () -> Date = { clock?.now ?? Date() }
        let start = now()
        keys = KeyRing(seed: Curve25519.Signing.PrivateKey().rawRepresentation, madeAt: start)
        let tokenTime: @Sendable () -> Date = { keepsTokens ? start : now() }
        server = try Server(
            pool: pool,
            tokens: try await AccessTokens(keys, now: tokenTime),
            passwords: Passwords(try PasswordHashing(cost: passwordCost)),
            site: try #require(Site(site)),
            proxies: try #require(TrustedProxies("127.0.0.1, ::1")),
            now: now,
            eventBounds: eventBounds,
            connections: connections,
            lookup: lookup,
            google: google
        )
    }

    func run(_ body: @Sendable (Client) async throws -> Void) async throws {
        let application = Application(router: server.router())
        try await application.test(.router) { client in
            try await body(Client(client: client, address: address))
        }
        await server.pool.close()
    }

    /// On a port of its own, with what runs beside the routes: for answers that last.
    func serve(_ body: @Sendable (Client, _ url: URL) async throws -> Void) async throws {
        let application = server.application(at: .hostname("127.0.0.1", port: 0))
        try await application.test(.live) { client in
            let port = try #require(client.port)
            let url = try #require(URL(string: "http://localhost:\(port)"))
            try await body(Client(client: client, address: address), url)
        }
        await server.pool.close()
    }

    /// As `breathmaster serve` does it, on a port of its own, with its bounds on connections.
    func listen(_ body: @Sendable (_ port: Int) async throws -> Void) async throws {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let application = server.application(at: .hostname("127.0.0.1", port: 0)) { channel in
            if let number = channel.localAddress?.port { port.yield(number) }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.run() }
            for await number in ports {
                try await body(number)
                break
            }
            group.cancelAll()
            while await group.nextResult() != nil {}
        }
        await server.pool.close()
    }

    /// Databases are made while all tests begin at once, and what computes has the processors first.
    private static func patientPool(_ url: String) -> PGPool {
        var configuration = PGConfiguration(url)
        (configuration.acquireTimeout, configuration.connectTimeout) = (.seconds(60), .seconds(60))
        configuration.statementTimeout = .seconds(60)
        return PGPool(configuration)
    }

    private static func makeDatabase(
        on superuser: String,
        name: String
    ) async throws -> (api: String, superuser: String) {
        let administration = patientPool(superuser)
        try await administration.execute("create database \(identifier: name)")
        await administration.close()

        let urls = try urls(of: name, on: superuser)
        let pool = patientPool(urls.superuser)
        let root = URL(filePath: #filePath).appending(path: "../../../..").standardized
        _ = try await Migrator(folder: root.appending(path: "sql").path()).migrate(pool)
        await pool.close()
        return urls
    }

    private static func urls(of database: String, on superuser: String) throws -> (
        api: String, superuser: String
    ) {
        var components = try #require(URLComponents(string: superuser))
        components.path = "/\(database)"
        let owner = try #require(components.string)
        components.queryItems?.removeAll { $0.name == "user" }
        components.queryItems?.append(URLQueryItem(name: "user", value: "breathmaster_api"))
        return (try #require(components.string), owner)
    }
}

extension PGPool {
    /// Outside of a transaction, which `create database` needs.
    fileprivate func execute(_ sql: SQL) async throws {
        try await transaction { tx in
            try await tx.execute("commit")
            try await tx.execute(sql)
            try await tx.execute("begin")
        }
    }
}

/// A clock that goes where it is told.
final class TestClock: Sendable {
    private let instant: Mutex<Date>

    init(_ start: Date = Date()) {
        instant = Mutex(start)
    }

    var now: Date { instant.withLock { $0 } }

    func advance(by seconds: TimeInterval) {
        instant.withLock { $0 += seconds }
    }
}

/// Sends JSON as one person, and reads JSON.
struct Client: Sendable {
    let client: any TestClientProtocol
    /// Where it says that it comes from; the tests' server takes everybody's word for it.
    var address: String
    var token: String?

    struct Answer {
        let status: Int
        let json: [String: Any]
        let contentType: String?
        let requestID: String?
        let entityTag: String?
        let retryAfter: String?
        let headers: HTTPFields
    }

    func send(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ body: Any? = nil,
        headers: HTTPFields = [:]
    ) async throws -> Answer {
        try await send(
            method,
            path,
            // The same bytes each time.
            text: try body.map {
                Array(try JSONSerialization.data(withJSONObject: $0, options: .sortedKeys))
            },
            headers: headers
        )
    }

    func send(
        _ method: HTTPRequest.Method,
        _ path: String,
        text: [UInt8]?,
        headers: HTTPFields = [:]
    ) async throws -> Answer {
        var headers = headers
        if let name = HTTPField.Name("x-forwarded-for"), headers[name] == nil { headers[name] = address }
        if let token { headers[.authorization] = "Bearer \(token)" }
        let body = text.map { ByteBuffer(bytes: $0) }
        return try await client.execute(uri: path, method: method, headers: headers, body: body) { response in
            let data = Data(response.body.readableBytesView)
            let json = data.isEmpty ? [:] : try JSONSerialization.jsonObject(with: data)
            return Answer(
                status: response.status.code,
                json: try #require(json as? [String: Any]),
                contentType: response.headers[.contentType],
                requestID: HTTPField.Name("x-request-id").flatMap { response.headers[$0] },
                entityTag: response.headers[.eTag],
                retryAfter: response.headers[.retryAfter],
                headers: response.headers
            )
        }
    }

    /// A new person, who agreed to nothing yet.
    func newcomer() async throws -> (client: Client, uid: String) {
        let answer = try await send(.post, "/v1/auth/anonymous")
        var client = self
        client.token = answer.json["accessToken"] as? String
        return (client, try #require(answer.json["uid"] as? String))
    }

    /// A program of this person's, with a token of its own for thirty days.
    func program(_ scopes: [String], at now: Date) async throws -> Client {
        let expiresAt = Instant(now.addingTimeInterval(30 * 86_400)).description
        let wish: [String: Any] = ["name": "A program", "scopes": scopes, "expiresAt": expiresAt]
        let answer = try await send(.post, "/v1/me/tokens", wish)
        var program = self
        program.token = try #require(answer.json["token"] as? String)
        return program
    }

    /// A program of a company that this person manages, with a key of its own.
    func directory(of organization: String, _ wish: [String: Any] = [:]) async throws -> Client {
        let key = (["name": "Okta", "scopes": ["scim"]] as [String: Any]).merging(wish) { $1 }
        let answer = try await send(.post, "/v1/organizations/\(organization)/keys", key)
        var program = self
        program.token = try #require(answer.json["key"] as? String)
        return program
    }
}
