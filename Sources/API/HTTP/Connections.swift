import Foundation
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypes
import ServiceLifecycle

#if canImport(Glibc)
    import Glibc
#endif

/// How many connections there are, and how long one may be there for nothing.
struct ConnectionBounds: Sendable {
    /// Each that listens to events is one. Those beyond wait to be let in until another has gone.
    var most = 10_000
    /// Between two requests, and for the head of one.
    var idle = TimeAmount.seconds(60)
    /// From the head of a request to its end.
    var request = TimeAmount.seconds(60)

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

/// Closes a connection whose request has begun and not come to its end in time: a body that comes byte by byte keeps
/// it from being idle.
private final class RequestDeadline: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart

    private let limit: TimeAmount
    private var isOpen = false
    private var closing: Scheduled<Void>?

    init(_ limit: TimeAmount) {
        self.limit = limit
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: isOpen = true
        case .body: break
        case .end: end()
        }
        context.fireChannelRead(data)
    }

    /// Most requests come in one piece, and cost nothing here.
    func channelReadComplete(context: ChannelHandlerContext) {
        if isOpen, closing == nil {
            closing = context.eventLoop.assumeIsolated().scheduleTask(in: limit) {
                context.close(promise: nil)
            }
        }
        context.fireChannelReadComplete()
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    private func end() {
        isOpen = false
        closing?.cancel()
        closing = nil
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
            server: .http1(
                configuration: HTTP1Channel.Configuration(
                    additionalChannelHandlers: [RequestDeadline(connections.request)],
                    idleTimeout: connections.idle
                )
            ),
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
