import CCurl
import Foundation
import Synchronization

/// Asks another server for a short answer: for addresses that the operator has set, or that are named by those.
final class Fetch: Sendable {
    /// The answer didn't come, or wasn't one.
    struct Failure: Error, CustomStringConvertible {
        let description: String
        /// Of an answer that was no 200; nil where none came.
        var status: Int?
    }

    private static let mostBytes = 64 * 1024
    private static let mostAtOnce = 16

    /// Seconds for one answer, from looking the name up.
    private let deadline: Int
    private let threads = DispatchQueue(label: "fetch", attributes: .concurrent)
    private let running = Mutex(0)

    init(deadline: Int = 5) {
        self.deadline = deadline
    }

    /// - Parameter form: what is sent, as `application/x-www-form-urlencoded`; nil asks by GET.
    /// - Throws: ``Failure`` for any answer but a 200, or `CancellationError`.
    func body(of url: String, form: [URLQueryItem]? = nil) async throws -> Data {
        try running.withLock { running in
            guard running < Self.mostAtOnce else { throw Failure(description: "too many are asked at once") }
            running += 1
        }
        defer { running.withLock { $0 -= 1 } }
        let sent = form.map(Self.encoded)
        return try await Curl.run(on: threads) { [deadline] stopped in
            try Self.fetch(url, sent, deadline, until: stopped)
        }
    }

    private static func fetch(
        _ url: String,
        _ form: String?,
        _ deadline: Int,
        until stopped: UnsafeMutablePointer<Int32>
    ) throws -> Data {
        var (status, length) = (0, 0)
        var body = Data(count: mostBytes)
        let result = body.withUnsafeMutableBytes { bytes in
            bmc_fetch(
                url,
                isOnThisMachine(url) ? 0 : 1,
                form,
                bytes.bindMemory(to: CChar.self).baseAddress,
                bytes.count,
                deadline,
                stopped,
                &length,
                &status
            )
        }
        switch result {
        case CURLE_OK where status == 200: return body.prefix(length)
        case CURLE_OK: throw Failure(description: "answered \(status)", status: status)
        case CURLE_ABORTED_BY_CALLBACK: throw CancellationError()
        default: throw Failure(description: String(cString: curl_easy_strerror(result)))
        }
    }

    static func isOnThisMachine(_ url: String) -> Bool {
        Curl.isThisMachine(URLComponents(string: url)?.host)
    }

    private static func encoded(_ form: [URLQueryItem]) -> String {
        var components = URLComponents()
        components.queryItems = form
        // A plus is itself in a query, and a space in a form (WHATWG URL §5.2).
        return (components.percentEncodedQuery ?? "").replacing("+", with: "%2B")
    }
}
