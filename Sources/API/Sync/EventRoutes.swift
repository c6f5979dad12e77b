import Domain
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle
import Tenancy

/// `/v1/sync/events`: a device hears that another one has synced.
struct EventRoutes: Sendable {
    let database: TenantDatabase
    let events: SyncEvents
    let now: @Sendable () -> Date

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.get("sync/events", use: follow)
    }

    /// `GET /v1/sync/events`: server-sent events, until the access token ends.
    @Sendable func follow(_ request: Request, in context: MemberContext) async throws -> Response {
        let seen = try lastEventID(of: request)
        let uid = context.principal.uid
        let (stream, wakes) = try events.open(for: uid, by: try deviceID(in: request.uri.queryParameters))
        // Once the stream is open, so that no sync falls between the two.
        let newest = try await database.read(as: context.principal) { try await $0.newestSync() }
        // A version that isn't there yet belongs to another account that the client had.
        stream.begin(knowing: min(seen ?? newest.version, newest.version))
        stream.offer(newest)
        let body = ResponseBody { writer in
            try await withGracefulShutdownHandler {
                async let _ = beat(stream, until: context.accessEndsAt)
                try await request.body.consumeWithInboundCloseHandler { _ in
                    // At random: after a restart not everybody should be back in the same moment.
                    let retry = Int.random(in: 3000...10_000)
                    try await writer.write(ByteBuffer(string: ": connected\nretry: \(retry)\n\n"))
                    for await _ in wakes { try await writer.write(ByteBuffer(string: try stream.message())) }
                } onInboundClosed: {
                    stream.end()
                }
            } onGracefulShutdown: {
                stream.end()
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: Self.headers, body: body)
    }

    /// Keeps proxies from taking the line for dead, and ends the stream with the token.
    private func beat(_ stream: SyncEventStream, until end: Date) async {
        while true {
            let left = end.timeIntervalSince(now())
            guard left > 0 else { return stream.end() }
            guard (try? await Task.sleep(for: min(events.bounds.heartbeat, .seconds(left)))) != nil else {
                return
            }
            stream.beat()
        }
    }

    /// The newest version that the client heard of on an earlier stream.
    private func lastEventID(of request: Request) throws -> Int? {
        guard let name = HTTPField.Name("Last-Event-ID"), let text = request.headers[name] else { return nil }
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let version = Int(text)
        else { throw Problem.invalid("Last-Event-ID", "must be the id of an event, which is a whole number") }
        return version
    }

    /// In the form in which a sync stores it: Swift compares text by meaning, but
    /// what is refused here should be what a sync refuses.
    private func deviceID(in query: Parameters) throws -> String? {
        guard let text = query["device"].map({ String($0).precomposedStringWithCanonicalMapping }) else {
            return nil
        }
        guard (1...64).contains(text.unicodeScalars.count) else {
            throw Problem.invalid("device", "must have 1 to 64 characters")
        }
        return text
    }

    /// A proxy must neither keep the answer nor gather it, and the connection is of no use after it.
    private static let headers: HTTPFields = {
        var headers: HTTPFields = [
            .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store", .connection: "close",
        ]
        if let name = HTTPField.Name("X-Accel-Buffering") { headers[name] = "no" }
        return headers
    }()
}
