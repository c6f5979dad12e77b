import Foundation
import PGClient
import Synchronization
import Testing

/// A table of twelve tenants, of which each sees its own rows only.
struct Tenants {
    static let all = 1...12
    static let rows = 20

    /// How many reads a test does: few, unless PGCLIENT_SOAK_READS asks for more.
    static let reads = ProcessInfo.processInfo.environment["PGCLIENT_SOAK_READS"].flatMap(Int.init) ?? 3000

    let table = Database.name("tenants")
    /// Row security doesn't bind the superuser as whom the tests connect: a read without its opening would
    /// see everything.
    let role = Database.name("role")

    /// Runs the body with a table of its own, and removes it.
    static func with<R>(_ body: (Tenants) async throws -> R) async throws -> R {
        let tenants = Tenants()
        let (table, role) = (tenants.table, tenants.role)
        return try await Database.withPool { pool in
            try await pool.transaction {
                try await $0.script(
                    """
                    create role \(role);
                    create table \(table) (tenant int not null, n int not null);
                    insert into \(table)
                        select t, n from generate_series(1, 12) t, generate_series(1, \(rows)) n;
                    alter table \(table) enable row level security;
                    create policy own on \(table)
                        using (tenant = nullif(current_setting('app.tenant', true), '')::int);
                    grant select on \(table) to \(role);
                    """
                )
            }
            let result: R
            do {
                result = try await body(tenants)
            } catch {
                try await tenants.remove(pool)
                throw error
            }
            try await tenants.remove(pool)
            return result
        }
    }

    private func remove(_ pool: PGPool) async throws {
        try await pool.transaction { try await $0.script("drop table \(table); drop role \(role)") }
    }

    /// Makes a transaction that tenant's.
    func opening(_ tenant: Int) -> SQL {
        "select set_config('role', \(role), true), set_config('app.tenant', \(String(tenant)), true)"
    }

    /// Reads as all of them at once, with every fourth transaction being cancelled at some time, until there
    /// were so many reads. No read may show anything but all rows of the tenant who reads.
    func readAll(_ pool: PGPool, _ title: String, on executor: (any TaskExecutor)? = nil) async {
        let counts = Counts()
        await withTaskGroup(of: Void.self) { group in
            for tenant in Self.all {
                group.addTask {
                    var round = 0
                    while counts.read.load(ordering: .relaxed) < Self.reads {
                        round += 1
                        let isCancelled = Int.random(in: 0..<4) == 0
                        let access: PGAccess = round.isMultiple(of: 2) ? .readOnly : .readWrite
                        let task = Task(executorPreference: executor) {
                            try await pool.transaction(access, opening: opening(tenant)) { transaction in
                                for pause in isCancelled ? [0, 0.002] : [0, 0] {
                                    try await expectOwnRows(of: tenant, pause, transaction)
                                    counts.read.add(1, ordering: .relaxed)
                                }
                            }
                        }
                        if isCancelled {
                            for _ in 0..<Int.random(in: 0..<200) { await Task.yield() }
                            task.cancel()
                        }
                        do {
                            try await task.value
                        } catch is CancellationError {
                            counts.cancelled.add(1, ordering: .relaxed)
                        } catch {
                            Issue.record("\(String(reflecting: error))")
                        }
                    }
                }
            }
        }
        let (read, cancelled) = (
            counts.read.load(ordering: .relaxed), counts.cancelled.load(ordering: .relaxed)
        )
        print("\(title): \(read) reads of \(Self.all.count) tenants, \(cancelled) transactions cancelled")
        #expect(read >= Self.reads && cancelled > 0)
    }

    private final class Counts: Sendable {
        let read = Atomic(0)
        let cancelled = Atomic(0)
    }

    private func expectOwnRows(of tenant: Int, _ pause: Double, _ transaction: PGTransaction) async throws {
        let rows = try await transaction.query(
            """
            select tenant, n, pg_sleep(case n when 1 then \(pause) else 0 end)::text
            from \(identifier: table) order by n
            """,
            as: (Int, Int, String).self
        )
        #expect(rows.map(\.0) == Array(repeating: tenant, count: Self.rows))
        #expect(rows.map(\.1) == Array(1...Self.rows))
    }
}
