import Foundation

/// A password that somebody wants to have: 12 to 256 characters of any kind, and none that
/// everybody tries first (OWASP ASVS 5.0 §6.2).
package struct NewPassword: Sendable {
    /// Why it can't be one, in words for the person.
    package struct Refusal: Error, Equatable {
        package let why: String
    }

    package static let length = 12...256

    /// As ``PasswordText`` has it.
    package let text: String

    /// - Parameter address: of the person, which is no secret.
    /// - Throws: ``Refusal``.
    package init(_ input: String, common: CommonPasswords, address: EmailAddress? = nil) throws(Refusal) {
        let text = PasswordText.prepared(input)
        guard Self.length.contains(text.count), text.unicodeScalars.count <= 4 * Self.length.upperBound else {
            throw Refusal(why: "must have 12 to 256 characters")
        }
        guard !common.has(text) else {
            throw Refusal(why: "is one that many people have; a few words in a row make a good one")
        }
        if let address, [address.description, address.local].contains(text.lowercased()) {
            throw Refusal(why: "must not be the address")
        }
        self.text = text
    }
}

package enum PasswordText {
    /// The same text for the same signs, however a keyboard composed them (RFC 8265 §4.2).
    package static func prepared(_ input: String) -> String {
        String(
            String.UnicodeScalarView(
                input.precomposedStringWithCanonicalMapping.unicodeScalars.map {
                    $0.properties.generalCategory == .spaceSeparator ? " " : $0
                }
            )
        )
    }
}

/// What everybody tries first.
package struct CommonPasswords: Sendable {
    private let entries: Set<String>

    /// - Parameter entries: in lower case.
    package init(_ entries: some Sequence<some StringProtocol>) {
        self.entries = Set(entries.map { String($0) })
    }

    /// Whether it is one of them, one with digits or marks around it, or the same few signs over and over.
    func has(_ password: String) -> Bool {
        let text = password.lowercased()
        let word = text.drop { !$0.isLetter }.reversed().drop { !$0.isLetter }.reversed()
        return entries.contains(text) || entries.contains(String(word)) || Self.repeats(Array(text))
            || Self.counts(text)
    }

    /// Whether it is a part of at most four signs, again and again.
    private static func repeats(_ text: [Character]) -> Bool {
        (1...4).contains { size in
            text.indices.allSatisfy { text[$0] == text[$0 % size] }
        }
    }

    /// Whether each sign is the one after, or before, the sign in front of it; after nine comes nought.
    private static func counts(_ text: String) -> Bool {
        let values = text.unicodeScalars.map(\.value)
        func follows(_ next: UInt32, _ value: UInt32) -> Bool {
            next == value + 1 || (value == 0x39 && next == 0x30)
        }
        let steps = zip(values, values.dropFirst())
        return steps.allSatisfy { follows($1, $0) } || steps.allSatisfy { follows($0, $1) }
    }
}
