import Foundation

/// Reads a filter from left to right. `or` binds less than `and`, that less than `not` and parentheses.
struct ScimFilterParser {
    private static let orders: [String: ScimFilter.Order] = [
        "eq": .equal, "co": .contains, "sw": .starts, "ew": .ends,
        "gt": .greater, "ge": .greaterOrEqual, "lt": .less, "le": .lessOrEqual,
    ]

    private let schema: ScimSchema
    /// What may be asked for here: a resource's attributes, or within brackets those of a value.
    private let attributes: [ScimSchema.Attribute]
    private var rest: Substring
    /// How much deeper it may go.
    private var depth = 30

    init(_ text: String, schema: ScimSchema, attributes: [ScimSchema.Attribute]) {
        self.schema = schema
        self.attributes = attributes
        rest = text[...]
    }

    mutating func whole() throws(ScimError) -> ScimFilter {
        let filter = try either()
        skipSpaces()
        guard rest.isEmpty else { throw unexpected() }
        return filter
    }

    private mutating func either() throws(ScimError) -> ScimFilter {
        var filter = try both()
        while takeWord("or") { filter = .either(filter, try both()) }
        return filter
    }

    private mutating func both() throws(ScimError) -> ScimFilter {
        var filter = try single()
        while takeWord("and") { filter = .both(filter, try single()) }
        return filter
    }

    private mutating func single() throws(ScimError) -> ScimFilter {
        depth -= 1
        defer { depth += 1 }
        guard depth > 0 else { throw ScimError(.invalidFilter, "it is nested too deeply") }
        if takeWord("not") {
            guard take("(") else { throw unexpected() }
            return .not(try closed())
        }
        if take("(") { return try closed() }
        return try comparison()
    }

    private mutating func closed() throws(ScimError) -> ScimFilter {
        let filter = try either()
        guard take(")") else { throw unexpected() }
        return filter
    }

    private mutating func comparison() throws(ScimError) -> ScimFilter {
        skipSpaces()
        let name = rest.prefix { !" ()[]\"".contains($0) }
        rest = rest.dropFirst(name.count)
        guard let path = ScimPath(name, in: schema) else { throw unexpected() }
        guard let attribute = attributes.named(path.attribute) else {
            throw ScimError(.invalidFilter, "there is no attribute \(name.prefix(80))")
        }
        if rest.first == "[" {
            rest = rest.dropFirst()
            guard attribute.isMultiValued, path.subAttribute == nil else { throw unexpected() }
            return try bracketed(attribute)
        }
        guard let subAttribute = path.subAttribute else { return try test(attribute, attribute.name) }
        guard let inner = attribute.attributes.named(subAttribute) else {
            throw ScimError(.invalidFilter, "there is no attribute \(name.prefix(80))")
        }
        return attribute.isMultiValued
            ? .any(attribute.name, try test(inner, inner.name))
            : try test(inner, "\(attribute.name).\(inner.name)")
    }

    /// `emails[type eq "work"]`; and with `.value eq "…"` after it, which the RFC has for changes alone and
    /// Entra ID asks with.
    private mutating func bracketed(_ attribute: ScimSchema.Attribute) throws(ScimError) -> ScimFilter {
        var inner = ScimFilterParser("", schema: schema, attributes: attribute.attributes)
        inner.rest = rest
        inner.depth = depth
        var filter = try inner.either()
        guard inner.take("]") else { throw inner.unexpected() }
        if inner.rest.first == "." {
            inner.rest = inner.rest.dropFirst()
            filter = .both(filter, try inner.comparison())
        }
        rest = inner.rest
        return .any(attribute.name, filter)
    }

    /// What is said of an attribute, after its name.
    private mutating func test(
        _ attribute: ScimSchema.Attribute,
        _ name: String
    ) throws(ScimError) -> ScimFilter {
        if takeWord("pr") {
            return attribute.isMultiValued ? .any(attribute.name, .always) : .present(name)
        }
        // The values of a multi-valued attribute are compared by their `value`.
        if attribute.isMultiValued {
            guard let value = attribute.attributes.named("value") else { throw unexpected() }
            return .any(attribute.name, try test(value, value.name))
        }
        let word = takeName().lowercased()
        guard word == "ne" || Self.orders[word] != nil else {
            throw ScimError(.invalidFilter, "there is no operator \(word.prefix(20))")
        }
        let order = Self.orders[word] ?? .equal
        let equals = try compare(attribute, name, order)
        return word == "ne" ? .not(equals) : equals
    }

    private mutating func compare(
        _ attribute: ScimSchema.Attribute,
        _ name: String,
        _ order: ScimFilter.Order
    ) throws(ScimError) -> ScimFilter {
        let value = try literal()
        switch (attribute.kind, value) {
        case (.complex, _): break
        case (_, .null) where order == .equal: return .not(.present(name))
        case (.text(let caseExact), .string(let text)): return .text(name, caseExact: caseExact, order, text)
        case (.flag, _) where order == .equal:
            if let flag = value.flag { return .flag(name, flag) }
        case (.instant, .string(let text)):
            if let instant = Instant(text), ![.contains, .starts, .ends].contains(order) {
                return .instant(name, order, instant)
            }
        default: break
        }
        throw ScimError(.invalidFilter, "\(name) is not compared like that")
    }

    /// A value as JSON has it.
    private mutating func literal() throws(ScimError) -> JSONValue {
        skipSpaces()
        var text = rest.prefix { !" ()[]".contains($0) }
        if rest.first == "\"" {
            var isEscaped = false
            var end = rest.index(after: rest.startIndex)
            while end < rest.endIndex, isEscaped || rest[end] != "\"" {
                isEscaped = !isEscaped && rest[end] == "\\"
                end = rest.index(after: end)
            }
            guard end < rest.endIndex else { throw ScimError(.invalidFilter, "a text has no end") }
            text = rest[...end]
        }
        rest = rest[text.endIndex...]
        let word = text.lowercased()
        let json = ["true", "false", "null"].contains(word) ? word : String(text)
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(json.utf8)) else {
            throw ScimError(.invalidFilter, "\(text.prefix(80)) is no value")
        }
        guard value != .string("\0"), !text.contains("\\u0000") else {
            throw ScimError(.invalidFilter, "a text has the character U+0000")
        }
        return value
    }

    private func unexpected() -> ScimError {
        rest.isEmpty
            ? ScimError(.invalidFilter, "it ends too early")
            : ScimError(.invalidFilter, "\(rest.prefix(20)) is not expected there")
    }

    private mutating func skipSpaces() {
        rest = rest.drop { $0 == " " }
    }

    private mutating func take(_ sign: Character) -> Bool {
        skipSpaces()
        guard rest.first == sign else { return false }
        rest = rest.dropFirst()
        return true
    }

    private mutating func takeName() -> Substring {
        skipSpaces()
        let name = rest.prefix(while: \.isLetter)
        rest = rest.dropFirst(name.count)
        return name
    }

    private mutating func takeWord(_ word: String) -> Bool {
        skipSpaces()
        let name = rest.prefix(while: \.isLetter)
        let after = rest.dropFirst(name.count).first
        guard name.lowercased() == word, after == nil || " ()]".contains(after ?? " ") else { return false }
        rest = rest.dropFirst(name.count)
        return true
    }
}

extension JSONValue {
    /// True or false, also as the text that Entra ID makes of it.
    var flag: Bool? {
        switch self {
        case .bool(let value): value
        case .string(let text): ["true": true, "false": false][text.lowercased()]
        default: nil
        }
    }
}
