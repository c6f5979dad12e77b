/// A condition on a resource, such as `userName eq "ada" and emails[type eq "work"]` (RFC 7644 §3.4.2.2),
/// in terms of the schema's own names: what it asks for there is.
package indirect enum ScimFilter: Hashable, Sendable {
    package enum Order: Sendable {
        case equal, contains, starts, ends, greater, greaterOrEqual, less, lessOrEqual
    }

    case text(String, caseExact: Bool, Order, String)
    case flag(String, Bool)
    case instant(String, Order, Instant)
    case present(String)
    /// Whether any value of a multi-valued attribute is so.
    case any(String, ScimFilter)
    case both(ScimFilter, ScimFilter)
    case either(ScimFilter, ScimFilter)
    case not(ScimFilter)
    case always

    package init(_ text: String, on schema: ScimSchema) throws(ScimError) {
        guard text.utf8.count <= 4096 else { throw ScimError(.invalidFilter, "at most 4096 bytes") }
        var parser = ScimFilterParser(text, schema: schema, attributes: ScimSchema.common + schema.attributes)
        self = try parser.whole()
    }
}

extension ScimFilter {
    /// Whether it holds for a resource, as ``ScimResource`` has it.
    package func holds(for resource: [String: JSONValue]) -> Bool {
        switch self {
        case .text(let name, let caseExact, let order, let wanted):
            guard case .string(let text) = Self.value(name, in: resource) else { return false }
            return caseExact
                ? order.holds(text, wanted) : order.holds(text.lowercased(), wanted.lowercased())
        case .flag(let name, let wanted):
            return Self.value(name, in: resource) == .bool(wanted)
        case .instant(let name, let order, let wanted):
            guard case .string(let text) = Self.value(name, in: resource), let instant = Instant(text) else {
                return false
            }
            return order.holds(instant, wanted)
        case .present(let name):
            return switch Self.value(name, in: resource) {
            case nil, .null, .array([]), .object([:]): false
            default: true
            }
        case .any(let name, let filter):
            guard case .array(let elements) = resource[name] else { return false }
            return elements.contains {
                guard case .object(let element) = $0 else { return false }
                return filter.holds(for: element)
            }
        case .both(let left, let right): return left.holds(for: resource) && right.holds(for: resource)
        case .either(let left, let right): return left.holds(for: resource) || right.holds(for: resource)
        case .not(let filter): return !filter.holds(for: resource)
        case .always: return true
        }
    }

    /// What something has to be like for the condition to hold, where that is said by `eq` and `and` alone.
    var example: [String: JSONValue]? {
        switch self {
        case .text(let name, _, .equal, let value): return [name: .string(value)]
        case .flag(let name, let value): return [name: .bool(value)]
        case .both(let left, let right):
            guard let left = left.example, let right = right.example else { return nil }
            return left.merging(right) { first, _ in first }
        default: return nil
        }
    }

    private static func value(_ name: String, in resource: [String: JSONValue]) -> JSONValue? {
        let names = name.split(separator: ".", maxSplits: 1).map(String.init)
        guard names.count == 2 else { return resource[name] }
        guard case .object(let inner) = resource[names[0]] else { return nil }
        return inner[names[1]]
    }
}

extension ScimFilter.Order {
    /// Of text, byte for byte.
    fileprivate func holds(_ left: String, _ right: String) -> Bool {
        switch self {
        case .contains: right.isEmpty || left.utf8.firstRange(of: right.utf8) != nil
        case .starts: left.utf8.starts(with: right.utf8)
        case .ends: left.utf8.reversed().starts(with: right.utf8.reversed())
        case .equal: left.utf8.elementsEqual(right.utf8)
        case .greater: right.utf8.lexicographicallyPrecedes(left.utf8)
        case .less: left.utf8.lexicographicallyPrecedes(right.utf8)
        case .greaterOrEqual: !left.utf8.lexicographicallyPrecedes(right.utf8)
        case .lessOrEqual: !right.utf8.lexicographicallyPrecedes(left.utf8)
        }
    }

    fileprivate func holds(_ left: Instant, _ right: Instant) -> Bool {
        switch self {
        case .equal: left == right
        case .greater: left > right
        case .greaterOrEqual: left >= right
        case .less: left < right
        case .lessOrEqual: left <= right
        case .contains, .starts, .ends: false
        }
    }
}
