/// What a company is called: 1 to 80 characters as a ``DisplayName`` has them, since people
/// are asked into it by that name.
package struct OrganizationName: Hashable, Sendable, Decodable {
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
