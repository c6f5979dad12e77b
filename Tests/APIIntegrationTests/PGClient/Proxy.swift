import Foundation
import Synchronization

/// A unix socket in front of the database, with a switch: it can be down, hold back what the server says, and
/// it counts how often the client spoke after the server had.
///
/// `@unchecked`: everything that changes is behind the mutex, and each descriptor belongs to one thread.
final class Proxy: @unchecked Sendable {
    private struct State {
        var turns = 0
        var received = 0
        var isListening = true
        var isKeepingOut = false
        /// The turn whose answer, and everything after it, is held back.
        var heldTurn = Int.max
        var clients: [Int32] = []
    }

    let url: String
    private let directory: String
    private let server: String
    private let state = Mutex(State())
    private var listener: Int32 = -1

    /// Starts one in front of a database on a unix socket; nil is that of the tests.
    init(before other: String? = nil) throws {
        let components = URLComponents(string: try other ?? Database.url())
        func item(_ name: String) -> String? { components?.queryItems?.first { $0.name == name }?.value }
        let host = item("host") ?? components?.host?.removingPercentEncoding ?? "/var/run/postgresql"
        server = "\(host)/.s.PGSQL.\(item("port") ?? components?.port.map(String.init) ?? "5432")"
        directory = NSTemporaryDirectory() + "proxy-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let database = components?.path.dropFirst() ?? ""
        let user = item("user") ?? components?.user ?? "postgres"
        url = "host=\(directory) port=5432 dbname=\(database) user=\(user)"
        listen()
    }

    /// How often the client has spoken after the server had.
    var turns: Int { state.withLock { $0.turns } }

    /// How many bytes the server has sent.
    var received: Int { state.withLock { $0.received } }

    /// As many, once no more come, which is looked at for a second at least.
    var receivedAtRest: Int {
        get async {
            var last = -1
            let end = ContinuousClock.now + .seconds(1)
            while last != received || ContinuousClock.now < end {
                last = received
                await Task.yield()
            }
            return last
        }
    }

    /// Starts to count anew, and holds back the answer to that turn and everything after it.
    func restart(holdingTurn turn: Int = .max) {
        state.withLock { ($0.turns, $0.heldTurn) = (0, turn) }
    }

    /// Lets new connections wait at the door, such as those that carry a cancel.
    func keepOut(_ isKeepingOut: Bool) {
        state.withLock { $0.isKeepingOut = isKeepingOut }
    }

    /// Ends every connection and takes no new one.
    func stop() {
        let clients = state.withLock { state in
            state.isListening = false
            defer { state.clients = [] }
            return state.clients
        }
        shutdown(listener, Int32(SHUT_RDWR))
        unlink("\(directory)/.s.PGSQL.5432")
        for client in clients { shutdown(client, Int32(SHUT_RDWR)) }
    }

    /// Takes connections again.
    func start() {
        state.withLock { $0.isListening = true }
        listen()
    }

    private func listen() {
        let listener = Self.socket {
            bind($0, $1, $2)
        } path: {
            "\(self.directory)/.s.PGSQL.5432"
        }
        Glibc.listen(listener, 64)
        self.listener = listener
        Thread.detachNewThread {
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { break }
                while self.state.withLock({ $0.isKeepingOut }) { usleep(1000) }
                let server = Self.socket {
                    connect($0, $1, $2)
                } path: {
                    self.server
                }
                let isUp = self.state.withLock { state in
                    if state.isListening { state.clients.append(client) }
                    return state.isListening
                }
                guard isUp else { close(client); close(server); continue }
                Thread.detachNewThread { self.pass(client, server) }
            }
            close(listener)
        }
    }

    private func pass(_ client: Int32, _ server: Int32) {
        var buffer = [UInt8](repeating: 0, count: 65536)
        var clientSpokeLast = false
        while true {
            let isHolding = state.withLock { $0.turns >= $0.heldTurn }
            var polled = [
                pollfd(fd: client, events: Int16(POLLIN), revents: 0),
                pollfd(fd: server, events: isHolding ? 0 : Int16(POLLIN), revents: 0),
            ]
            guard poll(&polled, 2, 10) >= 0 else { break }
            if polled[0].revents != 0 {
                let count = read(client, &buffer, buffer.count)
                guard count > 0 else { break }
                if !clientSpokeLast { state.withLock { $0.turns += 1 } }
                clientSpokeLast = true
                guard Self.writeAll(server, buffer[..<count]) else { break }
            } else if polled[1].revents != 0, !isHolding {
                let count = read(server, &buffer, buffer.count)
                guard count > 0 else { break }
                clientSpokeLast = false
                state.withLock { $0.received += count }
                guard Self.writeAll(client, buffer[..<count]) else { break }
            }
        }
        state.withLock { state in state.clients.removeAll { $0 == client } }
        close(client)
        close(server)
    }

    private static func writeAll(_ socket: Int32, _ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private static func socket(
        _ use: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32,
        path: () -> String
    ) -> Int32 {
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path().utf8.prefix(107)) }
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                use(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return descriptor
    }
}
