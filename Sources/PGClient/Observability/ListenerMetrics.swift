import CoreMetrics

/// What a listener tells the metrics system: it goes on trying whatever happens, so that nothing else says that it
/// never gets to listen.
///
/// | label | what |
/// |---|---|
/// | `pgclient_listens_total` | attempts to listen by `outcome`: `success`, `unconnected`, `refused`, `lost` |
///
/// All have the dimension `pool`, ``PGConfiguration/poolName``.
struct ListenerMetrics: Sendable {
    /// What came of an attempt to listen.
    enum Outcome: String, CaseIterable {
        case success
        /// There was no connection, such as because of a wrong password.
        case unconnected
        /// The server has refused the LISTEN.
        case refused
        /// The connection was lost before it listened.
        case lost
    }

    private let listens: [Outcome: Counter]

    init(_ factory: any MetricsFactory, pool: String) {
        listens = Dictionary(
            uniqueKeysWithValues: Outcome.allCases.map { outcome in
                let dimensions = [("pool", pool), ("outcome", outcome.rawValue)]
                return (
                    outcome,
                    Counter(label: "pgclient_listens_total", dimensions: dimensions, factory: factory)
                )
            }
        )
    }

    func note(_ outcome: Outcome) { listens[outcome]?.increment() }

    func note(_ failure: Failure) {
        switch failure {
        case .refused, .skipped: note(.refused)
        case .lost: note(.lost)
        case .cancelled: break
        }
    }
}
