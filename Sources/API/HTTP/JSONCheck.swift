import Foundation
import HTTPTypes

/// What a parser would notice too late or not at all: text that is not UTF-8, a NUL that Postgres cannot store, nesting
/// that costs a stack, and a member that an object has twice, of which parsers take either.
///
/// No parser: what isn't JSON passes, and is refused by the one that comes next.
enum JSONCheck {
    /// An object or a list that the text is in.
    private struct Level {
        let isObject: Bool
        var names: Set<String> = []
        /// Of the member that is being read.
        var name = ""
    }

    static func check(_ bytes: Data, maximumDepth: Int) throws {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw Problem(.unprocessableContent, "invalid_text", "The body is not valid UTF-8")
        }
        try bytes.withUnsafeBytes { try check($0, maximumDepth: maximumDepth) }
    }

    private static func check(_ text: UnsafeRawBufferPointer, maximumDepth: Int) throws {
        if text.contains(0) { throw Problem.nulInText }
        var levels: [Level] = []
        var expectsName = false
        var index = 0
        while index < text.count {
            switch text[index] {
            case UInt8(ascii: "\""):
                let end = try endOfString(from: index, in: text)
                if expectsName {
                    try take(name(in: text[index...end]), in: &levels)
                    expectsName = false
                }
                index = end
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard levels.count < maximumDepth else { throw Problem.tooDeep(maximumDepth) }
                expectsName = text[index] == UInt8(ascii: "{")
                levels.append(Level(isObject: expectsName))
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                _ = levels.popLast()
                expectsName = false
            case UInt8(ascii: ","):
                expectsName = levels.last?.isObject ?? false
            default: break
            }
            index += 1
        }
    }

    /// Where the quotation mark is that ends it; the last byte where none does.
    private static func endOfString(from start: Int, in text: UnsafeRawBufferPointer) throws -> Int {
        var index = start + 1
        while index < text.count, text[index] != UInt8(ascii: "\"") {
            if text[index] == UInt8(ascii: "\\") {
                index += 1
                if text[index...].starts(with: "u0000".utf8) { throw Problem.nulInText }
            }
            index += 1
        }
        return min(index, text.count - 1)
    }

    /// With what was escaped as it is meant.
    private static func name(in quoted: Slice<UnsafeRawBufferPointer>) -> String {
        let inner = quoted.dropFirst().dropLast()
        guard inner.contains(UInt8(ascii: "\\")) else { return String(decoding: inner, as: UTF8.self) }
        return (try? JSONDecoder().decode(String.self, from: Data(quoted))) ?? ""
    }

    private static func take(_ name: String, in levels: inout [Level]) throws {
        levels[levels.count - 1].name = name
        guard levels[levels.count - 1].names.insert(name).inserted else {
            let path = levels.lazy.filter(\.isObject).map(\.name).joined(separator: ".")
            throw Problem.invalid(path, "is there twice")
        }
    }
}

extension Problem {
    fileprivate static let nulInText = Problem(
        .unprocessableContent,
        "invalid_text",
        "Text must not contain the character U+0000"
    )

    fileprivate static func tooDeep(_ most: Int) -> Problem {
        Problem(
            .unprocessableContent,
            "body_too_deep",
            "The body is nested too deeply",
            detail: "at most \(most) levels"
        )
    }
}
