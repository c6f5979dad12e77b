import Foundation

/// Where people reach this server with a browser: what its links begin with.
struct Site: Sendable {
    /// Without a slash at its end.
    let base: String

    var isSecure: Bool { base.hasPrefix("https://") }

    func url(_ path: String) -> String { base + path }
}

extension Site {
    /// Nil for what isn't the address of a site.
    init?(_ text: String) {
        guard let url = URL(string: text), ["http", "https"].contains(url.scheme), url.host() != nil,
            url.query() == nil, url.fragment() == nil, url.user() == nil
        else { return nil }
        base = text.hasSuffix("/") ? String(text.dropLast()) : text
    }
}
