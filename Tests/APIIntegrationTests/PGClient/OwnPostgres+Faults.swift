import Foundation
import Glibc
import Testing

/// Tests that keep a processor busy or look at the clock: together they would make each other, and everybody
/// else, late.
@Suite(.serialized) enum OneAtATime {}

/// What can befall a Postgres: it is stopped in other ways than the gentle one, has settings of its own, or a
/// standby.
extension OwnPostgres {
    /// How a server is told to stop: the signal that its first process takes for it.
    enum Stop: Sendable, CaseIterable {
        /// It ends its connections and writes everything down.
        case fast
        /// As if its machine had lost power: when it starts again it has to recover.
        case immediate
    }

    /// Runs the body with one of its own, and removes it.
    ///
    /// - Parameter settings: lines of its configuration, which win over everybody else's.
    static func with<R: Sendable>(
        _ settings: [String] = [],
        _ body: (OwnPostgres) async throws -> R
    ) async throws -> R {
        let postgres = try await blocking {
            let postgres = try OwnPostgres()
            if !settings.isEmpty {
                try postgres.stop()
                try postgres.configure(settings)
                try postgres.start()
            }
            return postgres
        }
        return try await postgres.removed(after: body)
    }

    /// Runs the body with a primary of these settings and a standby that follows it, and removes both.
    static func withStandby<R: Sendable>(
        _ settings: [String] = [],
        _ body: (_ primary: OwnPostgres, _ standby: OwnPostgres) async throws -> R
    ) async throws -> R {
        try await with { primary in
            let standby = try await blocking {
                // The files of a server that has stopped are a copy of it; -a keeps their owner.
                try primary.stop()
                let standby = OwnPostgres(
                    home: URL(filePath: "/tmp/breathmaster-\(UUID().uuidString.prefix(8))")
                )
                try #require(system("cp -a '\(primary.home.path())' '\(standby.home.path())'") == 0)
                try primary.configure(settings)
                try primary.start()
                let address = try SocketAddress(primary.url())
                try standby.configure([
                    "primary_conninfo = 'host=\(address.directory) port=\(address.port) user=\(address.user)'"
                ])
                try standby.append("", to: "standby.signal")
                try standby.start()
                return standby
            }
            return try await standby.removed { try await body(primary, $0) }
        }
    }

    private init(home: URL) {
        self.home = home
    }

    private func removed<R: Sendable>(after body: (OwnPostgres) async throws -> R) async throws -> R {
        let result: R
        do {
            result = try await body(self)
        } catch {
            try await blocking { remove() }
            throw error
        }
        try await blocking { remove() }
        return result
    }

    /// Starts it, also when it is still about to stop.
    func startAgain() async throws {
        try await blocking { try start() }
    }

    /// Tells it to stop, and doesn't wait until it has.
    func stop(_ how: Stop) throws {
        let line = try String(contentsOf: data.appending(path: "postmaster.pid"), encoding: .utf8)
        let pid = try #require(Int32(line.prefix { $0.isNumber }))
        try #require(kill(pid, how == .fast ? SIGINT : SIGQUIT) == 0)
    }

    /// Adds lines to the part of its configuration that is read last, from its next start on.
    func configure(_ settings: [String]) throws {
        try append(settings.map { $0 + "\n" }.joined(), to: "postgresql.auto.conf")
    }

    /// Appends to a file among its data, which then belongs to whom they belong to.
    func append(_ text: String, to name: String) throws {
        let folder = try FileManager.default.attributesOfItem(atPath: data.path())
        let owner = try #require(folder[.ownerAccountID] as? uid_t)
        let group = try #require(folder[.groupOwnerAccountID] as? gid_t)
        let file = open(data.appending(path: name).path(), O_WRONLY | O_APPEND | O_CREAT, 0o600)
        defer { close(file) }
        try #require(fchown(file, owner, group) == 0)
        try #require(write(file, text, text.utf8.count) == text.utf8.count)
    }

    private var data: URL { home.appending(path: "test-postgres/data") }
}

/// Runs what blocks on a thread of its own: in Swift's concurrency pool it would hold up every other test.
func blocking<R: Sendable>(_ work: @escaping @Sendable () throws -> R) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result(catching: work)) }
    }
}
