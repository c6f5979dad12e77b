import Domain
import Foundation
import Testing

@testable import API

struct `JSON that is written` {
    @Test func `members come in the order in which they are declared, and what is nil is left out`() throws {
        struct Body: Encodable {
            let zebra = 1
            let apple: String? = nil
            let mango = [true, false]
        }
        #expect(try text(Body()) == #"{"zebra":1,"mango":[true,false]}"#)
    }

    @Test func `members of a dictionary come by name`() throws {
        struct Body: Encodable {
            let entries: [String: JSONValue] = [
                "b": .integer(1), "a": .null, "c": .object(["e": .array([]), "d": .object([:])]),
            ]
        }
        #expect(try text(Body()) == #"{"entries":{"a":null,"b":1,"c":{"d":{},"e":[]}}}"#)
    }

    @Test(arguments: [
        ("\"quoted\" \\ / é 🌬", #""\"quoted\" \\ / é 🌬""#),
        ("a\nb\tc\u{0}\u{1f}\u{7f}", #""a\u000ab\u0009c\u0000\u001f"# + "\u{7f}\""),
        ("", "\"\""),
    ])
    func `text is escaped where it has to be`(_ value: String, _ expected: String) throws {
        #expect(try text(value) == expected)
    }

    private struct Row: JSONRow {
        let id: UUID?
        var inner: Inner?

        struct Inner: JSONRow {
            func write(to object: inout JSONObject) throws {
                object.member("isInner", true)
                object.member("count", 3)
            }
        }

        func write(to object: inout JSONObject) throws {
            object.member("id", id)
            object.member("name", "a \"name\"")
            try object.member("inner", inner)
            try object.member("half", 0.5)
            try object.member("names", ["x", "y"])
            try object.member("nothing", [String]?.none)
        }
    }

    @Test func `a row writes its members itself, and those that are nil are left out`() throws {
        let id = UUID()
        let rest = #""half":0.5,"names":["x","y"]}"#
        #expect(
            try text(["rows": [Row(id: id, inner: Row.Inner()), Row(id: nil)]])
                == #"{"rows":[{"id":"\#(id.uuidString.lowercased())","name":"a \"name\"","#
                + #""inner":{"isInner":true,"count":3},"# + rest + #",{"name":"a \"name\"","# + rest + "]}"
        )
        let alone = try JSONOutput.bytes(of: Row(id: nil))
        #expect(String(decoding: alone, as: UTF8.self) == #"{"name":"a \"name\"","# + rest)
    }

    @Test func `a row's members may stand among others of one object`() throws {
        struct Body: Encodable {
            enum CodingKeys: CodingKey { case before, after }
            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: CodingKeys.self)
                try container.encode([1], forKey: .before)
                try Row.Inner().encode(to: encoder)
                try container.encode("x", forKey: .after)
            }
        }
        #expect(try text(Body()) == #"{"before":[1],"isInner":true,"count":3,"after":"x"}"#)
    }

    @Test(arguments: 1...20)
    func `a UUID is written in lower case`(_: Int) {
        let id = UUID()
        #expect(id.text == id.uuidString.lowercased())
    }

    @Test(arguments: [
        (5, "5"), (-3, "-3"), (0, "0"), (2_147_483_647, "2147483647"),
        (-2_147_483_648, "-2147483648"), (2_147_483_648, "2147483648"), (-0.0, "-0"), (0.1, "0.1"),
        (1e21, "1e+21"),
        (1e-7, "1e-07"),
        (.greatestFiniteMagnitude, "1.7976931348623157e+308"),
    ])
    func `a number is as short as it can be`(_ value: Double, _ expected: String) throws {
        #expect(try text(value) == expected)
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity])
    func `a number that isn't finite is refused`(_ value: Double) {
        #expect(throws: EncodingError.self) { try JSONOutput.bytes(of: [value]) }
    }

    @Test func `every integer is written whole`() throws {
        struct Body: Encodable {
            let a = Int8.min, b = UInt8.max, c = Int16.min, d = UInt16.max, e = Int32.min, f = UInt32.max
            let g = Int64.min, h = UInt64.max
            let i: Float = 0.1
        }
        #expect(
            try text(Body())
                == #"{"a":-128,"b":255,"c":-32768,"d":65535,"e":-2147483648,"f":4294967295,"g":-9223372036854775808,"h":18446744073709551615,"i":0.1}"#
        )
    }

    /// What `Encodable` allows beside what the compiler writes.
    private struct Freehand: Encodable {
        private enum Key: CodingKey { case pairs, inner, more, rest, empty }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            var pairs = container.nestedUnkeyedContainer(forKey: .pairs)
            for n in 1...2 {
                var pair = pairs.nestedContainer(keyedBy: Key.self)
                try pair.encode(n, forKey: .inner)
            }
            try pairs.encodeNil()
            var inner = pairs.nestedUnkeyedContainer()
            try inner.encode("x")
            try "y".encode(to: pairs.superEncoder())
            var nested = container.nestedContainer(keyedBy: Key.self, forKey: .inner)
            try nested.encodeNil(forKey: .more)
            try [1].encode(to: container.superEncoder(forKey: .more))
            var again = encoder.container(keyedBy: Key.self)
            try again.encode(UUID?.none, forKey: .rest)
            _ = again.nestedUnkeyedContainer(forKey: .empty)
        }
    }

    @Test func `containers in containers close where they end`() throws {
        #expect(
            try text(Freehand())
                == #"{"pairs":[{"inner":1},{"inner":2},null,["x"],"y"],"inner":{"more":null},"more":[1],"rest":null,"empty":[]}"#
        )
    }

    @Test(arguments: 1...200)
    func `what is written is read as what it was`(_ seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let value = JSONValue.random(depth: 4, using: &generator)
        let read = try JSONDecoder().decode([JSONValue].self, from: Data(try JSONOutput.bytes(of: [value])))
        #expect(read == [value])
    }

    private func text(_ value: some Encodable) throws -> String {
        String(decoding: try JSONOutput.bytes(of: value), as: UTF8.self)
    }
}

extension JSONValue {
    fileprivate static func random(depth: Int, using generator: inout SplitMix64) -> JSONValue {
        switch Int.random(in: 0...(depth > 0 ? 6 : 4), using: &generator) {
        case 0: .null
        case 1: .bool(.random(using: &generator))
        case 2: .integer(.random(in: -1000...1000, using: &generator))
        // Never whole, as which it would be read.
        case 3: .number(Double(Int.random(in: -1000...1000, using: &generator)) + 0.25)
        case 4: .string(randomText(using: &generator))
        case 5:
            .array(
                (0..<Int.random(in: 0...4, using: &generator)).map { _ in
                    random(depth: depth - 1, using: &generator)
                }
            )
        default:
            .object(
                Dictionary(
                    (0..<Int.random(in: 0...4, using: &generator)).map { _ in
                        (randomText(using: &generator), random(depth: depth - 1, using: &generator))
                    },
                    uniquingKeysWith: { $1 }
                )
            )
        }
    }

    private static func randomText(using generator: inout SplitMix64) -> String {
        let signs: [Character] = ["a", "\"", "\\", "\n", "\u{1}", "é", "🌬", "/", " "]
        return String(
            (0..<Int.random(in: 0...6, using: &generator)).compactMap { _ in
                signs.randomElement(using: &generator)
            }
        )
    }
}
