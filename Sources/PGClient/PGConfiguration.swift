public import CoreMetrics
public import Tracing

/// Where the database is, and the bounds within which it is used.
///
/// Its description doesn't contain the connection string, which may hold a password.
public struct PGConfiguration: Sendable, CustomStringConvertible {
    /// A URI or keywords and values, as libpq takes them: TLS, several hosts, service files and environment
    /// variables work as they do for `psql`.
    ///
    /// Unless the string, a service file or the environment says otherwise, keepalives and `tcp_user_timeout` are set
    /// so that a connection to a host that has vanished is found dead within about 30 seconds, and GSSAPI encryption
    /// isn't tried, unless there is a service.
    let connectionString: String

    /// The most connections that are open at a time. Default 8.
    public var maximumConnections = 8
    /// The connections that are kept open also when nobody needs them. Default 0.
    public var minimumConnections = 0
    /// How long a task waits for a connection. Default 2 seconds.
    public var acquireTimeout: Duration = .seconds(2)
    /// How long connecting may take, from resolving the name to being ready. Default 5 seconds.
    public var connectTimeout: Duration = .seconds(5)
    /// How long the client waits for a statement's result. After that the statement is cancelled and the
    /// connection closed. Default 10 seconds.
    public var statementTimeout: Duration = .seconds(10)
    /// How many tasks may wait for a connection; more fail at once. Default 1024.
    public var maximumWaiters = 1024
    /// How old a connection may become before it is replaced, give or take a tenth. Default 30 minutes.
    public var maximumLifetime: Duration = .seconds(1800)
    /// How long a connection may be free before it is closed, down to the minimum. Default 5 minutes.
    public var idleTimeout: Duration = .seconds(300)
    /// Whether statements are prepared once per connection. To be switched off behind a pooler that shares
    /// connections between transactions, such as PgBouncer before 1.21. Default true.
    public var preparesStatements = true
    /// The most memory that one result may take in libpq. A result that has arrived and is larger fails; one
    /// that is still arriving closes the connection before it has taken much more than twice as much, and so does a
    /// row of a COPY that is larger.
    /// Default 16 MiB.
    public var maximumResultBytes = 16 << 20
    /// What the server's activity view and log call this client, instead of what the connection string says.
    public var applicationName: String?
    /// What metrics call the pool, to tell a pool for requests from one for background work. Default `main`.
    public var poolName = "main"
    /// Where metrics go. Default: the factory that `MetricsSystem` was bootstrapped with before the pool is made.
    public var metricsFactory: (any MetricsFactory)?
    /// Where spans go. Default: the tracer that `InstrumentationSystem` was bootstrapped with before the pool is
    /// made.
    public var tracer: (any Tracer)?
    /// Receives the server's notices and warnings, on a thread that it must not block. Default: they are
    /// dropped.
    public var onNotice: (@Sendable (_ message: String) -> Void)?

    /// The defaults, for a database. A mistake in the string is reported when it is first used.
    public init(_ connectionString: String) {
        self.connectionString = connectionString
    }

    /// nil when nobody measures.
    var metrics: PoolMetrics? {
        activeMetricsFactory.map { PoolMetrics($0, pool: poolName) }
    }

    /// nil when nobody measures.
    var listenerMetrics: ListenerMetrics? {
        activeMetricsFactory.map { ListenerMetrics($0, pool: poolName) }
    }

    private var activeMetricsFactory: (any MetricsFactory)? {
        let factory = metricsFactory ?? MetricsSystem.factory
        return factory is NOOPMetricsHandler ? nil : factory
    }

    /// nil when nobody traces.
    var activeTracer: (any Tracer)? {
        let tracer = tracer ?? InstrumentationSystem.tracer
        return tracer is NoOpTracer ? nil : tracer
    }

    var bounds: PoolBounds {
        PoolBounds(
            minimum: minimumConnections,
            maximum: maximumConnections,
            maximumWaiters: maximumWaiters,
            acquireTimeout: acquireTimeout,
            maximumLifetime: maximumLifetime,
            idleTimeout: idleTimeout
        )
    }

    /// The bounds, without the connection string.
    public var description: String {
        "PGConfiguration(maximumConnections: \(maximumConnections), maximumWaiters: \(maximumWaiters))"
    }
}
