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

    func run(on pool: PGPool, _ numbers: inout Numbers, awaited: Bool, streaming: Bool) async throws {
        switch self {
        case .point: try await readPoint(pool, &numbers)
        case .tenant where awaited: try await readTenantAwaited(pool, &numbers)
        case .tenant: try await readTenant(pool, &numbers)
        case .rows: try await readRows(pool)
        case .copy: break
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
    let name: String
    let score: Int64
    let changedAt: Date

    init(from row: inout PGRowReader) throws {
        id = try row.next()
        name = try row.next()
        score = try row.next()
        changedAt = try row.next()
    }
}

private func readPoint(_ pool: PGPool, _ numbers: inout Numbers) async throws {
    let id = numbers.next()
    let item = try await pool.queryOne(
        "select name, score, changed_at from bench.point where id = \(id)",
        as: Item.self
    )
    precondition(item.score >= 0)
}

private func readTenant(_ pool: PGPool, _ numbers: inout Numbers) async throws {
    let id = numbers.next()
    let item = try await pool.transaction(
        .readOnly,
        opening: "select set_config('bench.tenant', \(String(id % 100)), true)"
    ) {
        try await $0.queryOne(
            "select name, score, changed_at from bench.item where id = \(id)",
            as: Item.self
        )
    }
    precondition(item.score >= 0)
}

/// The same statements as a client would send them that waits for each.
private func readTenantAwaited(_ pool: PGPool, _ numbers: inout Numbers) async throws {
    let id = numbers.next()
    let item = try await pool.transaction(.readWrite) { transaction in
        try await transaction.execute("select set_config('bench.tenant', \(String(id % 100)), true)")
        return try await transaction.queryOne(
            "select name, score, changed_at from bench.item where id = \(id)",
            as: Item.self
        )
    }
    precondition(item.score >= 0)
}

private func readRows(_ pool: PGPool) async throws {
    let items = try await pool.transaction(.readOnly) {
        try await $0.query("select id, name, score, changed_at from bench.point", as: WholeItem.self)
    }
    precondition(items.count == 100_000)
}
