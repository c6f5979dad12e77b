import Dispatch
import Glibc
import Testing

@testable import PGClient

@Suite(.timeLimit(.minutes(1))) struct `Hosts and their names` {
    /// An address of this machine at which nobody listens.
    private let dead = "127.0.0.9"

    private func expectAnswer(from url: String, sourceLocation: SourceLocation = #_sourceLocation)
        async throws
    {
        try await Database.withPool(at: url) {
            try await Database.expectAnswer($0, sourceLocation: sourceLocation)
        }
    }

    @Test func `A host that nobody knows is a connection that isn't there`() async throws {
        let host = Names.name(.unknown)
        try await Database.withPool(at: "host=\(host) dbname=postgres") { pool in
            let error = try await failure(.connection) { try await Database.expectAnswer(pool) }
            #expect(error.message.contains("translate host name") && error.sqlState == nil)
        }
    }

    @Test func `A name server that is silent costs the time to connect, and nobody else anything`()
        async throws
    {
        let silence = DispatchSemaphore(value: 0)
        defer { silence.signal() }
        let change: (inout PGConfiguration) -> Void = {
            $0.maximumConnections = 16
            $0.connectTimeout = .seconds(2)
        }
        let url = "host=\(Names.name(.silence(silence))) dbname=postgres"
        try await Database.withPool(change, at: url) { pool in
            try await expectTime(.milliseconds(1900)..<(.seconds(6))) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<16 {
                        group.addTask {
                            _ = try await failure(.connectTimeout) { try await Database.expectAnswer(pool) }
                        }
                    }
                    try await Database.eventually("they wait") { pool.waiting == 16 }
                    try await expectAnswer(from: try Database.url())
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test func `Of a host with several addresses the first that answers is taken`() async throws {
        let cable = try Cable()
        defer { cable.stop() }
        for addresses in [[dead, "127.0.0.1"], ["127.0.0.1", dead], [dead, dead, "127.0.0.1"]] {
            try await expectAnswer(from: cable.url(host: Names.name(.addresses(addresses))))
        }
        try await Database.withPool(at: cable.url(host: Names.name(.addresses([dead, dead])))) { pool in
            _ = try await failure(.connection) { try await Database.expectAnswer(pool) }
        }
    }

    @Test func `Of several hosts the first that answers is taken`() async throws {
        let cable = try Cable()
        defer { cable.stop() }
        let unknown = Names.name(.unknown)
        for hosts in [
            "\(dead),127.0.0.1", "127.0.0.1,\(dead)", "\(unknown),\(dead),127.0.0.1", "/nowhere,127.0.0.1",
        ] {
            try await expectAnswer(from: cable.url(host: hosts))
        }
    }

    @Test func `A host that has vanished doesn't keep the next from being tried`() async throws {
        let cable = try Cable()
        let (silent, silentPort) = try listenOnLoopback()
        defer {
            cable.stop()
            close(silent)
        }
        let url = cable.url(host: "127.0.0.1,127.0.0.1", port: "\(silentPort),\(cable.port)")
        try await Database.withPool({ $0.connectTimeout = .seconds(6) }, at: url) {
            try await Database.expectAnswer($0)
        }
    }

    @Test func `An address that has vanished doesn't keep the next of its host from being tried`()
        async throws
    {
        let cable = try Cable()
        let (silent, _) = try listenOnLoopback("127.0.0.8", port: cable.port)
        defer {
            cable.stop()
            close(silent)
        }
        let url = cable.url(host: Names.name(.addresses(["127.0.0.8", "127.0.0.1"])))
        try await Database.withPool({ $0.connectTimeout = .seconds(6) }, at: url) {
            try await Database.expectAnswer($0)
        }
    }

    @Test func `Where TLS breaks and isn't required, another socket is connected without it`() async throws {
        let cable = try Cable()
        defer { cable.stop() }
        cable.breakTLS()
        try await expectAnswer(from: cable.url() + " sslmode=prefer")
        try await Database.withPool(at: cable.url() + " sslmode=require") { pool in
            _ = try await failure(.connection) { try await Database.expectAnswer(pool) }
        }
    }

    @Test func `The name of a host further on in the list keeps nobody else waiting either`() async throws {
        let silence = DispatchSemaphore(value: 0)
        defer { silence.signal() }
        let cable = try Cable()
        defer { cable.stop() }
        try await Database.withPool { other in
            try await Database.expectAnswer(other)
            let url = cable.url(host: "\(dead),\(Names.name(.silence(silence)))")
            try await Database.withPool({ $0.connectTimeout = .seconds(1) }, at: url) { pool in
                try await expectTime(.milliseconds(900)..<(.seconds(6))) {
                    async let late = failure(.connectTimeout) { try await Database.expectAnswer(pool) }
                    try await Database.eventually("it waits") { pool.waiting == 1 }
                    for _ in 0..<10 { try await Database.expectAnswer(other) }
                    _ = try await late
                }
            }
        }
    }
}
