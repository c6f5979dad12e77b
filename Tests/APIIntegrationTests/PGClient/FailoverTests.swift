import Foundation
import PGClient
import Testing

extension OneAtATime {
    @Suite(.timeLimit(.minutes(1))) struct `A primary and its standby` {
        /// A connection string for several servers, of which the one that can be written to is wanted.
        private func url(_ servers: OwnPostgres...) throws -> String {
            let addresses = try servers.map { try SocketAddress($0.url()) }
            return """
                host=\(addresses.map(\.directory).joined(separator: ",")) port=\(addresses[0].port) \
                user=postgres dbname=postgres target_session_attrs=read-write
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
    }
}
