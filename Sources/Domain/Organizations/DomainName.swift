import Foundation

/// A mail domain in the one form in which it is kept and compared: ASCII in lower case, with other
/// scripts in Punycode (IDNA), without the dot at the end. It leaves room for the name of its record.
package struct DomainName: Hashable, Sendable, CustomStringConvertible {
    /// Where the record has to be, in front of the domain.
    package static let challenge = "_breathmaster-challenge"

    package let description: String

    /// Nil for what is no name of a host with two labels or more.
    package init?(_ text: String) {
        var name = text.trimmingCharacters(in: .whitespaces)
        if name.hasSuffix(".") { name.removeLast() }
        // What would end the host of a URL, or be undone there.
        guard !name.isEmpty, !name.contains(where: { "/:@?#[]%\\".contains($0) || $0.isWhitespace }) else {
            return nil
        }
        var components = URLComponents()
        components.scheme = "https"
        components.host = name
        guard let encoded = components.encodedHost?.lowercased() else { return nil }
        let labels = encoded.split(separator: ".", omittingEmptySubsequences: false)
        let signs = Set("abcdefghijklmnopqrstuvwxyz0123456789-")
        guard encoded.utf8.count + Self.challenge.utf8.count + 1 <= 253, labels.count >= 2,
            labels.allSatisfy({ label in
                (1...63).contains(label.count) && label.allSatisfy(signs.contains)
                    && label.first != "-" && label.last != "-"
            }),
            let top = labels.last, top.count >= 2, top.first?.isLetter == true
        else { return nil }
        description = encoded
    }

    /// Where its record has to be.
    package var recordName: String { "\(Self.challenge).\(description)" }

    /// The domain, and every one that it lies in.
    package var andParents: [String] {
        let labels = description.split(separator: ".")
        return labels.indices.map { labels[$0...].joined(separator: ".") }
    }
}

extension DomainName: Decodable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let name = DomainName(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "must be a domain such as example.org"
            )
        }
        self = name
    }
}
