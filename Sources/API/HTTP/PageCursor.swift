import Foundation

/// Where a page ends, as its client brings it back for the next one. It can be read, since it says no more than the page
/// did; ``BoardCursor`` says more and is sealed.
protocol PageCursor: Codable, Sendable {}

extension PageCursor {
    /// Nil for what isn't a cursor of this kind.
    init?(_ text: String) {
        guard let data = Data(base64URL: text), let cursor = try? JSONDecoder().decode(Self.self, from: data)
        else { return nil }
        self = cursor
    }

    var text: String? {
        (try? JSONOutput.bytes(of: self)).map { Data($0).base64URL }
    }
}
