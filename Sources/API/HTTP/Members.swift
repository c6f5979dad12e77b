/// The members of a JSON object, none of which is unknown.
struct Members {
    private let container: KeyedDecodingContainer<Name>

    init(_ decoder: any Decoder, known: Set<String>) throws {
        container = try decoder.container(keyedBy: Name.self)
        if let unknown = container.allKeys.first(where: { !known.contains($0.stringValue) }) {
            throw DecodingError.dataCorruptedError(
                forKey: unknown,
                in: container,
                debugDescription: "is not a member that can be changed"
            )
        }
    }

    func has(_ name: String) -> Bool {
        container.contains(Name(stringValue: name))
    }

    func value<Value: Decodable>(_ name: String, as: Value.Type = Value.self) throws -> Value? {
        try container.decodeIfPresent(Value.self, forKey: Name(stringValue: name))
    }

    /// Nil where it isn't there.
    func value<Value: Decodable>(_ name: String, orWhenNull initial: Value) throws -> Value? {
        has(name) ? try value(name) ?? initial : nil
    }

    /// Nil where it isn't there, `.some(nil)` where it is null.
    func name<Value: Decodable>(_ name: String, as: Value.Type, text: (Value) -> String) throws -> String?? {
        has(name) ? .some(try value(name, as: Value.self).map(text)) : nil
    }

    func flag(_ name: String) throws -> Bool? {
        try value(name, orWhenNull: false)
    }

    private struct Name: CodingKey {
        let stringValue: String
        let intValue: Int? = nil

        init(stringValue: String) {
            self.stringValue = stringValue
        }

        init?(intValue: Int) {
            return nil
        }
    }
}
