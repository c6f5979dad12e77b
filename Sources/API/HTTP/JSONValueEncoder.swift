/// What an `Encodable` is given, to write itself to a ``JSONOutput``.
///
/// The containers name the types that most values have: as generic ones they would be written through an encoder of
/// their own.
struct JSONValueEncoder: Encoder {
    let output: JSONOutput
    let depth: Int

    /// Not kept: nothing fails here but a number that isn't finite.
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        output.beginObject(at: depth)
        return KeyedEncodingContainer(JSONMembers(value: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        output.beginArray(at: depth)
        return JSONElements(value: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        output.beginSingle(at: depth)
        return JSONSingle(value: self)
    }
}

private struct JSONMembers<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let value: JSONValueEncoder
    var codingPath: [any CodingKey] { [] }

    func encodeNil(forKey key: Key) { member(key).writeNull() }
    func encode(_ value: String, forKey key: Key) { member(key).write(value) }
    func encode(_ value: Bool, forKey key: Key) { member(key).write(value) }
    func encode(_ value: some FixedWidthInteger & Encodable, forKey key: Key) { member(key).write(value) }
    func encode(_ value: some JSONOutput.Number, forKey key: Key) throws { try member(key).write(value) }
    func encode(_ value: some Encodable, forKey key: Key) throws { try member(key).write(value) }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type,
        forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        member(key).begin().container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        member(key).begin().unkeyedContainer()
    }

    func superEncoder() -> any Encoder { value }
    func superEncoder(forKey key: Key) -> any Encoder { member(key).begin() }

    private func member(_ key: Key) -> JSONOutput {
        value.output.beginMember(key, at: value.depth)
        return value.output
    }
}

private struct JSONElements: UnkeyedEncodingContainer {
    let value: JSONValueEncoder
    var count = 0
    var codingPath: [any CodingKey] { [] }

    mutating func encodeNil() { element().writeNull() }
    mutating func encode(_ value: String) { element().write(value) }
    mutating func encode(_ value: Bool) { element().write(value) }
    mutating func encode(_ value: some FixedWidthInteger & Encodable) { element().write(value) }
    mutating func encode(_ value: some JSONOutput.Number) throws { try element().write(value) }
    mutating func encode(_ value: some Encodable) throws { try element().write(value) }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) -> KeyedEncodingContainer<Nested> {
        element().begin().container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        element().begin().unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder { element().begin() }

    private mutating func element() -> JSONOutput {
        value.output.beginElement(at: value.depth)
        count += 1
        return value.output
    }
}

private struct JSONSingle: SingleValueEncodingContainer {
    let value: JSONValueEncoder
    var codingPath: [any CodingKey] { [] }
    private var output: JSONOutput { value.output }

    init(value: JSONValueEncoder) { self.value = value }

    func encodeNil() { output.writeNull() }
    func encode(_ value: String) { output.write(value) }
    func encode(_ value: Bool) { output.write(value) }
    func encode(_ value: some FixedWidthInteger & Encodable) { output.write(value) }
    func encode(_ value: some JSONOutput.Number) throws { try output.write(value) }
    func encode(_ value: some Encodable) throws { try output.write(value) }
}
