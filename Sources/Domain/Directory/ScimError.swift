/// Why what a directory asks for can't be done, in the words of RFC 7644 §3.12.
package struct ScimError: Error, Hashable, Sendable {
    package enum Kind: String, Sendable {
        case invalidFilter, invalidPath, invalidSyntax, invalidValue, mutability, noTarget, uniqueness
    }

    package let kind: Kind
    package let detail: String

    package init(_ kind: Kind, _ detail: String) {
        self.kind = kind
        self.detail = detail
    }
}
