import Foundation
import Glibc
import Testing

@testable import API

/// A real name server (dnsmasq) on a port of its own, for as long as a test runs. Its zones are what the test
/// says; about every other name it knows nothing.
actor NameServer {
    let lookup: TXTLookup
    private let port: Int
    private let address: String
    private let folder = FileManager.default.temporaryDirectory.appending(path: "zones-\(UUID())")
    private nonisolated var pidFile: URL { folder.appending(path: "pid") }
    private var running: (process: Process, ended: AsyncStream<Never>)?

    init(on address: String = "127.0.0.1") throws {
        self.address = address
        port = try freePort()
        lookup = try #require(
            TXTLookup(address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)")
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    /// Answers for `domains` from now on, with these records: the name of each, and the strings of which its
    /// text is made.
    func serve(_ domains: [String], _ records: [(name: String, strings: [String])] = []) async throws {
        await stop()
        let ready = (name: "ready.\(domains[0])", strings: ["yes"])
        let lines =
            [
                "port=\(port)", "listen-address=\(address)", "bind-interfaces", "no-resolv", "no-hosts",
                "keep-in-foreground", "user=", "group=", "pid-file=\(pidFile.path())",
            ] + domains.map { "local=/\($0)/" }
            + (records + [ready]).map { record in
                "txt-record=\(record.name),"
                    + record.strings.map { "\"\($0)\"" }.joined(separator: ",")
            }
        let file = folder.appending(path: "dnsmasq.conf")
        try lines.joined(separator: "\n").appending("\n").write(to: file, atomically: true, encoding: .utf8)
        let process = Process()
        // By a shell that stays: dnsmasq closes whatever it inherits, which for Foundation is the end of it, and no
        // other process's end is heard of while it waits for that.
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", "/usr/sbin/dnsmasq --conf-file=\"$0\"; exit $?", file.path()]
        process.standardError = FileHandle.nullDevice
        let (ended, end) = AsyncStream<Never>.makeStream()
        process.terminationHandler = { _ in end.finish() }
        try process.run()
        running = (process, ended)
        // One that isn't there yet refuses, unless the question was sent from the very port that it will have, and has come
        // back as an answer that knows of nothing.
        try await eventually("the name server answers") { @Sendable [lookup] in
            try await lookup.texts(of: ready.name) == ready.strings
        }
    }

    /// Returns when it is gone, and its port is free again.
    func stop() async {
        guard let (process, ended) = running else { return }
        running = nil
        end(process)
        for await _ in ended {}
    }

    /// By SIGKILL, since the tests' process has other signals blocked, which what it starts inherits. The shell ends
    /// by itself.
    private nonisolated func end(_ process: Process) {
        let pid = (try? String(contentsOf: pidFile, encoding: .utf8)).flatMap { Int32($0.filter(\.isNumber)) }
        kill(pid ?? process.processIdentifier, SIGKILL)
        try? FileManager.default.removeItem(at: pidFile)
    }

    deinit {
        if let running { end(running.process) }
        try? FileManager.default.removeItem(at: folder)
    }
}
