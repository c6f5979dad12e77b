import Foundation
import FoundationNetworking
import Testing

/// A client of one stream of server-sent events.
struct EventReader {
    let status: Int
    let headers: [String: String]
    private var chunks: AsyncStream<String>.Iterator
    private var unread = ""
    private let task: URLSessionDataTask

    /// Connects, and returns when the answer's head is there.
    init(_ path: String, at server: URL, token: String?, lastEventID: String? = nil) async throws {
        var request = URLRequest(url: try #require(URL(string: path, relativeTo: server)))
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        if let lastEventID { request.setValue(lastEventID, forHTTPHeaderField: "Last-Event-ID") }
        let receiver = Receiver()
        // A session of its own: one has only so many connections to a host.
        let session = URLSession(configuration: .ephemeral, delegate: receiver, delegateQueue: nil)
        task = session.dataTask(with: request)
        task.resume()
        session.finishTasksAndInvalidate()
        let head = try #require(await receiver.heads.first { _ in true }, "no answer")
        status = head.statusCode
        headers = try #require(head.allHeaderFields as? [String: String])
        chunks = receiver.chunks.makeAsyncIterator()
    }

    /// The next message with its last line break taken off, comments too; nil at the end.
    mutating func next() async -> String? {
        while true {
            if let end = unread.range(of: "\n\n") {
                defer { unread.removeSubrange(..<end.upperBound) }
                return String(unread[..<end.lowerBound])
            }
            guard let chunk = await chunks.next() else { return nil }
            unread += chunk
        }
    }

    /// The next event as `id name data`, past comments; nil at the end.
    mutating func nextEvent() async -> String? {
        while let message = await next() {
            let fields = message.split(separator: "\n").filter {
                !$0.hasPrefix(":") && !$0.hasPrefix("retry:")
            }
            guard !fields.isEmpty else { continue }
            return fields.map { $0.split(separator: ": ", maxSplits: 1).last.map(String.init) ?? "" }
                .joined(separator: " ")
        }
        return nil
    }

    /// What is left of an answer that isn't a stream.
    mutating func json() async throws -> [String: Any] {
        while let chunk = await chunks.next() { unread += chunk }
        return try #require(try JSONSerialization.jsonObject(with: Data(unread.utf8)) as? [String: Any])
    }

    /// Hangs up.
    func close() {
        task.cancel()
    }
}

private final class Receiver: NSObject, URLSessionDataDelegate {
    let (heads, head) = AsyncStream.makeStream(of: HTTPURLResponse.self)
    let (chunks, chunk) = AsyncStream.makeStream(of: String.self)

    func urlSession(
        _ session: URLSession,
        dataTask: URLSessionDataTask,
        didReceive response: URLResponse,
        completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
        if let response = response as? HTTPURLResponse { head.yield(response) }
        completionHandler(.allow)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        chunk.yield(String(decoding: data, as: UTF8.self))
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        head.finish()
        chunk.finish()
    }
}
