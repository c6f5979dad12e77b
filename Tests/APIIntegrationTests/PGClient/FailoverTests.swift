import Foundation
import MetricsTestKit
import Testing

@testable import PGClient

extension OneAtATime {
    @Suite(.timeLimit(.minutes(1))) struct `A primary and its standby` {
        /// A connection string for several servers, of which by default the one that can be written to is wanted.
        private func url(_ servers: OwnPostgres..., wanting wish: String = "read-write") throws -> String {
            let addresses = try servers.map { try SocketAddress($0.url()) }
            return """
                host=\(addresses.map(\.directory).joined(separator: ",")) port=\(addresses[0].port) \
                user=postgres dbname=postgres target_session_attrs=\(wish)
                """
        }

        @Test func `The primary is found wherever it stands, and again after the standby has taken over`()
            async throws
        {
            // Nothing is acknowledged before the standby has it too.
            let settings = ["synchronous_commit = on", "synchronous_standby_names = '*'"]
            try await OwnPostgres.withStandby(settings) { primary, standby in
                for url in [try url(primary, standby), try url(standby, primary)] {
                    let server = try await Database.withPool(at: url) { pool in
                        try await pool.transaction { transaction in
                            try await transaction.queryOne(
                                "select current_setting('unix_socket_directories'), pg_is_in_recovery()",
                                as: (String, Bool).self
                            )
                        }
                    }
                    #expect(server.0.contains(primary.home.path()) && !server.1)
                }
                try await Database.withPool({ $0.maximumConnections = 8 }, at: url(primary, standby)) {
                    pool in
                    try await Load.run(on: pool) { load in
                        await load.expectProgress()
                        try await load.expectFailure { try primary.stop(.immediate) }
                        try await Database.withPool(at: standby.url()) { superuser in
                            let isPromoted = try await superuser.transaction(.readOnly) {
                                try await $0.queryOne("select pg_promote()", as: Bool.self)
                            }
                            #expect(isPromoted)
                        }
                        await load.expectProgress()
                    }
                }
            }
        }

        @Test
        func `A standby is preferred where it stands and while it does, and nothing can be heard from it`()
            async throws
        {
            try await OwnPostgres.withStandby { primary, standby in
                func isStandby(_ url: String) async throws -> Bool {
                    try await Database.withPool(at: url) {
                        try await $0.queryOne("select pg_is_in_recovery()", as: Bool.self)
                    }
                }
                #expect(try await isStandby(url(primary, standby, wanting: "prefer-standby")))
                #expect(try await isStandby(url(standby, primary, wanting: "prefer-standby")))

                let metrics = TestMetrics()
                var configuration = try Database.configuration(at: standby.url())
                configuration.metricsFactory = metrics
                let events = PGListener(configuration, channels: Database.name()).makeAsyncIterator()
                let refused = [("pool", "main"), ("outcome", ListenerMetrics.Outcome.refused.rawValue)]
                try await Database.eventually("LISTEN is refused, again and again") {
                    let counter = try? metrics.expectCounter("pgclient_listens_total", refused)
                    return counter.map { $0.totalValue > 1 } ?? false
                }
                withExtendedLifetime(events) {}

                try await blocking { try standby.stop() }
                #expect(try await !isStandby(url(standby, primary, wanting: "prefer-standby")))
            }
        }
    }
}
