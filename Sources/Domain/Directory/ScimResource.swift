/// A resource's attributes by the schema's own names, without what the server says of it: `id` and `meta`.
package typealias ScimResource = [String: JSONValue]

extension ScimSchema {
    /// What is said of a resource, without what there is no attribute for.
    ///
    /// - Throws: where a value is not of its attribute's kind, or one is missing that is required.
    package func resource(_ body: JSONValue) throws(ScimError) -> ScimResource {
        guard case .object(let members) = body else { throw ScimError(.invalidSyntax, "it takes an object") }
        var resource: ScimResource = [:]
        for (name, value) in members {
            guard let path = ScimPath(name, in: self), path.subAttribute == nil,
                let attribute = attribute(path.attribute), !attribute.isReadOnly
            else { continue }
            resource[attribute.name] = try attribute.value(value)
        }
        try check(&resource)
        return resource
    }

    /// - Throws: where something is missing that is required.
    package func require(_ resource: ScimResource) throws(ScimError) {
        for attribute in attributes where attribute.isRequired && resource[attribute.name] == nil {
            throw ScimError(.invalidValue, "\(attribute.name) is required")
        }
    }

    /// What holds of the whole: what is required is there, and one value at most is the primary one.
    func check(_ resource: inout ScimResource) throws(ScimError) {
        try require(resource)
        for attribute in attributes {
            guard case .array(let values) = resource[attribute.name] else { continue }
            // The last one to be made so: whoever makes one the primary one means that the other isn't any more.
            let primary = values.lastIndex { $0.isPrimary }
            resource[attribute.name] = .array(
                values.enumerated().map { index, value in
                    value.isPrimary && index != primary ? value.setting("primary", to: .bool(false)) : value
                }
            )
        }
    }
}

extension ScimSchema.Attribute {
    /// A value of this attribute as it is kept; nil for none, which null and an empty list are too.
    func value(_ given: JSONValue) throws(ScimError) -> JSONValue? {
        guard given != .null else { return nil }
        guard isMultiValued else { return try single(given) }
        var values: [JSONValue] = []
        let givens: [JSONValue] = if case .array(let givens) = given { givens } else { [given] }
        for given in givens {
            if let value = try single(given), !values.contains(value) { values.append(value) }
        }
        return values.isEmpty ? nil : .array(values)
    }

    private func single(_ given: JSONValue) throws(ScimError) -> JSONValue? {
        switch (kind, given) {
        case (.text, .string(let text)):
            guard text.unicodeScalars.count <= 1024 else {
                throw ScimError(.invalidValue, "\(name) has more than 1024 characters")
            }
            return text.isEmpty && isRequired ? nil : given
        case (.flag, _):
            if let flag = given.flag { return .bool(flag) }
        case (.complex(let attributes), .object(let members)):
            var value: [String: JSONValue] = [:]
            for (name, given) in members {
                guard let attribute = attributes.named(name), !attribute.isReadOnly else { continue }
                value[attribute.name] = try attribute.value(given)
            }
            return value.isEmpty ? nil : .object(value)
        // A list of plain values, such as addresses.
        case (.complex(let attributes), .string) where isMultiValued && attributes.named("value") != nil:
            return .object(["value": given])
        default: break
        }
        throw ScimError(.invalidValue, "\(name) is not given like that")
    }
}

extension JSONValue {
    fileprivate var isPrimary: Bool {
        if case .object(let members) = self { members["primary"] == .bool(true) } else { false }
    }

    func setting(_ name: String, to value: JSONValue?) -> JSONValue {
        guard case .object(var members) = self else { return self }
        members[name] = value
        return .object(members)
    }
}
