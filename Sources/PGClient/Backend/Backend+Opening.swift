import CLibpq

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension Backend {
    /// A connection that is being made.
    struct Opening {
        let deadline: Instant
        let waiter: CheckedContinuation<Void, any Error>
    }

    /// A handle on its way from the thread that has made it, which doesn't use it afterwards: hence
    /// `@unchecked`.
    private struct NewHandle: @unchecked Sendable {
        let handle: OpaquePointer
    }

    /// Connects. Resolving the name blocks in libpq, so it is done on a thread of its own; everything after
    /// it on the reactor. libpq's own `connect_timeout` doesn't count here, so the deadline is ours.
    func open() async throws {
        let deadline = Instant.now + configuration.connectTimeout
        try await withCheckedThrowingContinuation { waiter in
            opening = Opening(deadline: deadline, waiter: waiter)
            arm(deadline)
            Blocking.run { [configuration, reactor] in
                let started = Result { NewHandle(handle: try configuration.startConnecting()) }
                reactor.execute { self.assumeIsolated { $0.started(started) } }
            }
        }
    }

    private func started(_ result: Result<NewHandle, any Error>) {
        guard opening != nil else {
            // The deadline was faster than the name server.
            if case .success(let new) = result { PQfinish(new.handle) }
            return
        }
        switch result {
        case .failure(let error):
            failOpening(error)
        case .success(let new):
            handle = new.handle
            PQsetNoticeProcessor(new.handle, passNotice, Unmanaged.passUnretained(self).toOpaque())
            if PQstatus(new.handle) == CONNECTION_BAD {
                failOpening(connectionError())
            } else {
                watchOpening(.writable)
            }
        }
    }

    func pollOpening() {
        guard let handle else { return }
        // libpq may close the socket in here and open another with the same number: it is watched anew each
        // time.
        if let token { reactor.unwatch(socket, token: token) }
        token = nil
        switch PQconnectPoll(handle) {
        case PGRES_POLLING_READING: watchOpening(.readable)
        case PGRES_POLLING_WRITING: watchOpening(.writable)
        case PGRES_POLLING_OK: finishOpening(handle)
        default: failOpening(connectionError())
        }
    }

    private func watchOpening(_ interest: Interest) {
        socket = PQsocket(handle)
        token = reactor.watch(socket, interest: interest, client: self)
        if token == nil { failOpening(PGError(.connection, "the socket can't be watched")) }
    }

    private func finishOpening(_ handle: OpaquePointer) {
        guard PQsetnonblocking(handle, 1) == 0, PQenterPipelineMode(handle) == 1 else {
            return failOpening(connectionError())
        }
        watchOpening(.readable)
        guard let opening else { return }
        self.opening = nil
        opening.waiter.resume()
    }

    func failOpening(_ error: any Error) {
        guard let opening else { return }
        self.opening = nil
        close(connectionError())
        opening.waiter.resume(throwing: error)
    }
}

/// The address is the backend's, which outlives its handle: the reactor holds it while its socket is watched.
private func passNotice(_ backend: UnsafeMutableRawPointer?, _ message: UnsafePointer<CChar>?) {
    guard let backend, let message else { return }
    let configuration = Unmanaged<Backend>.fromOpaque(backend).takeUnretainedValue().configuration
    configuration.onNotice?(PGError.trimmed(String(cString: message)))
}

extension PGConfiguration {
    /// Resolves the name and begins to connect. Blocks.
    fileprivate func startConnecting() throws -> OpaquePointer {
        var keywords = try parsed()
        let defaults = [
            "keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3",
            "tcp_user_timeout": "30000",
            "gssencmode": "disable", "fallback_application_name": "PGClient",
        ]
        keywords.merge(defaults) { given, _ in given }
        // Texts are read as UTF-8, whatever the database is in.
        keywords["client_encoding"] = "UTF8"
        if let applicationName { keywords["application_name"] = applicationName }
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
        defer { PQconninfoFree(options) }
        var keywords: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { keywords[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        return keywords
    }
}
