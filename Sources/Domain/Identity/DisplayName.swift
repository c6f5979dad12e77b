import Foundation

/// The name that a person chose to be seen by: 1 to 40 characters in Unicode
/// normal form C, none of which hides, moves or reorders the others.
package struct DisplayName: Hashable, Sendable, Decodable {
    package let text: String

    /// Nil for what can't be a name.
    package init?(_ input: String) {
        guard let text = visibleName(input, most: 40) else { return nil }
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

/// The name that a person has among colleagues, 1 to 80 characters as a ``DisplayName`` has them.
package struct RealName: Hashable, Sendable, Decodable {
    package let text: String

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let text = visibleName(try container.decode(String.self), most: 80) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "must have 1 to 80 visible characters"
            )
        }
        self.text = text
    }
}

func visibleName(_ input: String, most: Int) -> String? {
    let text = input.precomposedStringWithCanonicalMapping.trimmingCharacters(in: .whitespaces)
    let invisible: Set<Unicode.GeneralCategory> = [
        .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
    ]
    guard (1...most).contains(text.count), text.unicodeScalars.count <= most,
        !text.unicodeScalars.contains(where: { invisible.contains($0.properties.generalCategory) })
    else { return nil }
    return text
}
