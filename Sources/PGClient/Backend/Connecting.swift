import CLibpq
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A handle on its way to the event loop.
struct NewHandle: Sendable {
    /// Safe: the thread that has made it doesn't touch it once it is in here, so that only one thread ever
    /// has it.
    nonisolated(unsafe) let handle: OpaquePointer
}

/// A connection that is being made.
///
/// All of it happens on a thread of its own: resolving names blocks in libpq, also those of the second host
/// when the first doesn't answer, and TLS and SCRAM keep a processor busy for milliseconds, for which nobody
/// else's results should wait. libpq's own `connect_timeout` doesn't count here, so the deadline is ours.
final class Connecting: Sendable {
    private let configuration: PGConfiguration
    private let deadline: Instant
    private let waiter = Mutex<CheckedContinuation<NewHandle, any Error>?>(nil)

    init(_ configuration: PGConfiguration) {
        self.configuration = configuration
        deadline = .now + configuration.connectTimeout
    }

    /// Connects, or throws ``PGError`` when the deadline comes first, also if a name server is what takes so
    /// long and the thread is still waiting for it.
    func connect(_ loop: EventLoop) async throws -> NewHandle {
        try await withCheckedThrowingContinuation { continuation in
            waiter.withLock { $0 = continuation }
            loop.schedule(at: deadline) { self.finish(.failure(self.timeout)) }
            Blocking.run { self.finish(Result { try self.connectBlocking() }) }
        }
    }

    fileprivate func pass(notice: String) {
        configuration.onNotice?(notice)
    }

    private var timeout: PGError {
        PGError(.connectTimeout, "not connected within \(configuration.connectTimeout)")
    }

    private func finish(_ result: Result<NewHandle, any Error>) {
        let waiter = waiter.withLock { waiter in
            defer { waiter = nil }
            return waiter
        }
        if let waiter {
            waiter.resume(with: result)
        } else if case .success(let late) = result {
            PQfinish(late.handle)
        }
    }

    /// Connects to the first host that takes the connection, or the first of its addresses. libpq would go through
    /// them by itself, but it would wait for one that says nothing until the very end, so that the others are never
    /// tried: each gets an equal share of the time that is left.
    private func connectBlocking() throws -> NewHandle {
        var hosts = try configuration.hosts()[...]
        var failures: [PGError] = []
        while var keywords = hosts.popFirst() {
            let addresses = PGConfiguration.addresses(keywords)
            if addresses.count > 1 {
                let each = addresses.map { address in keywords.merging(["hostaddr": address]) { $1 } }
                keywords = each[0]
                hosts = each[1...] + hosts
            }
            let now = Instant.now
            let left = max(0, deadline.nanoseconds - now.nanoseconds)
            do {
                return try connectBlocking(keywords, by: now + .nanoseconds(left / Int64(hosts.count + 1)))
            } catch let error as PGError {
                failures.append(error)
            }
        }
        var error = failures.last ?? timeout
        error.message = failures.map(\.message).joined(separator: "\n")
        throw error
    }

    private func connectBlocking(_ keywords: [String: String], by deadline: Instant) throws -> NewHandle {
        let handle = try PGConfiguration.startConnecting(keywords)
        // Until the connection is somebody's; by itself libpq writes them to the standard error.
        PQsetNoticeProcessor(handle, passNotice, Unmanaged.passUnretained(self).toOpaque())
        do {
            try establish(handle, by: deadline)
            guard PQsetnonblocking(handle, 1) == 0, PQenterPipelineMode(handle) == 1 else {
                throw PGError(.connection, PGError.message(of: handle))
            }
            return NewHandle(handle: handle)
        } catch {
            PQfinish(handle)
            throw error
        }
    }

    private func establish(_ handle: OpaquePointer, by deadline: Instant) throws {
        guard PQstatus(handle) != CONNECTION_BAD else {
            throw PGError(.connection, PGError.message(of: handle))
        }
        // As the documentation has it: before the first call the socket is to be waited for as if writable.
        var events = Int16(POLLOUT)
        while true {
            // The socket may be another one after each call, even with the same number.
            var socket = pollfd(fd: PQsocket(handle), events: events, revents: 0)
            let milliseconds = (deadline.nanoseconds - Instant.now.nanoseconds) / 1_000_000
            guard milliseconds > 0 else { throw timeout }
            // Nothing, or a signal: the time is looked at again.
            guard poll(&socket, 1, Int32(min(milliseconds, 60_000))) > 0 else { continue }
            switch PQconnectPoll(handle) {
            case PGRES_POLLING_READING: events = Int16(POLLIN)
            case PGRES_POLLING_WRITING: events = Int16(POLLOUT)
            case PGRES_POLLING_OK: return
            default: throw PGError(.connection, PGError.message(of: handle))
            }
        }
    }
}

/// The address is that of who connects, and who has the handle until then.
private func passNotice(_ connecting: UnsafeMutableRawPointer?, _ message: UnsafePointer<CChar>?) {
    guard let connecting, let message else { return }
    Unmanaged<Connecting>.fromOpaque(connecting).takeUnretainedValue()
        .pass(notice: PGError.trimmed(String(cString: message)))
}

extension PGConfiguration {
    /// The addresses of the host that the keywords name, if it is a name that has several; else libpq looks it up, and
    /// says what is wrong with it. Blocks.
    fileprivate static func addresses(_ keywords: [String: String]) -> [String] {
        guard let host = keywords["host"], !host.isEmpty, !host.hasPrefix("/"), !host.hasPrefix("@"),
            keywords["hostaddr"] == nil
        else { return [] }
        var hints = addrinfo()
        hints.ai_protocol = Int32(IPPROTO_TCP)
        var first: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &first) == 0, let first else { return [] }
        defer { freeaddrinfo(first) }
        return sequence(first: first, next: \.pointee.ai_next).compactMap { entry in
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(NI_MAXHOST)) { text in
                let isText =
                    getnameinfo(
                        entry.pointee.ai_addr,
                        entry.pointee.ai_addrlen,
                        text.baseAddress,
                        socklen_t(text.count),
                        nil,
                        0,
                        NI_NUMERICHOST
                    ) == 0
                return isText ? text.baseAddress.map { String(cString: $0) } : nil
            }
        }
    }

    /// The keywords with which to connect to each of the hosts, in their order.
    fileprivate func hosts() throws -> [[String: String]] {
        var keywords = try parsed()
        let settings = try Self.settings(keywords)
        let defaults = [
            "keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3",
            "tcp_user_timeout": "30000",
            "gssencmode": "disable", "fallback_application_name": "PGClient",
        ]
        keywords.merge(defaults.filter { settings[$0.key] == nil }) { given, _ in given }
        // Texts are read as UTF-8, whatever the database is in.
        keywords["client_encoding"] = "UTF8"
        if let applicationName { keywords["application_name"] = applicationName }
        func list(_ keyword: String) -> [String] {
            settings[keyword]?.split(separator: ",", omittingEmptySubsequences: false).map(String.init) ?? []
        }
        let (hosts, addresses, ports) = (list("host"), list("hostaddr"), list("port"))
        let count = max(hosts.count, addresses.count)
        // Wherever they come from.
        if hosts.count == 1 { keywords["host"] = hosts[0] }
        if addresses.count == 1 { keywords["hostaddr"] = addresses[0] }
        // Whatever doesn't go together, libpq refuses.
        guard count > 1, [0, count].contains(hosts.count), [0, count].contains(addresses.count),
            [0, 1, count].contains(ports.count)
        else { return [keywords] }
        let each = (0..<count).map { index in
            var keywords = keywords
            if !hosts.isEmpty { keywords["host"] = hosts[index] }
            if !addresses.isEmpty { keywords["hostaddr"] = addresses[index] }
            if ports.count > 1 { keywords["port"] = ports[index] }
            return keywords
        }
        // The only wish that takes two rounds.
        guard settings["target_session_attrs"] == "prefer-standby" else { return each }
        return ["standby", "any"].flatMap { wish in
            each.map { $0.merging(["target_session_attrs": wish]) { $1 } }
        }
    }

    /// What the keywords, a service file and the environment say together, in this order.
    ///
    /// libpq tells what it has found only of a connection: of one that it refuses before it connects, for a version
    /// of TLS that there isn't.
    private static func settings(_ keywords: [String: String]) throws -> [String: String] {
        let handle = try startConnecting(keywords.merging(["ssl_max_protocol_version": "none"]) { $1 })
        defer { PQfinish(handle) }
        guard let options = PQconninfo(handle) else { throw PGError(.connection, "out of memory") }
        let hasService = keywords["service"] != nil || getenv("PGSERVICE") != nil
        return values(options) { option in
            // What libpq has by itself is nobody's wish; a service's may be the same.
            hasService || option.compiled.map { strcmp($0, option.val) != 0 } ?? true
                || option.envvar.flatMap { getenv($0) } != nil
        }
    }

    /// Resolves the name and begins to connect. Blocks.
    fileprivate static func startConnecting(_ keywords: [String: String]) throws -> OpaquePointer {
        let pairs = keywords.map { (strdup($0.key), strdup($0.value)) }
        defer { for (key, value) in pairs { free(key); free(value) } }
        let keys = pairs.map { UnsafePointer($0.0) } + [nil]
        let values = pairs.map { UnsafePointer($0.1) } + [nil]
        guard let handle = PQconnectStartParams(keys, values, 0) else {
            throw PGError(.connection, "out of memory")
        }
        return handle
    }

    /// The keywords that the connection string itself sets.
    private func parsed() throws -> [String: String] {
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(connectionString, &message) else {
            defer { PQfreemem(message) }
            let reason = message.map { PGError.trimmed(String(cString: $0)) } ?? "out of memory"
            throw PGError(.connection, "the connection string can't be read: \(reason)")
        }
        return Self.values(options)
    }

    /// The options that have a value. Frees them.
    private static func values(
        _ options: UnsafeMutablePointer<PQconninfoOption>,
        where isWanted: (PQconninfoOption) -> Bool = { _ in true }
    ) -> [String: String] {
        defer { PQconninfoFree(options) }
        var values: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val, isWanted(option.pointee) {
                values[String(cString: keyword)] = String(cString: value)
            }
            option += 1
        }
        return values
    }
}
