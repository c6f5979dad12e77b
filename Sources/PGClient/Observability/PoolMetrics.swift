import CoreMetrics

/// What a pool tells the metrics system; none of it is measured when there is no such system.
///
/// | label | what |
/// |---|---|
/// | `pgclient_wait_seconds` | how long a statement or transaction waited for a connection |
/// | `pgclient_lease_seconds` | how long a connection was with one of them |
/// | `pgclient_waiters`, `pgclient_leased`, `pgclient_connections` | how many there are now |
/// | `pgclient_round_trips_total` | answers for which somebody has waited |
/// | `pgclient_sent_bytes_total` | of statements' texts and parameters, and of copies |
/// | `pgclient_received_bytes_total` | of results, as they lie in memory, and of copies |
/// | `pgclient_connects_total` | by `outcome`: `success` or `failure` |
/// | `pgclient_discards_total` | closed connections by `reason`: `lost`, `expired`, `idle`, `dirty`, `closing` |
///
/// All have the dimension `pool`, ``PGConfiguration/poolName``.
struct PoolMetrics: Sendable {
    private let wait: Timer
    private let lease: Timer
    private let waiters: Meter
    private let leased: Meter
    private let connections: Meter
    private let roundTrips: Counter
    private let sent: Counter
    private let received: Counter
    private let connects: Counter
    private let connectFailures: Counter
    private let discards: [DiscardReason: Counter]

    init(_ factory: any MetricsFactory, pool: String) {
        func dimensions(_ more: (String, String)...) -> [(String, String)] { [("pool", pool)] + more }
        func counter(_ label: String, _ more: (String, String)...) -> Counter {
            Counter(label: label, dimensions: [("pool", pool)] + more, factory: factory)
        }
        func meter(_ label: String) -> Meter {
            Meter(label: label, dimensions: dimensions(), factory: factory)
        }
        wait = Timer(label: "pgclient_wait_seconds", dimensions: dimensions(), factory: factory)
        lease = Timer(label: "pgclient_lease_seconds", dimensions: dimensions(), factory: factory)
        waiters = meter("pgclient_waiters")
        leased = meter("pgclient_leased")
        connections = meter("pgclient_connections")
        roundTrips = counter("pgclient_round_trips_total")
        sent = counter("pgclient_sent_bytes_total")
        received = counter("pgclient_received_bytes_total")
        connects = counter("pgclient_connects_total", ("outcome", "success"))
        connectFailures = counter("pgclient_connects_total", ("outcome", "failure"))
        discards = Dictionary(
            uniqueKeysWithValues: DiscardReason.allCases.map { reason in
                (reason, counter("pgclient_discards_total", ("reason", reason.rawValue)))
            }
        )
    }

    func waited(since start: Instant) {
        wait.recordNanoseconds(Instant.now.nanoseconds - start.nanoseconds)
    }

    func returned(leasedAt start: Instant) {
        lease.recordNanoseconds(Instant.now.nanoseconds - start.nanoseconds)
    }

    func note(waiting: Int, leased: Int, total: Int) {
        waiters.set(waiting)
        self.leased.set(leased)
        connections.set(total)
    }

    func note(_ traffic: Traffic) {
        if traffic.roundTrips > 0 { roundTrips.increment(by: traffic.roundTrips) }
        if traffic.sent > 0 { sent.increment(by: traffic.sent) }
        if traffic.received > 0 { received.increment(by: traffic.received) }
    }

    func connected() { connects.increment() }
    func connectFailed() { connectFailures.increment() }
    func discarded(_ reason: DiscardReason) { discards[reason]?.increment() }
}

/// What has passed on a connection since it was last asked.
struct Traffic: Sendable {
    var roundTrips = 0
    var sent = 0
    var received = 0
}
