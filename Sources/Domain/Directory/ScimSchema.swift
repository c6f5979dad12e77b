/// What there is to know of a user or a group: the attributes that a company's directory may write and
/// ask for. A directory sends many more, of which none is needed here, so none is kept.
package struct ScimSchema: Sendable {
    package struct Attribute: Sendable {
        package enum Kind: Sendable {
            case text(caseExact: Bool)
            case flag
            case instant
            case complex([Attribute])
        }

        package let name: String
        package let kind: Kind
        package var isMultiValued = false
        package var isRequired = false
        /// Whether it is for the server alone to say.
        package var isReadOnly = false
        /// Whether it is said once, with the value it belongs to.
        package var isImmutable = false
        /// Whether no other resource of the company has the same.
        package var isUnique = false
        /// The type of resource that it refers to.
        package var refersTo: String?
        package let description: String

        package var attributes: [Attribute] {
            if case .complex(let attributes) = kind { attributes } else { [] }
        }
    }

    package let id: String
    package let name: String
    package let description: String
    package let attributes: [Attribute]

    /// Those of every resource, which no schema lists.
    static let common: [Attribute] = [
        Attribute(
            name: "id",
            kind: .text(caseExact: true),
            isReadOnly: true,
            description: "The resource's id."
        ),
        Attribute(
            name: "externalId",
            kind: .text(caseExact: true),
            description: "What the directory knows it by."
        ),
        Attribute(
            name: "meta",
            kind: .complex([
                Attribute(name: "created", kind: .instant, isReadOnly: true, description: "When it came."),
                Attribute(
                    name: "lastModified",
                    kind: .instant,
                    isReadOnly: true,
                    description: "When it changed."
                ),
            ]),
            isReadOnly: true,
            description: "About the resource."
        ),
    ]

    package static let user = ScimSchema(
        id: "urn:ietf:params:scim:schemas:core:2.0:User",
        name: "User",
        description: "Somebody who works at the company.",
        attributes: [
            Attribute(
                name: "userName",
                kind: .text(caseExact: false),
                isRequired: true,
                isUnique: true,
                description: "What they sign in with, unique within the company."
            ),
            Attribute(
                name: "name",
                kind: .complex([
                    Attribute(
                        name: "formatted",
                        kind: .text(caseExact: false),
                        description: "The whole name."
                    ),
                    Attribute(
                        name: "familyName",
                        kind: .text(caseExact: false),
                        description: "The family's name."
                    ),
                    Attribute(
                        name: "givenName",
                        kind: .text(caseExact: false),
                        description: "The given name."
                    ),
                ]),
                description: "Their name, as the company writes it. Shown to nobody."
            ),
            Attribute(
                name: "displayName",
                kind: .text(caseExact: false),
                description: "As the company calls them. Shown to nobody."
            ),
            Attribute(
                name: "emails",
                kind: .complex([
                    Attribute(name: "value", kind: .text(caseExact: false), description: "The address."),
                    Attribute(name: "type", kind: .text(caseExact: false), description: "Such as work."),
                    Attribute(name: "primary", kind: .flag, description: "Whether it is the first to use."),
                ]),
                isMultiValued: true,
                description:
                    "Their addresses. The primary one, or else the one of work, is what they are known by here."
            ),
            Attribute(name: "active", kind: .flag, description: "Whether they belong to the company now."),
        ]
    )

    package static let group = ScimSchema(
        id: "urn:ietf:params:scim:schemas:core:2.0:Group",
        name: "Group",
        description: "A team within the company.",
        attributes: [
            Attribute(
                name: "displayName",
                kind: .text(caseExact: false),
                isRequired: true,
                isUnique: true,
                description: "The team's name, unique within the company."
            ),
            Attribute(
                name: "members",
                kind: .complex([
                    Attribute(
                        name: "value",
                        kind: .text(caseExact: true),
                        isImmutable: true,
                        description: "The id of a user."
                    ),
                    Attribute(
                        name: "$ref",
                        kind: .text(caseExact: true),
                        isImmutable: true,
                        refersTo: "User",
                        description: "Where the user is."
                    ),
                ]),
                isMultiValued: true,
                description: "Who belongs to it."
            ),
        ]
    )

    /// By its name in whatever case, among those that every resource has too.
    package func attribute(_ name: String) -> Attribute? {
        (Self.common + attributes).named(name)
    }
}

extension [ScimSchema.Attribute] {
    /// By its name in whatever case.
    func named(_ name: String) -> Element? {
        first { $0.name.lowercased() == name.lowercased() }
    }
}
