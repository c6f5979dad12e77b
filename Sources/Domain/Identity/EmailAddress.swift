/// A mail address that one can write to: `local@domain` in ASCII, a dot-atom and a host's
/// name (RFC 5321 §4.1.2), without quoting. So it has no sign that could end a line, and
/// can stand in a header or a mail server's command as it is.
package struct EmailAddress: Hashable, Sendable, CustomStringConvertible {
    private static let atomSigns = Set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~"
    )
    private static let labelSigns = Set("abcdefghijklmnopqrstuvwxyz0123456789-")

    package let local: String
    /// In lower case.
    package let domain: String

    /// Nil for what is no such address, or has more than 254 bytes (64 before the @).
    package init?(_ text: String) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard text.utf8.count <= 254, parts.count == 2, parts[0].utf8.count <= 64 else { return nil }
        local = String(parts[0])
        domain = parts[1].lowercased()
        let atoms = local.split(separator: ".", omittingEmptySubsequences: false)
        let labels = domain.split(separator: ".", omittingEmptySubsequences: false)
        guard atoms.allSatisfy({ !$0.isEmpty && $0.allSatisfy(Self.atomSigns.contains) }),
            labels.count >= 2, labels.allSatisfy(Self.isLabel),
            labels.last?.contains(where: \.isLetter) == true
        else { return nil }
    }

    package var description: String { "\(local)@\(domain)" }

    private static func isLabel(_ label: Substring) -> Bool {
        (1...63).contains(label.utf8.count) && label.allSatisfy(labelSigns.contains)
            && label.first != "-" && label.last != "-"
    }
}

extension EmailAddress: Decodable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let address = EmailAddress(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "must be a mail address such as someone@example.org"
            )
        }
        self = address
    }
}
