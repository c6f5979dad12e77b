import CLibpq
import Foundation
import Glibc
import Synchronization

/// One connection, in pipeline mode. An actor whose executor is the reactor.
actor PGConnection {
    /// What goes out in one flush and ends at one sync: an error in it skips the
    /// rest of it and nothing else.
    private final class Segment {
        let id: UInt64
        /// Of each command, whether its result is the one that is wanted.
        var commands = 0
        var received = 0
        var preparing: [Int: String] = [:]
        var result: PGResult?
        var error: PGError?
        let isScript: Bool
        var deadline: Reactor.TimerID?
        var completion: ((Result<PGResult?, PGError>) -> Void)?

        init(id: UInt64, isScript: Bool = false) {
            self.id = id
            self.isScript = isScript
        }
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.asUnownedSerialExecutor() }
    /// False once the connection must not be leased again.
    nonisolated var isUsable: Bool { usable.load(ordering: .acquiring) }
    nonisolated let openedAt = ContinuousClock.now

    private nonisolated let usable = Atomic(true)
    private let reactor: Reactor
    private let configuration: PGConfiguration
    /// Nil once closed.
    private var handle: OpaquePointer?
    private var inFlight: [Segment] = []
    private var nextSegment: UInt64 = 0
    private var openTransaction: UInt64?
    private var statements: [String: String] = [:]
    private var leastRecent: [String] = []
    private var nextStatement = 0

    private init(handle: Handle, configuration: PGConfiguration, reactor: Reactor) {
        self.handle = handle.pointer
        self.configuration = configuration
        self.reactor = reactor
    }

    /// A pointer on its way from the thread that made it to the reactor.
    ///
    /// Unchecked: exactly one side holds it at a time.
    private struct Handle: @unchecked Sendable {
        let pointer: OpaquePointer?
    }

    // MARK: Connecting

    /// - Throws: ``PGError`` of kind `connection`.
    static func connect(_ configuration: PGConfiguration) async throws -> PGConnection {
        // Names are resolved inside PQconnectStart, which blocks for it.
        let handle = await withCheckedContinuation { (continuation: CheckedContinuation<Handle, Never>) in
            DispatchQueue.global().async {
                continuation.resume(returning: Handle(pointer: configuration.startConnecting()))
            }
        }
        let connection = PGConnection(handle: handle, configuration: configuration, reactor: .shared)
        try await connection.finishConnecting()
        return connection
    }

    private func finishConnecting() async throws {
        guard let handle, PQstatus(handle) != CONNECTION_BAD else { throw lost() }
        let deadline = ContinuousClock.now + configuration.connectTimeout
        var status = PGRES_POLLING_WRITING
        while status != PGRES_POLLING_OK {
            guard status != PGRES_POLLING_FAILED, ContinuousClock.now < deadline else { throw lost() }
            // The socket can be another after each step.
            await ready(
                PQsocket(handle),
                writable: status == PGRES_POLLING_WRITING,
                within: ContinuousClock.now.duration(to: deadline)
            )
            status = PQconnectPoll(handle)
        }
        guard PQsetnonblocking(handle, 1) == 0, PQenterPipelineMode(handle) == 1 else { throw lost() }
        // Notices are for people at a terminal.
        PQsetNoticeReceiver(handle, { _, _ in }, nil)
        watch(writable: false)
    }

    private func ready(_ fd: Int32, writable: Bool, within limit: ContinuousClock.Duration) async {
        await withCheckedContinuation { continuation in
            var pending: CheckedContinuation<Void, Never>? = continuation
            var timer: Reactor.TimerID?
            let resume = { [reactor] in
                reactor.unwatch(fd)
                if let timer { reactor.cancel(timer) }
                pending?.resume()
                pending = nil
            }
            timer = reactor.after(limit, resume)
            reactor.watch(fd, writable: writable) { _ in resume() }
        }
    }

    // MARK: Sending

    /// Sends a statement as part of transaction `transaction`, which begins with
    /// it where it hasn't begun.
    func send(
        _ text: String,
        _ parameters: [PGParameter],
        in transaction: PGTransaction.State
    ) async throws -> PGResult? {
        guard !transaction.hasEnded else {
            throw PGError(.transactionClosed, "the transaction has ended")
        }
        return try await perform { segment in
            if openTransaction != transaction.id {
                openTransaction = transaction.id
                try prepareAndSend(transaction.access.begin, [], in: segment)
                if let opening = transaction.opening {
                    try prepareAndSend(opening.text, opening.parameters, in: segment)
                }
            }
            try prepareAndSend(text, parameters, in: segment)
        }
    }

    /// Ends the transaction, if it has begun. A read's commit is not waited for:
    /// whoever comes next stands behind it in the pipeline.
    func commit(_ transaction: PGTransaction.State) async throws {
        guard openTransaction == transaction.id else { return }
        openTransaction = nil
        guard transaction.access == .readWrite else {
            return start { segment in
                try prepareAndSend("commit", [], in: segment)
            } completion: { _ in
            }
        }
        let result = try await perform { segment in try prepareAndSend("commit", [], in: segment) }
        guard result?.commandTag == "COMMIT" else {
            throw PGError(.commitFailed, "COMMIT was answered by \(result?.commandTag ?? "nothing")")
        }
    }

    func rollback(_ transaction: PGTransaction.State) async {
        guard openTransaction == transaction.id else { return }
        openTransaction = nil
        let rolledBack = try? await perform(cancellable: false) { segment in
            try prepareAndSend("rollback", [], in: segment)
        }
        if rolledBack == nil { close() }
    }

    /// Sends text that may hold many statements, outside of pipeline mode.
    func script(_ text: String, in transaction: PGTransaction.State) async throws {
        if openTransaction != transaction.id {
            _ = try await send("select 1", [], in: transaction)
        }
        guard let handle, inFlight.isEmpty, PQexitPipelineMode(handle) == 1 else { throw lost() }
        let segment = newSegment(isScript: true)
        defer {
            if let handle = self.handle, PQenterPipelineMode(handle) == 0 { close() }
        }
        guard PQsendQuery(handle, text) == 1 else { throw lost() }
        inFlight.append(segment)
        _ = try await completion(of: segment, cancellable: true)
    }

    private func perform(
        cancellable: Bool = true,
        _ fill: (Segment) throws -> Void
    ) async throws -> PGResult? {
        guard let handle else { throw PGError(.connection, "the connection is closed") }
        let segment = newSegment()
        try fill(segment)
        guard PQpipelineSync(handle) == 1 else { throw lost() }
        inFlight.append(segment)
        return try await completion(of: segment, cancellable: cancellable)
    }

    private func start(
        _ fill: (Segment) throws -> Void,
        completion: @escaping (Result<PGResult?, PGError>) -> Void
    ) {
        guard let handle else { return }
        let segment = newSegment()
        segment.completion = completion
        guard (try? fill(segment)) != nil, PQpipelineSync(handle) == 1 else { return close() }
        inFlight.append(segment)
        setDeadline(of: segment)
        flush()
    }

    private func completion(of segment: Segment, cancellable: Bool) async throws -> PGResult? {
        let id = segment.id
        setDeadline(of: segment)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                segment.completion = { continuation.resume(with: $0) }
                flush()
            }
        } onCancel: {
            if cancellable {
                Task { await self.cancel(id) }
            }
        }
    }

    private func setDeadline(of segment: Segment) {
        segment.deadline = reactor.after(configuration.statementTimeout) { [unowned self] in
            assumeIsolated { $0.expire() }
        }
    }

    private func newSegment(isScript: Bool = false) -> Segment {
        nextSegment += 1
        return Segment(id: nextSegment, isScript: isScript)
    }

    private func prepareAndSend(_ text: String, _ parameters: [PGParameter], in segment: Segment) throws {
        guard let handle else { throw PGError(.connection, "the connection is closed") }
        let types = parameters.map(\.type.oid)
        let key = types.map(String.init).joined(separator: ",") + ":" + text
        var name = ""
        if let known = statements[key], configuration.preparesStatements {
            name = known
            leastRecent.removeAll { $0 == key }
            leastRecent.append(key)
        } else {
            if configuration.preparesStatements {
                nextStatement += 1
                name = "s\(nextStatement)"
                try forgetOldest(in: segment)
                statements[key] = name
                leastRecent.append(key)
                segment.preparing[segment.commands] = key
            }
            guard PQsendPrepare(handle, name, text, Int32(types.count), types) == 1 else { throw lost() }
            segment.commands += 1
        }
        let sent = parameters.withBinaryValues { values, lengths, formats in
            PQsendQueryPrepared(handle, name, Int32(parameters.count), values, lengths, formats, 1)
        }
        guard sent == 1 else { throw lost() }
        segment.commands += 1
    }

    private func forgetOldest(in segment: Segment) throws {
        guard let handle, statements.count >= 128, let oldest = leastRecent.first,
            let name = statements.removeValue(forKey: oldest)
        else { return }
        leastRecent.removeFirst()
        guard PQsendQueryParams(handle, "deallocate \(name)", 0, nil, nil, nil, nil, 1) == 1 else {
            throw lost()
        }
        segment.commands += 1
    }

    // MARK: Receiving

    private func flush() {
        guard let handle else { return }
        switch PQflush(handle) {
        case 0: watch(writable: false)
        case 1: watch(writable: true)
        default: fail(lost())
        }
    }

    private func watch(writable: Bool) {
        guard let handle else { return }
        reactor.watch(PQsocket(handle), writable: writable) { [unowned self] _ in
            assumeIsolated { $0.receive() }
        }
    }

    private func receive() {
        guard let handle else { return }
        // Twice: the first call can leave what TLS has decrypted already, for
        // which the socket will never become readable again.
        let alive = PQconsumeInput(handle) == 1 && PQconsumeInput(handle) == 1
        drain()
        guard alive, self.handle != nil, PQstatus(handle) == CONNECTION_OK else { return fail(lost()) }
        flush()
    }

    private func drain() {
        while let handle, let segment = inFlight.first, PQisBusy(handle) == 0 {
            guard let pointer = PQgetResult(handle) else {
                if segment.isScript {
                    finish(segment)
                } else {
                    segment.received += 1
                    if segment.received > segment.commands { return fail(lost()) }
                }
                continue
            }
            let result = PGResult(pointer)
            switch PQresultStatus(pointer) {
            case PGRES_PIPELINE_SYNC: finish(segment)
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: segment.result = result
            case PGRES_PIPELINE_ABORTED: forget(segment.preparing[segment.received])
            default:
                // Of two, as a dying server sends, the first says why.
                segment.error = segment.error ?? result.error
                forget(segment.preparing[segment.received])
                if PQstatus(handle) != CONNECTION_OK { return fail(lost()) }
            }
        }
    }

    private func forget(_ key: String?) {
        guard let key, statements.removeValue(forKey: key) != nil else { return }
        leastRecent.removeAll { $0 == key }
    }

    private func finish(_ segment: Segment) {
        inFlight.removeFirst()
        segment.deadline.map(reactor.cancel)
        if let error = segment.error {
            // A plan that no longer fits is made anew by whoever asks next.
            if ["26000", "42P05", "0A000"].contains(error.sqlState?.rawValue) {
                usable.store(false, ordering: .releasing)
            }
            segment.completion?(.failure(error))
        } else {
            segment.completion?(.success(segment.result))
        }
    }

    // MARK: Ending

    /// Asks the server to stop what it does. The connection is not used again:
    /// a cancel request that comes late would hit whatever runs then.
    private func cancel(_ id: UInt64) {
        guard let handle, inFlight.contains(where: { $0.id == id }) else { return }
        usable.store(false, ordering: .releasing)
        let request = Handle(pointer: PQgetCancel(handle))
        DispatchQueue.global().async {
            var reason = [CChar](repeating: 0, count: 256)
            PQcancel(request.pointer, &reason, 256)
            PQfreeCancel(request.pointer)
        }
        _ = reactor.after(.seconds(1)) { [weak self] in
            self?.assumeIsolated { connection in
                if connection.inFlight.contains(where: { $0.id == id }) {
                    connection.fail(
                        PGError(.statementTimeout, "the statement did not end when it was cancelled")
                    )
                }
            }
        }
    }

    private func expire() {
        inFlight.first.map { cancel($0.id) }
        fail(PGError(.statementTimeout, "no answer within \(configuration.statementTimeout)"))
    }

    private func fail(_ error: PGError) {
        let failed = inFlight
        inFlight = []
        close()
        for segment in failed {
            segment.deadline.map(reactor.cancel)
            segment.completion?(.failure(segment.error ?? error))
        }
    }

    func close() {
        usable.store(false, ordering: .releasing)
        guard let handle else { return }
        self.handle = nil
        let fd = PQsocket(handle)
        if fd >= 0 { reactor.unwatch(fd) }
        PQfinish(handle)
        if !inFlight.isEmpty { fail(PGError(.connection, "the connection was closed")) }
    }

    private func lost() -> PGError {
        let message = handle.map { String(cString: PQerrorMessage($0)) } ?? "the connection is closed"
        let error = PGError(.connection, message)
        if inFlight.isEmpty { close() }
        return error
    }
}

extension [PGParameter] {
    /// The arrays that libpq takes, for as long as the call lasts.
    fileprivate func withBinaryValues<Result>(
        _ body: ([UnsafePointer<CChar>?], [Int32], [Int32]) -> Result
    ) -> Result {
        let offsets = reduce(into: [0]) { $0.append($0[$0.count - 1] + ($1.bytes?.count ?? 0) + 1) }
        // One byte more for each, so that an empty value has an address too.
        var joined: [UInt8] = []
        joined.reserveCapacity(offsets[offsets.count - 1])
        for parameter in self {
            joined += parameter.bytes ?? []
            joined.append(0)
        }
        return joined.withUnsafeBytes { buffer in
            let base = buffer.bindMemory(to: CChar.self).baseAddress
            let values = zip(self, offsets).map { parameter, offset in
                parameter.bytes == nil ? nil : base.map { $0 + offset }
            }
            return body(values, map { Int32($0.bytes?.count ?? 0) }, map { _ in 1 })
        }
    }
}
