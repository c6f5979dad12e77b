import Testing

@testable import PGClient

@Suite(.timeLimit(.minutes(1))) struct `SQL literals` {
    @Test func `A value is bound, however it looks`() async throws {
        let name = "x'; drop table y; --"
        let sql: SQL = "select \(name), \(1) where \(true)"
        #expect(sql.text == "select $1, $2 where $3")
    }

    @Test func `Splicing renumbers`() async throws {
        let inner: SQL = "b = \("two") and c = \(3)"
        let sql: SQL = "select \("one") = 'one' and \(inner) and \("four") = 'four'"
        #expect(sql.text == "select $1 = 'one' and b = $2 and c = $3 and $4 = 'four'")
        try await Database.withPool { pool in
            let rest: SQL = "\("b"), \(Int?.none), \("d")"
            let row = try await pool.transaction {
                try await $0.queryOne("select \(0), \(rest)", as: (Int, String, Int?, String).self)
            }
            #expect(row == (0, "b", nil, "d"))
        }
    }

    @Test func `Splicing more than nine keeps each number whole`() {
        let numbers = (1...12).map { "\($0)" as SQL }.joined(separator: ",")
        let sql: SQL = "\(0),\(numbers)"
        #expect(sql.text == (1...13).map { "$\($0)" }.joined(separator: ","))
    }

    @Test func `An identifier is quoted, and unsafe text is pasted`() {
        #expect(("\(identifier: #"a"b.c"#)" as SQL).text == #""a""b.c""#)
        let marked: SQL = "\(identifier: "a\"\u{301}b")"
        #expect(marked.text.unicodeScalars.elementsEqual("\"a\"\"\u{301}b\"".unicodeScalars))
        #expect(("\(unsafeSQL: "a b")" as SQL).text == "a b")
    }

    @Test func `A NUL in the text itself is refused before anything is sent`() async throws {
        try await Database.withPool { pool in
            _ = try await failure(.invalidStatement) {
                try await pool.transaction { try await $0.execute("select 1\0") }
            }
        }
    }

    @Test func `65,535 parameters are sent, one more is refused`() async throws {
        try await Database.withPool { pool in
            try await pool.transaction { transaction in
                let values = (0..<65_535).map { "(\(Int32($0)))" as SQL }.joined(separator: ",")
                let sum = try await transaction.queryOne(
                    "select sum(n) from (values \(values)) v (n)",
                    as: Int.self
                )
                #expect(sum == 65_535 * 65_534 / 2)
                _ = try await failure(.invalidStatement) {
                    try await transaction.execute("select \(values), \(1)")
                }
                #expect(try await transaction.queryOne("select 1", as: Int.self) == 1)
            }
        }
    }

    @Test func `Values that are more than a message can have are refused, and the largest is named`() {
        func value(_ range: Range<Int>?) -> SQL.Parameter { SQL.Parameter(range: range, placeholder: 0) }
        let (gigabyte, wrapping) = (1 << 30, (1 << 32) + 5)
        let small = value(0..<10)
        #expect(SQL.excess(of: [], text: 100) == nil)
        #expect(SQL.excess(of: [small, value(10..<gigabyte - 1000), value(nil)], text: 100) == nil)
        for size in [gigabyte, wrapping] {
            let excess = SQL.excess(of: [small, value(10..<10 + size), value(nil)], text: 100)
            #expect(excess == "parameter $2 has \(size) bytes of \(size + 110)")
        }
        let halves = SQL.excess(of: [value(0..<gigabyte / 2), value(gigabyte / 2..<gigabyte)], text: 0)
        #expect(halves?.hasSuffix("has \(gigabyte / 2) bytes of \(gigabyte)") == true)
        #expect(SQL.excess(of: [small], text: gigabyte) == "the text has \(gigabyte) bytes")
    }

    @Test func `A large array and a row of a megabyte pass`() async throws {
        try await Database.withPool { pool in
            try await pool.transaction { transaction in
                let numbers = Array(0..<500_000)
                let back = try await transaction.queryOne(
                    "select \(numbers), cardinality(\(numbers))",
                    as: ([Int], Int).self
                )
                #expect(back.0 == numbers && back.1 == 500_000)
                let row = try await transaction.queryOne("select repeat('x', 1 << 20)", as: String.self)
                #expect(row.utf8.count == 1 << 20)
            }
        }
    }
}
