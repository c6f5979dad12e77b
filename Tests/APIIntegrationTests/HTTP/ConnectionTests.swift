import Foundation
import Glibc
import HTTPTypes
import NIOCore
import Testing

@testable import API

/// What somebody sends who speaks HTTP their own way, over a socket of their own.
@Suite(.timeLimit(.minutes(2))) struct ConnectionTests {
    private static let smuggled = "GET /health/live HTTP/1.1\r\nHost: b\r\n\r\n"

    /// Requests that two readers might end at different places, each with another one behind it.
    @Test(arguments: [
        "POST /v1/auth/refresh HTTP/1.1\r\nHost: b\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /v1/auth/refresh HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        "POST /v1/auth/refresh HTTP/1.1\r\nHost: b\r\nContent-Length: 2\r\nContent-Length: 4\r\n\r\n{}",
        "POST /v1/auth/refresh HTTP/1.1\r\nHost: b\r\nContent-Length: 2, 4\r\n\r\n{}",
        "POST /v1/auth/refresh HTTP/1.1\r\nHost: b\r\nContent-Length: +2\r\n\r\n{}",
        "POST /v1/auth/refresh HTTP/1.1\r\nHost: b\r\nContent-Length: 2x\r\n\r\n{}",
        "POST /v1/auth/refresh HTTP/1.1\r\nHost: b\r\nContent-Length: -2\r\n\r\n{}",
        "POST /v1/auth/refresh HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n2x\r\n{}\r\n0\r\n\r\n",
        "POST /v1/auth/refresh HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
        "POST /v1/auth/refresh HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked, identity\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "POST /v1/auth/refresh HTTP/1.1\r\nHost: b\r\nTransfer-Encoding : chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "POST /v1/auth/refresh HTTP/1.1\r\nHost: b\r\nContent-Length : 2\r\n\r\n{}",
        "POST /v1/auth/refresh HTTP/1.1\r\nHost: b\r\n Content-Length: 2\r\n\r\n{}",
        "POST /v1/auth/refresh HTTP/1.1\nHost: b\nContent-Length: 2\n\n{}",
        "POST /v1/auth/refresh HTTP/1.1\r\nHost: b\r\nContent-Length: 2\r\nX: a\rContent-Length: 4\r\n\r\n{}",
        "POST /v1/auth/refresh HTTP/1.1\r\nHost: b\r\nContent-Length: 2\r\nX: a\u{0}b\r\n\r\n{}",
    ])
    func `a request whose end is a matter of opinion is refused, and the connection with it`(
        request: String
    ) async throws {
        try await TestServer().listen { port in
            let answers = try await blocking {
                let socket = try RawSocket(port: port)
                socket.send(request + Self.smuggled)
                return socket.readToEnd()
            }
            #expect(answers.hasPrefix("HTTP/1.1 400 "), "\(answers.prefix(40))")
            // The one behind it wasn't looked at.
            #expect(answers.components(separatedBy: "HTTP/1.1 ").count == 2, "\(answers)")
        }
    }

    @Test func `two requests on one connection are two, as long as nobody can doubt it`() async throws {
        try await TestServer().listen { port in
            let answers = try await blocking {
                let socket = try RawSocket(port: port)
                socket.send(
                    Self.smuggled + Self.smuggled.replacing("\r\n\r\n", with: "\r\nConnection: close\r\n\r\n")
                )
                return socket.read { $0.components(separatedBy: "HTTP/1.1 200 ").count == 3 }
            }
            #expect(answers.components(separatedBy: "HTTP/1.1 200 ").count == 3)
        }
    }

    @Test(arguments: [
        "POST /v1/auth/refresh HTTP/1.1\r\nHost: b\r\nContent-Length: 2000000\r\n\r\n",
        // Answered before it is read, which must not make it last either.
        "PATCH /v1/me HTTP/1.1\r\nHost: b\r\nContent-Length: 2000000\r\n\r\n",
        "POST /v1/auth/refresh HTTP/1.1\r\nHost: b\r\n",
    ])
    func `what comes byte by byte ends at the deadline`(beginning: String) async throws {
        let bounds = ConnectionBounds(idle: .milliseconds(500), request: .milliseconds(500))
        try await TestServer(connections: bounds).listen { port in
            let sent = try await blocking {
                let socket = try RawSocket(port: port)
                socket.send(beginning)
                return socket.dribble()
            }
            #expect(sent < RawSocket.patience)
        }
    }

    @Test func `a server has more files than connections`() {
        let bounds = ConnectionBounds.ofThisProcess()
        var limit = rlimit()
        #expect(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
        #expect(limit.rlim_cur == limit.rlim_max)
        #expect((1...10_000).contains(bounds.most))
        #expect(bounds.most < limit.rlim_cur)
    }

    @Test func `who connects beyond the bound waits until another has gone`() async throws {
        let bounds = ConnectionBounds(most: 2)
        try await TestServer(connections: bounds).listen { port in
            try await blocking {
                let (one, other) = (try RawSocket(port: port), try RawSocket(port: port))
                for socket in [one, other] {
                    socket.send(Self.smuggled)
                    #expect(socket.read { $0.contains("live") }.hasPrefix("HTTP/1.1 200"))
                }
                let third = try RawSocket(port: port)
                third.send(Self.smuggled)
                // Both are still served, the third isn't: whatever it was sent would be here before their answers.
                for socket in [one, other] {
                    socket.send(Self.smuggled)
                    #expect(socket.read { $0.contains("live") }.hasPrefix("HTTP/1.1 200"))
                }
                #expect(!third.hasSomethingToRead)
                one.close()
                #expect(third.read { $0.contains("live") }.hasPrefix("HTTP/1.1 200"))
            }
        }
    }
}

/// A connection on which anything can be said. It waits at most ten seconds for an answer.
private final class RawSocket {
    private let descriptor: Int32

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var no: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &no, socklen_t(MemoryLayout<Int32>.size))
        try #require(connected, "connect to \(port)")
    }

    deinit { Glibc.close(descriptor) }

    func close() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// Until the other side closes.
    func readToEnd() -> String { read { _ in false } }

    func read(until isEnough: (String) -> Bool) -> String {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 65536)
        while !isEnough(text) {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            text += String(decoding: buffer[..<count], as: UTF8.self)
        }
        return text
    }

    var hasSomethingToRead: Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT | MSG_PEEK)) > 0
    }

    /// Twenty seconds of bytes.
    static let patience = 2000

    /// A byte at a time, until the other side has closed or patience is over: how many.
    func dribble() -> Int {
        var sent = 0
        while sent < Self.patience, Glibc.send(descriptor, "a", 1, Int32(MSG_NOSIGNAL)) == 1 {
            sent += 1
            // Ten milliseconds between two bytes, unless it is over; what is answered meanwhile isn't.
            var descriptors = pollfd(fd: descriptor, events: 0, revents: 0)
            if poll(&descriptors, 1, 10) > 0 { break }
        }
        return sent
    }
}
