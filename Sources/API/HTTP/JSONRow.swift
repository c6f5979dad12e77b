import Foundation

/// An object that an answer has many of, or that is asked for often. It writes its members itself, for a tenth of what it
/// costs to hand each to a container of `Encodable`, which is how everything else is written.
protocol JSONRow: Encodable {
    func write(to object: inout JSONObject) throws
}

extension JSONRow {
    func encode(to encoder: any Encoder) throws {
        guard let encoder = encoder as? JSONValueEncoder else {
            throw EncodingError.invalidValue(
                self,
                .init(codingPath: encoder.codingPath, debugDescription: "is only written by JSONOutput")
            )
        }
        try encoder.output.writeMembers(of: self, at: encoder.depth)
    }
}

/// An object whose members are being written, those that are nil left out.
struct JSONObject {
    private let output: JSONOutput
    private(set) var isEmpty: Bool

    init(in output: JSONOutput, isEmpty: Bool = true) {
        self.output = output
        self.isEmpty = isEmpty
    }

    mutating func member(_ name: StaticString, _ value: Bool) { begin(name).write(value) }
    mutating func member(_ name: StaticString, _ value: Int) { begin(name).write(value) }
    mutating func member(_ name: StaticString, _ value: Double) throws { try begin(name).write(value) }
    mutating func member(_ name: StaticString, _ value: Int?) { if let value { begin(name).write(value) } }
    mutating func member(_ name: StaticString, _ value: String?) { if let value { begin(name).write(value) } }
    mutating func member(_ name: StaticString, _ value: UUID?) { if let value { begin(name).write(value) } }
    mutating func member(_ name: StaticString, _ value: Double?) throws {
        if let value { try begin(name).write(value) }
    }
    mutating func member(_ name: StaticString, _ value: [String]?) throws {
        if let value { try begin(name).write(value) }
    }

    mutating func member(_ name: StaticString, _ value: (some JSONRow)?) throws {
        if let value { try begin(name).write(value) }
    }

    mutating func member(_ name: StaticString, _ rows: [some JSONRow]) throws {
        try begin(name).write(rows)
    }

    private mutating func begin(_ name: StaticString) -> JSONOutput {
        output.beginMember(name, isFirst: isEmpty)
        isEmpty = false
        return output
    }
}
