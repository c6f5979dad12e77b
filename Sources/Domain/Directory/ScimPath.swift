/// Where an attribute is: `userName`, `name.familyName`, either with the schema's name before it.
struct ScimPath {
    let attribute: String
    let subAttribute: String?

    /// Nil for text that is no path. Of a schema that isn't ours the name is part of the attribute's, so
    /// that it is like no other.
    init?(_ text: some StringProtocol, in schema: ScimSchema) {
        var text = String(text)
        var foreign = ""
        if text.lowercased().hasPrefix("urn:") {
            guard let colon = text.lastIndex(of: ":") else { return nil }
            if text[..<colon].lowercased() != schema.id.lowercased() { foreign = String(text[...colon]) }
            text = String(text[text.index(after: colon)...])
        }
        let names = text.split(separator: ".", omittingEmptySubsequences: false)
        // The name of a whole schema ends in its version and its kind, and has no sub-attributes.
        guard names.count <= 2, let first = names.first, names.allSatisfy(Self.isName) else { return nil }
        attribute = foreign + first
        subAttribute = names.count == 2 ? String(names[1]) : nil
    }

    private static func isName(_ text: Substring) -> Bool {
        guard let first = text.utf8.first else { return false }
        let isLetter = { (byte: UInt8) in (0x41...0x5A).contains(byte & 0xDF) }
        return (isLetter(first) || first == UInt8(ascii: "$"))
            && text.utf8.dropFirst().allSatisfy {
                isLetter($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-")
                    || $0 == UInt8(ascii: "_")
            }
    }
}
