import Foundation
import PGClient

/// Forgets what is older than anybody wants it kept: the detail of practice after the days that each person says, and
/// lines of the record of an account after 400.
///
/// In steps, each of which is for good. Somebody who syncs at that moment waits for the next time.
struct Retention: Sendable {
    private static let mostPeople: Int32 = 500
    private static let mostRows: Int32 = 2000

    let pool: PGPool
    let now: @Sendable () -> Date

    func forget() async throws {
        var place = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
        try await unhurried {
            guard let next = try await forgetSome(after: place) else { return false }
            place = next
            return true
        }
    }

    /// Where to go on; nil where nobody is left.
    private func forgetSome(after place: UUID) async throws -> UUID? {
        try await pool.transaction { tx in
            try await tx.queryOne(
                """
                select next_place, forgotten
                from app.forget_detail(\(place), \(now()), \(Self.mostPeople), \(Self.mostRows))
                """,
                as: (UUID?, Int32).self
            )
        }.0
    }
}
