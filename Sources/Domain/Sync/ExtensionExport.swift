import Foundation

/// The JSON that the extension's "Export data" command makes, as far as sync
/// reads it: what else is in there is passed over.
package struct ExtensionExport: Decodable, Sendable {
    package struct Contents: Decodable, Sendable {
        package let meditation: Meditation
    }

    /// The extension's `MeditationStats`. Its streaks and totals are claims.
    package struct Meditation: Decodable, Sendable {
        package let totalXP: Count
        package let currentStreak: Count
        package let longestStreak: Count
        package let totalMeditationTime: Milliseconds
        package let sessions: Items<SessionRecord>?
        package let dailyChallenges: Items<ChallengeRecord>?
    }

    package struct SessionRecord: Decodable, Sendable {
        package let id: Label
        package let startedAt: Instant
        package let endedAt: Instant
        package let activeMs: Milliseconds
        package let cycles: Count
        package let goalMinutes: Count?
        package let goalBonusXP: Count?
        /// Where it was practised, if not where the device is now.
        package let timeZone: Zone?
    }

    package struct ChallengeRecord: Decodable, Sendable {
        package let id: Label
        package let date: String
        package let type: Label
        package let target: Count
        package let rewardXP: Count
        package let completed: Bool?
        package let expired: Bool?

        /// Written as the extension does, or as `2026-11-24`.
        var localDay: LocalDay? { LocalDay(dateString: date) ?? LocalDay(date) }

        /// One that came as a value of the game state.
        static func item(_ value: JSONValue) -> Item<ChallengeRecord> {
            guard let data = try? JSONEncoder().encode(value),
                let item = try? JSONDecoder().decode(Item<ChallengeRecord>.self, from: data)
            else { return .invalid(field: "", why: "is not a challenge") }
            return item
        }
    }

    package let breathMaster: Contents

    package var meditation: Meditation { breathMaster.meditation }
}

/// A list with a bound: more than a lifetime of practice is a mistake or an attack,
/// and is refused before it costs anything.
package struct Items<Value: Decodable & Sendable>: Decodable, Sendable {
    package static var most: Int { 10_000 }

    package let all: [Item<Value>]

    package init(all: [Item<Value>]) {
        self.all = all
    }

    package var valid: [Value] {
        all.compactMap { item in
            if case .valid(let value) = item { value } else { nil }
        }
    }

    package init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        var all: [Item<Value>] = []
        while !container.isAtEnd {
            guard all.count < Self.most else {
                throw DecodingError.dataCorruptedError(
                    in: container,
                    debugDescription: "must have at most \(Self.most) items"
                )
            }
            all.append(try container.decode(Item<Value>.self))
        }
        self.all = all
    }
}

/// One element of a list that is allowed to be wrong: a bad item is told apart,
/// and never fails the good ones beside it.
package enum Item<Value: Decodable & Sendable>: Decodable, Sendable {
    case valid(Value)
    case invalid(field: String, why: String)

    package init(from decoder: any Decoder) throws {
        do {
            self = .valid(try Value(from: decoder))
        } catch let error as DecodingError {
            let (path, why) = error.whereAndWhy
            let field = path.dropFirst(decoder.codingPath.count).map(\.stringValue).joined(separator: ".")
            self = .invalid(field: field, why: why)
        }
    }
}

/// A whole number from 0 to 2³¹−1. JavaScript writes all numbers alike, so a
/// fraction (the extension's clock arithmetic can leave one) is rounded.
package struct Count: Decodable, Hashable, Sendable {
    package let value: Int

    init(_ value: Int) {
        self.value = value
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let number = try container.decode(Double.self).rounded()
        guard number >= 0, number <= Double(Int32.max) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "must be a number from 0 to \(Int32.max)"
            )
        }
        self.value = Int(number)
    }
}

/// A whole number of milliseconds, up to 2⁵³, as far as JavaScript counts:
/// a life of practice outgrows 2³¹ after 596 hours.
package struct Milliseconds: Decodable, Hashable, Sendable {
    package let value: Int64

    init(_ value: Int64) {
        self.value = value
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let number = try container.decode(Double.self).rounded()
        guard number >= 0, number <= 0x1p53 else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "must be a number of milliseconds from 0 to 2^53"
            )
        }
        self.value = Int64(number)
    }
}

/// A name that a client made up: 1 to 64 characters.
package struct Label: Decodable, Hashable, Sendable {
    package let text: String

    init(_ text: String) {
        self.text = text
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        // Swift compares text by meaning, Postgres by bytes: one form for both.
        text = try container.decode(String.self).precomposedStringWithCanonicalMapping
        guard (1...64).contains(text.unicodeScalars.count) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "must have 1 to 64 characters"
            )
        }
    }
}

extension DecodingError {
    /// The path to the value that is wrong, and a sentence about it that names
    /// no Swift type.
    package var whereAndWhy: (path: [any CodingKey], why: String) {
        switch self {
        case .keyNotFound(let key, let context): (context.codingPath + [key], "is missing")
        case .valueNotFound(_, let context): (context.codingPath, "must not be null")
        case .typeMismatch(_, let context): (context.codingPath, "is of the wrong type")
        case .dataCorrupted(let context):
            (context.codingPath, context.codingPath.isEmpty ? "is not valid JSON" : context.debugDescription)
        @unknown default: ([], "is not valid")
        }
    }
}
