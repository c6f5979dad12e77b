import Foundation
import Glibc
import PGClient
import Synchronization
import Testing

/// Where a Postgres on a unix socket is, taken from its URL.
struct SocketAddress {
    let directory: String
    let port: String
    let database: String
    let user: String

    init(_ url: String) throws {
        let components = try #require(URLComponents(string: url))
        func item(_ name: String) -> String? { components.queryItems?.first { $0.name == name }?.value }
        directory = item("host") ?? components.host?.removingPercentEncoding ?? "/var/run/postgresql"
        port = item("port") ?? components.port.map(String.init) ?? "5432"
        database = String(components.path.dropFirst())
        user = item("user") ?? components.user ?? "postgres"
    }

    var path: String { "\(directory)/.s.PGSQL.\(port)" }
}

/// TCP to the database of the tests, over a cable that can be pulled: then nothing passes and nothing is
/// closed, and what was said meanwhile arrives once it is plugged in again, as TCP would have it.
///
/// `@unchecked`: everything that changes is behind the mutex, and each descriptor belongs to one thread.
final class Cable: @unchecked Sendable {
    private struct State {
        var isPulled = false
        var isReset = false
        /// How many bytes of the server's still pass, before the connection that they pass on is closed.
        var rest = Int.max
        var breaksTLS = false
        var isOver = false
    }

    let port: Int
    private let address: SocketAddress
    private let listener: Int32
    private let state = Mutex(State())

    init(to url: String? = nil) throws {
        address = try SocketAddress(url ?? Database.url())
        (listener, port) = try listenOnLoopback()
        Thread.detachNewThread { [listener] in
            while case let client = accept(listener, nil, nil), client >= 0 {
                // A program that is started meanwhile must not keep the connection open.
                _ = fcntl(client, F_SETFD, FD_CLOEXEC)
                Thread.detachNewThread { self.pass(client) }
            }
        }
    }

    /// A connection string; the host may be any that leads to 127.0.0.1, with others before and after it.
    func url(host: String = "127.0.0.1", port: String? = nil) -> String {
        "host=\(host) port=\(port ?? "\(self.port)") dbname=\(address.database) user=\(address.user)"
    }

    func pull() { state.withLock { $0.isPulled = true } }
    func plugIn() { state.withLock { $0.isPulled = false } }

    /// Resets every connection that there is, as a router does that has forgotten them.
    func reset() { state.withLock { $0.isReset = true } }
    /// Takes connections again that come after a reset.
    func endReset() { state.withLock { $0.isReset = false } }

    /// Lets so many more bytes of the server's pass, and then closes the connection, once.
    func close(after bytes: Int) { state.withLock { $0.rest = bytes } }

    /// Says yes to whoever asks for TLS, and then hangs up.
    func breakTLS() { state.withLock { $0.breaksTLS = true } }

    /// Ends every connection, and takes no more.
    func stop() {
        state.withLock { $0.isOver = true }
        shutdown(listener, Int32(SHUT_RDWR))
    }

    /// What the client's end has of `keepalives_idle`, `_interval` and `_count`, and of `tcp_user_timeout`.
    var keepalives: [Int32] {
        let socket = clientSocket()
        return [TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_USER_TIMEOUT].map { option in
            var (value, size) = (Int32(0), socklen_t(4))
            getsockopt(socket, Int32(IPPROTO_TCP), Int32(option), &value, &size)
            return value
        }
    }

    /// The end that a client in this process has of its connection; -1 if there is none.
    func clientSocket() -> Int32 {
        (0..<4096).first { descriptor in
            var address = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let isConnected = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    getpeername(descriptor, $0, &length) == 0
                }
            }
            return isConnected && address.sin_family == sa_family_t(AF_INET)
                && Int(UInt16(bigEndian: address.sin_port)) == port
        } ?? -1
    }

    /// Its length, and the code 80877103 (PostgreSQL's documentation, "Message Formats").
    private static let requestForTLS: [UInt8] = [0, 0, 0, 8, 4, 210, 22, 47]

    private func pass(_ client: Int32) {
        let server = Glibc.socket(AF_UNIX, streamSocket, 0)
        defer {
            Glibc.close(client)
            Glibc.close(server)
        }
        guard connectSocket(server, to: address.path) else { return }
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let now = state.withLock { $0 }
            if now.isOver { return }
            if now.isReset {
                var hard = linger(l_onoff: 1, l_linger: 0)
                setsockopt(client, SOL_SOCKET, SO_LINGER, &hard, socklen_t(MemoryLayout<linger>.size))
                return
            }
            let events = now.isPulled ? 0 : Int16(POLLIN)
            // A negative descriptor isn't polled at all: a pulled cable doesn't tell of a hang-up either.
            var polled = [client, server].map {
                pollfd(fd: now.isPulled ? -1 : $0, events: events, revents: 0)
            }
            guard poll(&polled, 2, 5) >= 0 else { return }
            if polled[0].revents != 0 {
                let count = read(client, &buffer, buffer.count)
                if now.breaksTLS, buffer.prefix(max(0, count)).elementsEqual(Self.requestForTLS) {
                    _ = sendAll(client, Array("S".utf8)[...])
                    return
                }
                guard count > 0, sendAll(server, buffer[..<count]) else { return }
            }
            if polled[1].revents != 0 {
                let count = read(server, &buffer, buffer.count)
                guard count > 0 else { return }
                let passing = state.withLock { state in
                    let passing = min(count, state.rest)
                    if state.rest < .max { state.rest = passing < count ? .max : state.rest - passing }
                    return passing
                }
                guard sendAll(client, buffer[..<passing]), passing == count else { return }
            }
        }
    }
}

/// A TCP socket that listens on 127.0.0.1, and its port. Whoever never accepts on it has a server that the
/// kernel connects to and that never says a word.
func listenOnLoopback(_ host: String = "127.0.0.1", port: Int = 0) throws -> (socket: Int32, port: Int) {
    let listener = Glibc.socket(AF_INET, streamSocket, 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr(host)
    address.sin_port = UInt16(port).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listens = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(listener, $0, length) == 0 && listen(listener, 128) == 0
                && getsockname(listener, $0, &length) == 0
        }
    }
    try #require(listens, "no port of \(host) can be listened on")
    return (listener, Int(UInt16(bigEndian: address.sin_port)))
}

private let streamSocket = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)

private func connectSocket(_ descriptor: Int32, to path: String) -> Bool {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
        }
    }
}

private func sendAll(_ descriptor: Int32, _ bytes: ArraySlice<UInt8>) -> Bool {
    var rest = bytes
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        guard count > 0 else { return false }
        rest = rest.dropFirst(count)
    }
    return true
}
