import Testing

@testable import PGClient

@Suite(.timeLimit(.minutes(1))) struct `Numerics` {
    private static let longest =
        String(repeating: "9", count: 131_072) + "." + String(repeating: "7", count: 16_383)

    /// Checks that client and server print the text's value alike, and that it survives either way.
    private func expectAgreement(on texts: [String]) async throws {
        try await inTransaction { transaction in
            for text in texts {
                let start = "\(text.prefix(60))"
                let number = try #require(PGNumeric(text), "\(start)")
                let (sent, printed, received) = try await transaction.queryOne(
                    "select \(number)::text, \(text)::numeric::text, \(text)::numeric",
                    as: (String, String, PGNumeric).self
                )
                #expect(number.description == printed, "\(start)")
                #expect(sent == printed, "\(start)")
                #expect(received == number && received.scale == number.scale, "\(start)")
                #expect(received.description == printed, "\(start)")
            }
        }
    }

    @Test func `Two thousand random ones are printed, sent and received as the server knows them`()
        async throws
    {
        var generator = Seeded(seed: 1)
        try await expectAgreement(on: (0..<2_000).map { _ in generator.numeric() })
    }

    @Test func `The longest, the smallest, the infinite and NaN come and go like any other`() async throws {
        let texts = [
            Self.longest, "1e131071", "9999.9999e131068", "1e-16383", "0e-16383", "0e131072", "-0", "-0.00",
            "NaN", "Infinity", String(repeating: "0", count: 200_000) + "1", "+5", ".5", "5.", "1.50E+3",
        ]
        let unsigned = texts.filter { !"N+-".contains($0.prefix(1)) }
        try await expectAgreement(on: texts + unsigned.map { "-" + $0 })
    }

    private func expectRefusal(of text: String, _ state: SQLState) async throws {
        #expect(PGNumeric(text) == nil, "\(text.prefix(60))")
        let error = try await failure(.server) {
            try await inTransaction { try await $0.query("select \(text)::numeric", as: PGNumeric.self) }
        }
        #expect(error.sqlState == state, "\(text.prefix(60))")
    }

    @Test func `A text that the server can't hold or read is none here either`() async throws {
        let tooLarge = [
            "1" + Self.longest, Self.longest + "0", "1e131072", "99999.9999e131068", "1e-16384", "0e-16384",
            "0.1e-16383", "1e1073741824", "0e1073741824", "1e9223372036854775808",
        ]
        for text in tooLarge { try await expectRefusal(of: text, .numericValueOutOfRange) }
        let malformed = [
            "", ".", "-", "e5", "1e", "1e+", "1.2.3", "--1", "+-1", "1e5.5", "1e+-5", "12a", "a12", "NaN1",
            "-NaN", "1,5", "1 2", "١", "1/2", "1:2",
        ]
        for text in malformed { try await expectRefusal(of: text, .invalidTextRepresentation) }
        // Some servers read these; here a number has one spelling.
        for text in [" 1", "1 ", "nan", "inf", "1_000", "0x10"] { #expect(PGNumeric(text) == nil, "\(text)") }
    }

    @Test func `Arrays and NULLs come back as they went`() async throws {
        let numbers: [PGNumeric] = try ["1.50", "-0.001", "NaN", "1e40"].map { try #require(PGNumeric($0)) }
        let optional = numbers + [nil]
        try await inTransaction { transaction in
            let row = try await transaction.queryOne(
                "select \(numbers), \(numbers)::text, \(optional), \([PGNumeric]())",
                as: ([PGNumeric], String, [PGNumeric?], [PGNumeric]).self
            )
            #expect(row.0.map(\.description) == numbers.map(\.description))
            #expect(row.1 == "{1.50,-0.001,NaN,1\(String(repeating: "0", count: 40))}")
            #expect(row.2 == optional)
            #expect(row.3 == [])
            let null = try await transaction.queryOne(
                "select \(PGNumeric?.none), pg_typeof(\(PGNumeric?.none))::text",
                as: (PGNumeric?, String).self
            )
            #expect(null.0 == nil && null.1 == "numeric")
        }
    }

    @Test func `They are ordered, equal and distinct as the server finds them`() async throws {
        var generator = Seeded(seed: 2)
        let fixed = [
            "NaN", "Infinity", "-Infinity", "1e131071", "-1e131071", "1e-16383", "-1e-16383", "0", "0.000",
            "1", "1.0", "1.00000000", "-1", "-1.0", "-1.5", "0.5", "0.50", "0.0001", "0.00011", "-0.0001",
            "-0.00011", "9999", "10000", "10000.0001", "-9999", "-10000", "99999999", "100000000", "1e8",
        ]
        let numbers = try (fixed + (0..<40).map { _ in generator.numeric() })
            .map { try #require(PGNumeric($0)) }
            .shuffled(using: &generator)
        let row = try await inTransaction {
            try await $0.queryOne(
                """
                with v as (select n, i from unnest(\(numbers)) with ordinality as v (n, i))
                select array_agg(a.n < b.n order by a.i, b.i), array_agg(a.n = b.n order by a.i, b.i),
                       (select array_agg(n order by n) from v), (select count(distinct n) from v)
                from v a, v b
                """,
                as: ([Bool], [Bool], [PGNumeric], Int).self
            )
        }
        let pairs = numbers.flatMap { left in numbers.map { (left, $0) } }
        #expect(pairs.map { $0.0 < $0.1 } == row.0)
        #expect(pairs.map { $0.0 == $0.1 } == row.1)
        #expect(numbers.sorted() == row.2)
        #expect(Set(numbers).count == row.3)
        #expect(pairs.allSatisfy { $0.0 != $0.1 || $0.0.hashValue == $0.1.hashValue })
    }

    @Test func `Integers are converted exactly or not at all`() async throws {
        for integer in [Int.min, -10_000, -1, 0, 1, 9_999, 10_000, 100_000_000, .max] {
            #expect(Int(exactly: PGNumeric(integer)) == integer)
            let (sent, received) = try await inTransaction {
                try await $0.queryOne(
                    "select \(PGNumeric(integer))::int8, \(integer)::numeric",
                    as: (Int, PGNumeric).self
                )
            }
            #expect(sent == integer)
            #expect(received == PGNumeric(integer))
        }
        #expect(PGNumeric(Int128.min).description == "-170141183460469231731687303715884105728")
        #expect(Int128(exactly: PGNumeric(Int128.min)) == .min)
        #expect(PGNumeric(UInt8.max) == 255)
        #expect(PGNumeric(Int8.min) == -128)
        #expect(UInt8(exactly: 255 as PGNumeric) == 255)
        #expect(UInt8(exactly: 256 as PGNumeric) == nil)
        #expect(UInt8(exactly: -1 as PGNumeric) == nil)
        #expect(Int(exactly: PGNumeric(UInt64.max)) == nil)
        for (text, integer) in [("12.000", 12), ("-0", 0), ("1e3", 1000)] {
            #expect(Int(exactly: try #require(PGNumeric(text))) == integer)
        }
        for text in ["12.5", "0.5", "1e131071", "NaN", "Infinity", "-Infinity"] {
            #expect(Int(exactly: try #require(PGNumeric(text))) == nil, "\(text)")
        }
    }

    @Test func `A double is the nearest one, as it is on the server`() async throws {
        var generator = Seeded(seed: 3)
        // The second lies halfway between two doubles, the third a little above.
        let fixed = ["0.1", "9007199254740993", "9007199254740993.0000000000000000001", "5e-324", "1.7e308"]
        let numbers = try (fixed + (0..<500).map { _ in generator.numeric(maximumDigits: 60) })
            .map { try #require(PGNumeric($0)) }
        let doubles = try await inTransaction {
            try await $0.queryOne(
                "select array_agg(n::float8 order by i) from unnest(\(numbers)) with ordinality as v (n, i)",
                as: [Double].self
            )
        }
        #expect(numbers.map { Double($0) } == doubles)
        let extremes = ["1e400", "-1e131071", "1e-400", "Infinity", "-Infinity"]
        #expect(
            try extremes.map { Double(try #require(PGNumeric($0))) }
                == [.infinity, -.infinity, 0, .infinity, -.infinity]
        )
        #expect(Double(PGNumeric.nan).isNaN)
    }

    @Test func `Another type that meets a numeric is told what to do, and a numeric refuses other types`()
        async throws
    {
        try await inTransaction { transaction in
            let errors = [
                try await failure(.decoding) { try await transaction.query("select 1.5", as: Double.self) },
                try await failure(.decoding) { try await transaction.query("select 1.0", as: Int.self) },
                try await failure(.decoding) { try await transaction.query("select 1.0", as: String.self) },
            ]
            for error in errors {
                #expect(error.message.contains("cast") && error.message.contains("PGNumeric"))
            }
            // Eight zero bytes would be a numeric, too.
            _ = try await failure(.decoding) {
                try await transaction.query("select 0::int8", as: PGNumeric.self)
            }
            _ = try await failure(.decoding) {
                try await transaction.query("select array[0::int8]", as: [PGNumeric].self)
            }
        }
    }

    @Test func `Malformed bytes are refused`() throws {
        // −12345.678: three digits, weight 1, negative, scale 3.
        let words: [UInt16] = [3, 1, 0x4000, 3, 1, 2345, 6780]
        #expect(try decode(PGNumeric.self, words).description == "-12345.678")
        let whole = bytes(words)
        for count in 0..<whole.count {
            #expect(throws: PGDecodingError.self, "\(count) bytes") {
                try decode(PGNumeric.self, .numeric, Array(whole.prefix(count)))
            }
        }
        let malformed: [String: [UInt16]] = [
            "more digits than announced": [2] + words.dropFirst(),
            "fewer digits than announced": [4] + words.dropFirst(),
            "a digit of 10,000": [3, 1, 0x4000, 3, 1, 10_000, 6780],
            "an unknown sign": [3, 1, 0x8000, 3, 1, 2345, 6780],
            "a scale that is too large": [3, 1, 0x4000, 16_384, 1, 2345, 6780],
            "a scale that is too large for zero": [0, 0, 0, 16_384],
            "a scale that hides a decimal": [3, 1, 0x4000, 2, 1, 2345, 6780],
            "a scale that hides digits": [3, 1, 0x4000, 0, 1, 2345, 6780],
            "a weight far below the scale": [1, 0x8000, 0, 16_383, 1],
            "NaN with a digit": [1, 0, 0xC000, 0, 1],
        ]
        for (what, words) in malformed {
            #expect(throws: PGDecodingError.self, "\(what)") { try decode(PGNumeric.self, words) }
        }
        #expect(throws: PGDecodingError.self, "half a digit") {
            try decode(PGNumeric.self, .numeric, whole + [0])
        }
        // Zeros at either end are unusual, but no lie.
        #expect(try decode(PGNumeric.self, [3, 1, 0, 0, 0, 5, 0]) == 5)
        #expect(try decode(PGNumeric.self, [1, 9, 0x4000, 1, 0]).description == "0.0")
    }

    @Test func `Random bytes are refused, or a number that prints, parses and encodes to itself`() throws {
        var generator = Seeded(seed: 4)
        var accepted = 0
        for _ in 0..<5_000 {
            let digits: [UInt16] = (0..<Int.random(in: 0...4, using: &generator)).map { _ in
                [0, 1, 9, 10, 5000, 9999, 10_000, 0xFFFF].randomElement(using: &generator) ?? 0
            }
            let weight = Int16.random(in: -4...4, using: &generator)
            let sign: UInt16 = [0, 0x4000, 0xC000, 0xD000, 0xF000, 1].randomElement(using: &generator) ?? 0
            let scale: UInt16 = [0, 1, 3, 8, 30, 300, 16_384].randomElement(using: &generator) ?? 0
            let words = [UInt16(digits.count), UInt16(bitPattern: weight), sign, scale] + digits
            guard let number = try? decode(PGNumeric.self, words) else { continue }
            accepted += 1
            #expect(PGNumeric(number.description) == number, "\(words)")
            var buffer = PGBuffer()
            number.encode(into: &buffer)
            let again = try decode(PGNumeric.self, .numeric, buffer.bytes)
            #expect(again == number && again.description == number.description, "\(words)")
        }
        #expect(500...2_500 ~= accepted)
    }
}

@Suite(.timeLimit(.minutes(1))) struct `Intervals` {
    @Test func `They are sent and received as the server knows them`() async throws {
        var generator = Seeded(seed: 5)
        let fixed = [
            PGInterval(), PGInterval(months: -1), PGInterval(days: -1), PGInterval(microseconds: -1),
            PGInterval(months: 14, days: -3, microseconds: 4_000_005),
            PGInterval(months: .max, days: .max), PGInterval(months: .min + 1, days: .min + 1),
            PGInterval(microseconds: .max),
        ]
        let random = (0..<300).map { _ in
            PGInterval(
                months: .random(in: -100_000...100_000, using: &generator),
                days: .random(in: -100_000...100_000, using: &generator),
                microseconds: .random(in: -1_000_000_000_000_000...1_000_000_000_000_000, using: &generator)
            )
        }
        try await inTransaction { transaction in
            for interval in fixed + random {
                let text =
                    "\(interval.months) months \(interval.days) days \(interval.microseconds) microseconds"
                let (sent, printed, received) = try await transaction.queryOne(
                    "select \(interval)::text, \(text)::interval::text, \(text)::interval",
                    as: (String, String, PGInterval).self
                )
                #expect(sent == printed, "\(text)")
                #expect(received == interval, "\(text)")
            }
        }
    }

    @Test func `Arrays and NULLs of them come back as they went`() async throws {
        let intervals = [PGInterval(months: 1), PGInterval(days: -2), PGInterval(microseconds: 3_000_000)]
        let optional = intervals + [nil]
        let row = try await inTransaction {
            try await $0.queryOne(
                "select \(intervals), \(intervals)::text, \(optional), pg_typeof(\(PGInterval?.none))::text",
                as: ([PGInterval], String, [PGInterval?], String).self
            )
        }
        #expect(row.0 == intervals)
        #expect(row.1 == "{\"1 mon\",\"-2 days\",00:00:03}")
        #expect(row.2 == optional)
        #expect(row.3 == "interval")
    }

    @Test func `A duration is one without months and days, rounded to microseconds`() async throws {
        for microseconds in [0, 1, -1, 1_500_000, -86_400_000_000 * 400, .min, .max] as [Int64] {
            let duration = Duration.microseconds(microseconds)
            #expect(PGInterval(duration) == PGInterval(microseconds: microseconds))
            #expect(PGInterval(duration).duration == duration)
        }
        let rounded = [1_499, 1_500, 499, -499, -1_499, -1_500].map {
            PGInterval(.nanoseconds($0)).microseconds
        }
        #expect(rounded == [1, 2, 0, 0, -1, -2])
        #expect(PGInterval(months: 1).duration == nil)
        #expect(PGInterval(days: -1).duration == nil)
        let seconds = try await inTransaction {
            try await $0.queryOne(
                "select extract(epoch from \(PGInterval(.milliseconds(-90_500))))",
                as: PGNumeric.self
            )
        }
        #expect(seconds == PGNumeric("-90.5"))
        // An interval, or a bigint of some unit? Who binds one has to say.
        #expect(!(Duration.zero as Any is any PGEncodable))
    }

    @Test func `Infinite ones, other types and malformed bytes are refused`() async throws {
        for (month, day, time) in [(Int32.max, Int32.max, Int64.max), (.min, .min, .min)] {
            var buffer = PGBuffer()
            PGInterval(months: month, days: day, microseconds: time).encode(into: &buffer)
            let error = try #require(
                #expect(throws: PGDecodingError.self) { try decode(PGInterval.self, .interval, buffer.bytes) }
            )
            #expect(error.description.contains("infinite"))
        }
        for count in Array(0..<16) + [17, 24] {
            #expect(throws: PGDecodingError.self, "\(count) bytes") {
                try decode(PGInterval.self, .interval, Array(repeating: 0, count: count))
            }
        }
        // It has sixteen bytes, too.
        _ = try await failure(.decoding) {
            try await inTransaction { try await $0.query("select gen_random_uuid()", as: PGInterval.self) }
        }
    }
}

private func inTransaction<R: Sendable>(_ body: (PGTransaction) async throws -> R) async throws -> R {
    try await Database.withPool { try await $0.transaction(.readOnly, body) }
}

private func bytes(_ words: [UInt16]) -> [UInt8] {
    words.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
}

private func decode<Value: PGDecodable>(_ value: Value.Type, _ type: PGType, _ bytes: [UInt8]) throws -> Value
{
    try bytes.withUnsafeBytes { try Value(from: PGCell(type: type, bytes: $0)) }
}

private func decode(_ value: PGNumeric.Type, _ words: [UInt16]) throws -> PGNumeric {
    try decode(value, .numeric, bytes(words))
}

/// The same numbers in every run (SplitMix64).
private struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number as text, rich in the zeros and nines at which digits in base 10,000 go wrong.
    mutating func numeric(maximumDigits: Int = 300) -> String {
        let limit = [4, 12, 40, maximumDigits].randomElement(using: &self) ?? 4
        let alphabet = ["0123456789", "0123456789", "09", "0001", "0"].randomElement(using: &self) ?? "09"
        var number = ["", "", "-", "+"].randomElement(using: &self) ?? ""
        number += digits(1...limit, alphabet)
        if Bool.random(using: &self) { number += "." + digits(0...limit, alphabet) }
        if Int.random(in: 0..<4, using: &self) == 0 { number += "e\(Int.random(in: -50...50, using: &self))" }
        return number
    }

    private mutating func digits(_ count: ClosedRange<Int>, _ alphabet: String) -> String {
        String(
            (0..<Int.random(in: count, using: &self)).map { _ in alphabet.randomElement(using: &self) ?? "0" }
        )
    }
}
