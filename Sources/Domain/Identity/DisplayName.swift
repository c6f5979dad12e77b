import Foundation

/// The name that a person chose to be seen by: 1 to 40 characters in Unicode
/// normal form C, none of which hides, moves or reorders the others.
package struct DisplayName: Hashable, Sendable, Decodable {
    package let text: String

    /// Nil for what can't be a name.
    package init?(_ input: String) {
        let text = input.precomposedStringWithCanonicalMapping.trimmingCharacters(in: .whitespaces)
        let invisible: Set<Unicode.GeneralCategory> = [
            .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
        ]
        guard (1...40).contains(text.count), text.unicodeScalars.count <= 40,
            !text.unicodeScalars.contains(where: { invisible.contains($0.properties.generalCategory) })
        else { return nil }
        self.text = text
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let name = DisplayName(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "must have 1 to 40 visible characters"
            )
        }
        self = name
    }
}
