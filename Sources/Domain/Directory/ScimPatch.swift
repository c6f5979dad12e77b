/// Changes of a resource (RFC 7644 §3.5.2), in every way in which Okta and Entra ID write them: with a
/// path or without one, `replace` or `Replace`, `"False"` for false, and `remove` with the values to remove.
package struct ScimPatch: Sendable {
    package enum Verb: String, Sendable {
        case add, replace, remove
    }

    /// A change of one attribute.
    package struct Change: Hashable, Sendable {
        package let verb: Verb
        /// In whatever case, as it was written.
        package let path: String
        package let value: JSONValue?
    }

    /// One after the other.
    package let changes: [Change]

    package init(_ body: JSONValue) throws(ScimError) {
        guard case .object(let members) = body, case .array(let operations) = members.named("Operations"),
            !operations.isEmpty
        else { throw ScimError(.invalidSyntax, "Operations is required") }
        guard operations.count <= 1000 else { throw ScimError(.invalidValue, "at most 1000 Operations") }
        var changes: [Change] = []
        for operation in operations {
            guard case .object(let operation) = operation, case .string(let op) = operation.named("op"),
                let verb = Verb(rawValue: op.lowercased())
            else { throw ScimError(.invalidSyntax, "op is add, replace or remove") }
            let value = operation.named("value")
            switch operation.named("path") {
            case .string(let path) where !path.isEmpty:
                changes.append(Change(verb: verb, path: path, value: value))
            case nil, .null, .string:
                guard verb != .remove else { throw ScimError(.noTarget, "remove takes a path") }
                guard case .object(let values) = value else {
                    throw ScimError(.invalidSyntax, "without a path, value is an object")
                }
                // Okta repeats which resource it is; to change that would take a path.
                changes += values.filter { $0.key.lowercased() != "id" }.sorted { $0.key < $1.key }.map {
                    path,
                    value in
                    Change(verb: verb, path: path, value: value)
                }
            default: throw ScimError(.invalidPath, "path is text")
            }
        }
        self.changes = changes
    }

    package func apply(to resource: inout ScimResource, of schema: ScimSchema) throws(ScimError) {
        for change in changes { try change.apply(to: &resource, of: schema) }
        try schema.check(&resource)
    }
}

extension ScimPatch.Change {
    /// What a path leads to. Nil for what we keep nothing of, which is no mistake: a directory sends
    /// everything that it was set up to.
    package struct Target: Sendable {
        package let attribute: ScimSchema.Attribute
        package let filter: ScimFilter?
        let inner: ScimSchema.Attribute?
    }

    package func target(in schema: ScimSchema) throws(ScimError) -> Target? {
        var head = path[...]
        var tail: Substring = ""
        var brackets: Substring?
        if let open = path.firstIndex(of: "[") {
            guard let close = path.lastIndex(of: "]"), open < close else {
                throw ScimError(.invalidPath, "\(path.prefix(80)) is no path")
            }
            head = path[..<open]
            brackets = path[path.index(after: open)..<close]
            tail = path[path.index(after: close)...]
        }
        guard let place = ScimPath(head, in: schema), tail.isEmpty || tail.first == ".",
            tail.isEmpty || ScimPath(tail.dropFirst(), in: schema) != nil,
            brackets == nil || place.subAttribute == nil
        else { throw ScimError(.invalidPath, "\(path.prefix(80)) is no path") }
        guard let attribute = schema.attribute(place.attribute) else { return nil }
        if attribute.isReadOnly {
            if attribute.name == "id" { throw ScimError(.mutability, "\(attribute.name) can't be changed") }
            return nil
        }
        var filter: ScimFilter?
        if let brackets {
            guard attribute.isMultiValued else {
                throw ScimError(.invalidPath, "\(attribute.name) has one value")
            }
            do {
                var parser = ScimFilterParser(
                    String(brackets),
                    schema: schema,
                    attributes: attribute.attributes
                )
                filter = try parser.whole()
            } catch {
                throw ScimError(.invalidPath, error.detail)
            }
        }
        guard let name = tail.isEmpty ? place.subAttribute : String(tail.dropFirst()) else {
            return Target(attribute: attribute, filter: filter, inner: nil)
        }
        guard let inner = attribute.attributes.named(name) else { return nil }
        return Target(attribute: attribute, filter: filter, inner: inner)
    }

    package func apply(to resource: inout ScimResource, of schema: ScimSchema) throws(ScimError) {
        guard let target = try target(in: schema) else { return }
        let name = target.attribute.name
        if target.attribute.isMultiValued {
            let values: [JSONValue] = if case .array(let values) = resource[name] { values } else { [] }
            let changed = try change(values, at: target)
            resource[name] = changed.isEmpty ? nil : .array(changed)
        } else if let inner = target.inner {
            let object = resource[name] ?? .object([:])
            let changed = object.setting(inner.name, to: try written(inner))
            resource[name] = changed == .object([:]) ? nil : changed
        } else if case .object(let old) = resource[name], verb != .remove,
            case .object(let new) = try written(target.attribute)
        {
            // What is said of a name is said of its parts: the others stay.
            resource[name] = .object(old.merging(new) { $1 })
        } else {
            resource[name] = try written(target.attribute)
        }
    }

    /// What an attribute is to be; nil for nothing.
    private func written(_ attribute: ScimSchema.Attribute) throws(ScimError) -> JSONValue? {
        guard verb != .remove, let value else { return nil }
        return try attribute.value(value)
    }

    private func change(_ values: [JSONValue], at target: Target) throws(ScimError) -> [JSONValue] {
        let chosen = values.indices.filter { index in
            guard let filter = target.filter else { return true }
            guard case .object(let members) = values[index] else { return false }
            return filter.holds(for: members)
        }
        if let inner = target.inner {
            var values = values
            let new = try written(inner)
            for index in chosen { values[index] = values[index].setting(inner.name, to: new) }
            if chosen.isEmpty, let new {
                values.append(.object(try missing(target.filter).merging([inner.name: new]) { $1 }))
            }
            return values.filter { $0 != .object([:]) }
        }
        let given = try listed(target.attribute)
        switch (verb, target.filter) {
        case (.remove, let filter):
            // With the values, those alone go: whoever names two of a thousand doesn't mean the thousand.
            guard filter == nil, let given else {
                return values.indices.filter { !chosen.contains($0) }.map { values[$0] }
            }
            return values.filter { value in !given.contains { $0.isSame(as: value) } }
        case (.add, nil):
            return values + (given ?? []).filter { !values.contains($0) }
        case (.replace, nil):
            return given ?? []
        case (_, let filter?):
            guard case .object(let new) = given?.first else {
                throw ScimError(.invalidValue, "\(target.attribute.name) takes an object there")
            }
            guard !chosen.isEmpty else { return values + [.object(try missing(filter).merging(new) { $1 })] }
            return values.indices.map { index in
                guard chosen.contains(index), case .object(let old) = values[index] else {
                    return values[index]
                }
                return .object(old.merging(new) { $1 })
            }
        }
    }

    /// The values that are given, nil where none is.
    package func listed(_ attribute: ScimSchema.Attribute) throws(ScimError) -> [JSONValue]? {
        guard let value, case .array(let values) = try attribute.value(value) else { return nil }
        return values
    }

    /// What `emails[type eq "work"].value` makes where there is no such address yet.
    private func missing(_ filter: ScimFilter?) throws(ScimError) -> [String: JSONValue] {
        guard let filter else { return [:] }
        guard let example = filter.example else {
            throw ScimError(.noTarget, "\(path.prefix(80)) is not there")
        }
        return example
    }
}

extension JSONValue {
    /// Whether two values of an attribute are the same one: by their `value`, where both have one.
    fileprivate func isSame(as other: JSONValue) -> Bool {
        guard case .object(let left) = self, case .object(let right) = other,
            let one = left["value"], let another = right["value"]
        else { return self == other }
        return one == another
    }
}

extension [String: JSONValue] {
    /// By its name in whatever case.
    fileprivate func named(_ name: String) -> JSONValue? {
        self[name] ?? first { $0.key.lowercased() == name.lowercased() }?.value
    }
}
