import Foundation

/// What a person calls one of their devices: 1 to 80 characters in Unicode normal
/// form C, on one line. Only they see it, so it may hold whatever else they like.
package struct DeviceName: Hashable, Sendable, Decodable {
    package let text: String

    /// Nil for what can't be a name.
    package init?(_ input: String) {
        let text = input.precomposedStringWithCanonicalMapping.trimmingCharacters(in: .whitespaces)
        let breaking: Set<Unicode.GeneralCategory> = [.control, .lineSeparator, .paragraphSeparator]
        // Postgres counts scalars, not what a reader would call characters.
        guard (1...80).contains(text.unicodeScalars.count),
            !text.unicodeScalars.contains(where: { breaking.contains($0.properties.generalCategory) })
        else { return nil }
        self.text = text
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let name = DeviceName(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "must have 1 to 80 characters, none of them a control character"
            )
        }
        self = name
    }
}
