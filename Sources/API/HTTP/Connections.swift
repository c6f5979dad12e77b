import Foundation
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// How many connections there are, and how long one may be there for nothing.
struct ConnectionBounds: Sendable {
    /// Each that listens to events is one. Those beyond wait to be let in until another has gone.
    var most = 10_000
    /// Between two requests, and for the head of one.
    var idle = TimeAmount.seconds(60)
    /// From the head of a request to the end of its body.
    var body = TimeAmount.seconds(60)

    /// Those of a server: a connection is a file, so there are no more than a process may have files. It may have as
    /// many as the machine allows from now on, where a shell allows it fewer.
    static func ofThisProcess() -> ConnectionBounds {
        var bounds = ConnectionBounds()
        #if canImport(Glibc)
            let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
            var limit = rlimit()
            guard getrlimit(files, &limit) == 0 else { return bounds }
            limit.rlim_cur = limit.rlim_max
            guard setrlimit(files, &limit) == 0 else { return bounds }
            // A fifth is for the database, for mail and for what is read.
            bounds.most = min(bounds.most, Int(clamping: limit.rlim_cur / 5 * 4))
        #endif
        return bounds
    }
}

/// A body that comes byte by byte keeps its connection from being idle. So a connection is closed when a request
/// with a body has come, and neither that time later nor before another one has followed it.
struct BodyDeadline: RouterMiddleware {
    typealias Context = AppContext

    /// What is going to be closed, by the connection.
    private final class Closings: Sendable {
        private let closings = Mutex<[ObjectIdentifier: Scheduled<Void>]>([:])

        func set(_ closing: Scheduled<Void>?, of channel: any Channel) {
            closings.withLock { closings in
                closings[ObjectIdentifier(channel)]?.cancel()
                closings[ObjectIdentifier(channel)] = closing
            }
        }
    }

    let limit: TimeAmount
    private let closings = Closings()

    init(limit: TimeAmount) {
        self.limit = limit
    }

    func handle(
        _ request: Request,
        context: AppContext,
        next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        let channel = context.channel
        closings.set(closing(of: request, channel), of: channel)
        return try await next(request, context)
    }

    private func closing(of request: Request, _ channel: any Channel) -> Scheduled<Void>? {
        let length = request.headers[.contentLength].flatMap(Int.init)
        guard length.map({ $0 > 0 }) ?? (request.headers[.transferEncoding] != nil) else { return nil }
        return channel.eventLoop.scheduleTask(in: limit) { [closings] in
            closings.set(nil, of: channel)
            channel.close(promise: nil)
        }
    }
}

extension Server {
    /// What listens at an address, with its bounds.
    func application(
        at address: BindAddress,
        services: [any Service] = [],
        onServerRunning: @escaping @Sendable (any Channel) async -> Void = { _ in }
    ) -> some ApplicationProtocol {
        Application(
            router: router(),
            server: .http1(configuration: HTTP1Channel.Configuration(idleTimeout: connections.idle)),
            configuration: ApplicationConfiguration(
                address: address,
                serverName: nil,
                availableConnectionsDelegate: MaximumAvailableConnections(connections.most, logger: logger)
            ),
            services: [events] + services,
            onServerRunning: onServerRunning,
            logger: logger
        )
    }
}
