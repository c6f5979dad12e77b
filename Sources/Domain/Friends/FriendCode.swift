/// An invitation to be friends, to be read aloud or typed off a screen, such as
/// `BM-7K3QXD-M02WTZ`: sixty bits in Crockford's base 32, which has no letter that
/// looks like another sign.
package struct FriendCode: Hashable, Sendable, CustomStringConvertible {
    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    private static let length = 12
    private static let prefix = "BM"

    private let symbols: String

    /// - Parameter secret: eight bytes that nobody can guess, of which sixty bits are used.
    package init(secret: UInt64) {
        symbols = String((1...Self.length).map { Self.alphabet[Int((secret >> (64 - 5 * $0)) & 31)] })
    }

    /// A code as somebody typed it: in any case, with or without its hyphens, and
    /// with O for 0 or I and L for 1. Nil for what can't be one.
    package init?(_ typed: String) {
        let signs = typed.uppercased().filter { $0 != "-" && !$0.isWhitespace }
        guard signs.hasPrefix(Self.prefix) else { return nil }
        symbols = String(
            signs.dropFirst(Self.prefix.count).map { sign -> Character in
                switch sign {
                case "O": "0"
                case "I", "L": "1"
                default: sign
                }
            }
        )
        guard symbols.count == Self.length, symbols.allSatisfy(Self.alphabet.contains) else { return nil }
    }

    package var description: String {
        "\(Self.prefix)-\(symbols.prefix(Self.length / 2))-\(symbols.suffix(Self.length / 2))"
    }
}

extension FriendCode: Decodable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let code = FriendCode(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "must look like BM-7K3QXD-M02WTZ"
            )
        }
        self = code
    }
}
