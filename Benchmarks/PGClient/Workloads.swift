import Foundation
import PGClient

/// What is measured. Each is also done by the C program and by the peers.
enum Workload: String, CaseIterable {
    /// One prepared statement that reads one row by its key.
    case point
    /// A transaction that says for which tenant it is, and reads one row under row security.
    case tenant
    /// 100,000 rows of four columns.
    case rows
    /// 10,000 rows written by COPY in a transaction.
    case copy

    /// How many rows one operation moves.
    var rowsPerOperation: Int {
        switch self {
        case .point, .tenant: 1
        case .rows: 100_000
        case .copy: 10_000
        }
    }

    func run(on pool: PGPool, _ numbers: inout Numbers, streaming: Bool) async throws {
        switch self {
        case .point: try await readPoint(pool, numbers.next())
        case .tenant: try await readTenant(pool, numbers.next())
        case .rows where streaming: try await streamRows(pool)
        case .rows: try await readRows(pool)
        case .copy: try await copyRows(pool)
        }
    }
}

/// Keys of rows, in no order. The system's random numbers cost a call of the kernel each.
struct Numbers {
    private var state: UInt64

    init(seed: Int) {
        state = UInt64(seed + 1) &* 0x9e37_79b9_7f4a_7c15
    }

    mutating func next() -> Int64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int64(state % 100_000) + 1
    }
}

private struct Item: PGRow {
    let name: String
    let score: Int64
    let changedAt: Date

    init(from row: inout PGRowReader) throws {
        name = try row.next()
        score = try row.next()
        changedAt = try row.next()
    }
}

private struct WholeItem: PGRow {
    let id: Int64
    let item: Item

    init(from row: inout PGRowReader) throws {
        id = try row.next()
        item = try Item(from: &row)
    }
}

private func readPoint(_ pool: PGPool, _ id: Int64) async throws {
    _ = try await pool.queryOne(
        "select name, score, changed_at from bench.point where id = \(id)",
        as: Item.self
    )
}

private func bind(_ id: Int64) -> SQL {
    "select set_config('bench.tenant', \(String(id % 100)), true)"
}

private func select(_ id: Int64) -> SQL {
    "select name, score, changed_at from bench.item where id = \(id)"
}

private func readTenant(_ pool: PGPool, _ id: Int64) async throws {
    _ = try await pool.transaction(.readOnly, opening: bind(id)) {
        try await $0.queryOne(select(id), as: Item.self)
    }
}

/// The same four statements, each awaited before the next is sent.
func readTenantAwaited(_ connection: PGConnection, _ id: Int64) async throws {
    try await connection.execute("begin isolation level repeatable read read only")
    try await connection.execute(bind(id))
    _ = try await connection.queryOne(select(id), as: Item.self)
    try await connection.execute("commit")
}

private func readRows(_ pool: PGPool) async throws {
    let items = try await pool.query(
        "select id, name, score, changed_at from bench.point",
        as: WholeItem.self
    )
    precondition(items.count == 100_000)
}

private func streamRows(_ pool: PGPool) async throws {
    let count = try await pool.transaction(.readOnly) { transaction in
        var count = 0
        let rows = transaction.stream(
            "select id, name, score, changed_at from bench.point",
            as: WholeItem.self
        )
        for try await _ in rows { count += 1 }
        return count
    }
    precondition(count == 100_000)
}

private func copyRows(_ pool: PGPool) async throws {
    try await pool.transaction { transaction in
        try await transaction.execute("truncate bench.target")
        let now = Date()
        let rows = (0..<Int64(10_000)).lazy.map { ($0, "item number \($0)", $0 * 7, now) }
        try await transaction.copyIn(
            rows,
            into: ["bench", "target"],
            columns: ["id", "name", "score", "changed_at"]
        )
    }
}
