import Foundation
import PGClient
import Tenancy

/// Counts every board again and tells what differs: standings from the ledgers, the boards from
/// the standings, and the counts and the history from the boards. Each is compared with what it
/// is made of, so that one wrong value is one difference.
///
/// People are read one by one, each in a snapshot of their own, so syncs go on meanwhile and the
/// memory is that of a page of uids.
struct BoardAudit: Sendable {
    struct Count: Sendable {
        var people = 0
        var weeks = 0
        var differences = 0
    }

    private static let page: Int32 = 1_000
    private static let atOnce = 4

    let pool: PGPool

    /// - Parameter report: is given each difference in words.
    func run(report: (String) -> Void) async throws -> Count {
        var count = Count()
        func tell(_ differences: [BoardDifference]) {
            for difference in differences { report(difference.description) }
            count.differences += differences.count
        }
        var place = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
        while let people = try await people(after: place), let last = people.last {
            count.people += people.count
            try await withThrowingTaskGroup(of: [BoardDifference].self) { group in
                var waiting = people.makeIterator()
                for uid in (0..<Self.atOnce).compactMap({ _ in waiting.next() }) {
                    group.addTask { try await differences(of: uid) }
                }
                while let differences = try await group.next() {
                    tell(differences)
                    if let uid = waiting.next() { group.addTask { try await self.differences(of: uid) } }
                }
            }
            place = last
        }
        for week in try await weeks() {
            count.weeks += 1
            tell(try await differences(in: week))
        }
        return count
    }

    private func people(after place: UUID) async throws -> [UUID]? {
        try await asOwner {
            try await $0.queryOne("select app.people_after(\(place), \(Self.page))", as: [UUID].self)
        }
    }

    private func weeks() async throws -> [String] {
        try await asOwner {
            try await $0.query("select * from app.audited_weeks() order by 1", as: (String).self)
        }
    }

    private func differences(of uid: UUID) async throws -> [BoardDifference] {
        do {
            return try await TenantDatabase(pool: pool).inspect(Principal(uid: uid)) {
                try await $0.boardDifferences()
            }
        } catch let error as PGError where error.sqlState?.rawValue == "BM401" {
            // Gone since the page was read.
            return []
        }
    }

    private func differences(in week: String) async throws -> [BoardDifference] {
        try await asOwner { try await $0.boardDifferences(in: week) }
    }

    private func asOwner<Result: Sendable>(
        _ body: (PGTransaction) async throws -> Result
    ) async throws -> Result {
        try await pool.transaction(.readOnly, opening: "set local role breathmaster_owner", body)
    }
}

/// Where what is stored isn't what it is made of.
struct BoardDifference: CustomStringConvertible, Sendable {
    /// Whose it is, or which company's; nil for what is of nobody in particular.
    let owner: String?
    /// Which board or table, of which period.
    let place: String
    let what: String
    /// Nil where there is nothing.
    let stored, expected: String?

    var description: String {
        let whose = owner.map { "\($0), " } ?? ""
        return "\(whose)\(place): \(what) is \(stored ?? "absent"), expected \(expected ?? "none")"
    }
}
