import Foundation
import PGClient
import Testing

@Suite(.timeLimit(.minutes(1))) struct `Values` {
    private enum Mood: String, PGEncodable, PGDecodable, PGArrayElement { case calm, lively }
    private enum Level: Int, PGEncodable, PGDecodable { case low = 1, high = 3 }

    private func echo<Value: PGEncodable & PGDecodable>(_ value: Value, _ type: String) async throws -> Value
    {
        try await Database.withPool { pool in
            try await pool.transaction(.readOnly) {
                try await $0.queryOne("select \(value)::\(unsafeSQL: type)", as: Value.self)
            }
        }
    }

    @Test func `What isn't an array is not an empty one`() async throws {
        try await Database.withPool { pool in
            for value: SQL in [
                "'00000000-0000-4000-8000-000000000001'::uuid", "interval '1 month'",
                "time with time zone '00:00:00+00'",
                "'Überraschung!'", "point '(0, 0)'", "0.0::float8",
            ] {
                _ = try await failure(.decoding) {
                    try await pool.queryOne("select \(value)", as: [UUID].self)
                }
            }
            #expect(try await pool.queryOne("select '{}'::uuid[]", as: [UUID].self) == [])
        }
    }

    @Test func `The first of all dates is refused, and isn't the server's infinite past`() async throws {
        try await Database.withPool { pool in
            let first = PGDate(daysSince1970: .min + 10_957)
            let error = try await failure(.server) {
                try await pool.queryOne("select \(first)::text", as: String.self)
            }
            #expect(error.sqlState == SQLState(rawValue: "22008"))
        }
    }

    @Test func `Numbers come back as they went`() async throws {
        for value in [Int.min, -1, 0, 1, .max] { #expect(try await echo(value, "int8") == value) }
        for value in [Int16.min, 0, .max] { #expect(try await echo(value, "int2") == value) }
        for value in [Int32.min, 0, .max] { #expect(try await echo(value, "int4") == value) }
        for value in [Int64.min, 0, .max] { #expect(try await echo(value, "int8") == value) }
        for value in [0.1, -.infinity, .greatestFiniteMagnitude] {
            #expect(try await echo(value, "float8") == value)
        }
        for value in [Float(0.1), .infinity] { #expect(try await echo(value, "float4") == value) }
        #expect(try await echo(Double.nan, "float8").isNaN)
        #expect(try await echo(true, "bool"))
        #expect(try await echo(false, "bool") == false)
    }

    @Test func `Texts, bytes, identifiers and documents come back as they went`() async throws {
        for text in ["", "plain", "Grüße, 日本, 👩‍👩‍👧", "'; drop table x; --", "$1"] {
            #expect(try await echo(text, "text") == text)
        }
        for bytes in [[], [0, 255, 10], Array(repeating: 7, count: 100_000)] as [[UInt8]] {
            #expect(try await echo(bytes, "bytea") == bytes)
        }
        let id = UUID()
        #expect(try await echo(id, "uuid") == id)
        #expect(try await echo(PGJSON(#"{"a": 1}"#.utf8), "jsonb") == PGJSON(#"{"a": 1}"#.utf8))
        #expect(try await echo(Mood.lively, "text") == .lively)
        #expect(try await echo(Level.high, "int4") == .high)
    }

    @Test func `A date is a microsecond exact, and infinite when it is`() async throws {
        let dates = [0, 0.000001, 812_345_678.123457, -63_000_000_000, 1e11].map(
            Date.init(timeIntervalSinceReferenceDate:)
        )
        for date in dates { #expect(try await echo(date, "timestamptz") == date) }
        #expect(
            try await echo(Date(timeIntervalSinceReferenceDate: .infinity), "timestamptz")
                .timeIntervalSince1970 == .infinity
        )
        let text = try await Database.withPool { pool in
            try await pool.transaction {
                try await $0.queryOne(
                    "select (\(Date(timeIntervalSince1970: 1.25)) at time zone 'utc')::text",
                    as: String.self
                )
            }
        }
        #expect(text == "1970-01-01 00:00:01.25")
        let tooFar = try await failure(.server) {
            try await echo(Date(timeIntervalSinceReferenceDate: 1e15), "timestamptz")
        }
        #expect(tooFar.sqlState == .datetimeFieldOverflow)
    }

    @Test func `A calendar day has no time zone`() async throws {
        for day in [-719_162, -1, 0, 20_000].map(PGDate.init(daysSince1970:)) {
            #expect(try await echo(day, "date") == day)
        }
        let text = try await Database.withPool { pool in
            try await pool.transaction {
                try await $0.queryOne("select \(PGDate(daysSince1970: 59))::text", as: String.self)
            }
        }
        #expect(text == "1970-03-01")
    }

    @Test func `Arrays come back as they went, with their NULLs where the type allows them`() async throws {
        #expect(try await echo([Int](), "int8[]") == [])
        #expect(try await echo([1, .max, .min], "int8[]") == [1, .max, .min])
        #expect(try await echo(["", "a,b", "\"{}\""], "text[]") == ["", "a,b", "\"{}\""])
        #expect(try await echo([1, nil, 3] as [Int32?], "int4[]") == [1, nil, 3])
        #expect(try await echo([[1, 2], []] as [[UInt8]], "bytea[]") == [[1, 2], []])
        #expect(try await echo([Mood.calm, .lively], "text[]") == [.calm, .lively])
        #expect(try await echo([true, false], "bool[]") == [true, false])
        #expect(try await echo([.min, 0, .max] as [Int16], "int2[]") == [.min, 0, .max])
        #expect(try await echo([0.1, -.infinity] as [Float], "float4[]") == [0.1, -.infinity])
        #expect(try await echo([0.1, nil, .infinity] as [Double?], "float8[]") == [0.1, nil, .infinity])
        let days = [-719_162, 0, 20_000].map(PGDate.init(daysSince1970:))
        #expect(try await echo(days, "date[]") == days)
        let dates = [0.25, 812_345_678.5].map(Date.init(timeIntervalSinceReferenceDate:))
        #expect(try await echo(dates, "timestamptz[]") == dates)
        let documents = [PGJSON(#"{"a": 1}"#.utf8), PGJSON("[]".utf8)]
        #expect(try await echo(documents, "jsonb[]") == documents)
        let ids = [UUID(), UUID()]
        #expect(try await echo(ids, "uuid[]") == ids)
        let error = try await failure(.decoding) {
            try await Database.withPool { pool in
                try await pool.transaction { try await $0.queryOne("select array[1, null]", as: [Int].self) }
            }
        }
        #expect(error.message.contains("NULL"))
    }

    @Test func `A NULL is nil, keeps its type, and is refused where nothing may be missing`() async throws {
        try await Database.withPool { pool in
            try await pool.transaction { transaction in
                let row = try await transaction.queryOne(
                    "select \(Int?.none), \(UUID?.none), pg_typeof(\(Date?.none))::text",
                    as: (Int?, UUID?, String).self
                )
                #expect(row.0 == nil && row.1 == nil && row.2 == "timestamp with time zone")
                let error = try await failure(.decoding) {
                    try await transaction.query("select null::text as title", as: String.self)
                }
                #expect(error.message.contains("\"title\""))
            }
        }
    }

    @Test func `An integer that doesn't fit, a numeric, and an unknown raw value are refused`() async throws {
        try await Database.withPool { pool in
            try await pool.transaction { transaction in
                #expect(
                    try await transaction.queryOne("select 7::int2, 8::int4", as: (Int, Int).self) == (7, 8)
                )
                _ = try await failure(.decoding) {
                    try await transaction.query("select 40000::int4", as: Int16.self)
                }
                let numeric = try await failure(.decoding) {
                    try await transaction.query("select 1.5", as: Double.self)
                }
                #expect(numeric.message.contains("numeric"))
                _ = try await failure(.decoding) {
                    try await transaction.query("select 'grim'", as: Mood.self)
                }
                _ = try await failure(.decoding) { try await transaction.query("select 1", as: String.self) }
            }
        }
    }

    @Test func `An enum of the database is read as text and bound by a cast`() async throws {
        try await Database.withPool { pool in
            let type = Database.name("mood")
            try await pool.transaction { transaction in
                try await transaction.script("create type \(type) as enum ('calm', 'lively')")
                let mood = try await transaction.queryOne(
                    "select \(Mood.calm)::\(identifier: type)",
                    as: Mood.self
                )
                #expect(mood == .calm)
                let moods = try await transaction.queryOne(
                    "select enum_range(null::\(identifier: type))",
                    as: [String].self
                )
                #expect(moods == ["calm", "lively"])
                try await transaction.script("drop type \(type)")
            }
        }
    }

    @Test func `A value of a user's type that isn't a text isn't read as one`() async throws {
        try await Database.withPool { pool in
            let (pair, span) = (Database.name("pair"), Database.name("span"))
            try await pool.transaction { transaction in
                try await transaction.script(
                    "create type \(pair) as (a int, b text); create type \(span) as range (subtype = float8)"
                )
                for value in ["row(1, 'x')::\(pair)", "array[row(1, 'x')::\(pair)]", "\(span)(1, 2)"] {
                    _ = try await failure(.decoding) {
                        try await transaction.queryOne("select \(unsafeSQL: value)", as: String.self)
                    }
                }
                try await transaction.script("drop type \(pair); drop type \(span)")
            }
        }
    }

    @Test func `A domain is read as the type beneath it`() async throws {
        try await Database.withPool { pool in
            let (name, age) = (Database.name("name"), Database.name("age"))
            try await pool.transaction { transaction in
                try await transaction.script(
                    "create domain \(name) as text check (value <> ''); create domain \(age) as int"
                )
                let row = try await transaction.queryOne(
                    "select \("Ana")::\(identifier: name), \(41)::\(identifier: age), null::\(identifier: age)",
                    as: (String, Int, Int?).self
                )
                #expect(row == ("Ana", 41, nil))
                try await transaction.script("drop domain \(name); drop domain \(age)")
            }
        }
    }

    @Test func `A json comes as it was written, as a document or as a text`() async throws {
        let text = #"{"b": 1,  "a": [null]}"#
        try await Database.withPool { pool in
            try await pool.transaction(.readOnly) { transaction in
                let row = try await transaction.queryOne(
                    "select \(text)::json, \(text)::json",
                    as: (PGJSON, String).self
                )
                #expect(row == (PGJSON(text.utf8), text))
            }
        }
    }

    @Test func `A NUL in a text is refused by the server, never truncated`() async throws {
        let error = try await failure(.server) { try await echo("a\0b", "text") }
        #expect(error.sqlState == .characterNotInRepertoire)
    }
}
