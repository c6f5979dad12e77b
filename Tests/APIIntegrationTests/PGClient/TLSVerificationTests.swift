import PGClient
import Testing

@Suite(.timeLimit(.minutes(1))) struct `TLS verification` {
    @Test func `It accepts the right name, and refuses a wrong one and an unknown authority`() async throws {
        let (terminator, stranger) = (try Terminator(), try Terminator())
        defer {
            terminator.stop()
            stranger.stop()
        }
        func url(_ host: String, _ authority: Terminator) -> String {
            """
            host=\(host) hostaddr=127.0.0.1 port=\(terminator.port) user=postgres dbname=postgres \
            sslmode=verify-full sslrootcert=\(authority.authority)
            """
        }
        try await Database.withPool(at: url("localhost", terminator)) { try await Database.expectAnswer($0) }
        for (wrong, reason) in [
            (url("elsewhere.example", terminator), "does not match host name"),
            (url("localhost", stranger), "certificate verify failed"),
        ] {
            try await Database.withPool(at: wrong) { pool in
                let error = try await failure(.connection) { try await Database.expectAnswer(pool) }
                #expect(error.message.contains(reason))
            }
        }
    }
}
