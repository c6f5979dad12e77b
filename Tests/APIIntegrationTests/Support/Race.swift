import Foundation
import PGClient
import Testing

extension TestServer {
    /// Two transactions of one person at the same moment: `then` begins while `first` is done and not yet committed, and
    /// `last` is done before that is.
    func race(first: SQL, then: SQL, last: SQL? = nil, as uid: UUID) async throws {
        let pool = PGPool(PGConfiguration(database))
        let binding: SQL = "select app.bind(\(uid))"
        let marker = "race \(UUID())"
        let other = try await pool.transaction(opening: binding) { one in
            try await one.execute(first)
            let other = Task {
                try await pool.transaction(opening: binding) { two in
                    try await two.execute("/* \(unsafeSQL: marker) */ \(then)")
                }
            }
            try await eventually("the other waits for this one, or is done") {
                try await asSuperuser { tx in
                    try await tx.queryOne(
                        """
                        select count(*) from pg_stat_activity
                        where pid <> pg_backend_pid() and query like \("%\(marker)%")
                          and (wait_event_type = 'Lock' or state like 'idle%')
                        """,
                        as: Int.self
                    ) > 0
                }
            }
            if let last { try await one.execute(last) }
            return other
        }
        let result = await other.result
        await pool.close()
        _ = try result.get()
    }
}
