import Foundation

/// The name that a person chose to be seen by: 1 to 40 characters, as readers
/// count them, in Unicode normal form C, none of which hides, moves or reorders
/// the others.
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

/// What a reader sees of a name is all that it has: 1 to `most` characters as readers count them. Nil for what can't be one.
func visibleName(_ input: String, most: Int) -> String? {
    let text = input.precomposedStringWithCanonicalMapping.trimmingCharacters(in: .whitespaces)
    let scalars = text.unicodeScalars
    // A character has any number of marks; so many do for every script, and for four joined emoji.
    guard (1...most).contains(text.count), scalars.count <= 4 * most,
        let first = scalars.first, let last = scalars.last, !first.isJoiner, !last.isJoiner,
        scalars.contains(where: \.isVisible), text.allSatisfy(\.hidesNothing)
    else { return nil }
    return text
}

extension Character {
    /// Whether nothing in it hides, moves or reorders what stands around it.
    fileprivate var hidesNothing: Bool {
        isFlagOfRegion || unicodeScalars.allSatisfy { $0.isJoiner || !$0.isUnfitForNames }
    }

    /// Such as Scotland's: a black flag, and in invisible letters and digits whose.
    private var isFlagOfRegion: Bool {
        let tags = unicodeScalars.dropFirst().dropLast()
        return unicodeScalars.first == "\u{1F3F4}" && unicodeScalars.last == "\u{E007F}"
            && (3...6).contains(tags.count)
            && tags.allSatisfy {
                ("\u{E0030}"..."\u{E0039}").contains($0) || ("\u{E0061}"..."\u{E007A}").contains($0)
            }
    }
}

extension Unicode.Scalar {
    /// Joins letters or emoji or keeps them apart, as Persian and families need it.
    fileprivate var isJoiner: Bool { self == "\u{200C}" || self == "\u{200D}" }

    fileprivate var isUnfitForNames: Bool {
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
            true
        default: false
        }
    }

    /// Whether it shows something by itself.
    fileprivate var isVisible: Bool {
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .spaceSeparator: false
        default: !isUnfitForNames && !properties.isDefaultIgnorableCodePoint
        }
    }
}
