import CLibpq
import Glibc

/// How to reach Postgres, and the bounds of every wait.
public struct PGConfiguration: Sendable {
    /// A URI or keyword/value string, as libpq takes it.
    public var connectionString: String
    /// Connections that the pool may hold.
    public var maximumConnections = 8
    /// Tasks that may wait for a connection.
    public var maximumWaiters = 1024
    /// How long a task waits for a connection.
    public var acquireTimeout = Duration.seconds(2)
    /// How long connecting may take.
    public var connectTimeout = Duration.seconds(5)
    /// How long a statement may take, seen from here.
    public var statementTimeout = Duration.seconds(10)
    /// After which a connection is replaced.
    public var maximumLifetime = Duration.seconds(1800)
    /// Whether statements are prepared and kept; off for PgBouncer in
    /// transaction mode.
    public var preparesStatements = true
    /// Shown in `pg_stat_activity`.
    public var applicationName = "PGClient"

    /// The defaults, for a server.
    public init(_ connectionString: String) {
        self.connectionString = connectionString
    }

    /// Starts to connect. Keepalives notice a network that was cut, which libpq
    /// would otherwise wait for without end.
    func startConnecting() -> OpaquePointer? {
        let parameters: KeyValuePairs = [
            "dbname": connectionString,
            "client_encoding": "UTF8",
            "fallback_application_name": applicationName,
            "gssencmode": "disable",
            "keepalives_idle": "5",
            "keepalives_interval": "2",
            "keepalives_count": "3",
            "tcp_user_timeout": "10000",
        ]
        let keys = parameters.map { strdup($0.key) }
        let values = parameters.map { strdup($0.value) }
        defer { (keys + values).forEach { free($0) } }
        return PQconnectStartParams(
            keys.map { UnsafePointer($0) } + [nil],
            values.map { UnsafePointer($0) } + [nil],
            1
        )
    }
}
