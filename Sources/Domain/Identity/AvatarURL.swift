import Foundation

/// Where a person's picture is: an https address with a host, and with nobody's credentials in it. It is passed on
/// to those who may see it, and nothing here ever asks for it.
package struct AvatarURL: Hashable, Sendable, Decodable {
    package let text: String

    /// Nil for what is none.
    package init?(_ input: String) {
        guard input.utf8.count <= 2048, input.hasPrefix("https://"),
            let url = URL(string: input, encodingInvalidCharacters: false), let host = url.host(),
            !host.isEmpty,
            // One that is empty is one too: what stands before an @ misleads about the host.
            !input.dropFirst(8).prefix(while: { !"/?#".contains($0) }).contains("@")
        else { return nil }
        text = input
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let url = AvatarURL(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription:
                    "must be an https address of at most 2048 characters, without user and password"
            )
        }
        self = url
    }
}
